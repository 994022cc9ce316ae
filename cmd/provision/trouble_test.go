package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"provision/internal/lab/simulated"
)

// cmdTrouble starts simulated hosts that are in these troubles, by which they are named; of "well" there is none. It
// writes an inventory of them, all with the task notes, and an ssh_config.
func cmdTrouble(ts *testscript.TestScript, _ bool, args []string) {
	trouble := func(host int) simulated.Trouble {
		if args[host] == "well" {
			return simulated.Well
		}
		return simulated.Trouble(strings.ReplaceAll(args[host], "-", " "))
	}
	fleet := &simulated.Fleet{Trouble: trouble, Real: answeredHere}
	ts.Check(fleet.Start())
	ts.Defer(fleet.Close)
	hosts, deadlines := "hosts:\n", ""
	for host, name := range args {
		port := fleet.Port()
		if trouble(host) == simulated.Refuses {
			port = simulated.PortOfNone
		}
		deadlines += fmt.Sprintf("Host %s\n  %s\n", simulated.Address(host), strings.Join(trouble(host).Deadlines(), "\n  "))
		hosts += fmt.Sprintf("  %s: {address: root@%s:%d, tasks: [notes]}\n", name, simulated.Address(host), port)
	}
	key, known := ts.MkAbs("key"), ts.MkAbs("known_hosts")
	ts.Check(simulated.WriteIdentity(key))
	for file, text := range map[string]string{
		known:                  simulated.KnownHosts(len(args), fleet.Port()),
		ts.MkAbs("hosts.yaml"): hosts,
		ts.MkAbs("ssh_config"): "IdentityFile " + key + "\nIdentityAgent none\nUserKnownHostsFile " + known + "\n" + deadlines,
	} {
		ts.Check(os.WriteFile(file, []byte(text), 0o600))
	}
}

// answeredHere runs a command of a simulated host on this machine.
func answeredHere(line string) (simulated.Answer, error) {
	command := exec.Command("/bin/sh", "-c", line)
	var output, errs bytes.Buffer
	command.Stdout, command.Stderr = &output, &errs
	err := command.Run()
	return simulated.Answer{Output: output.String(), Errors: errs.String()}, err
}
