package run

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"provision/internal/engine"
	"provision/internal/lab/simulated"
	"provision/internal/recipe"
	"provision/internal/remote"
	"provision/internal/resource"
)

// troubles are how the work on a host ends that is in trouble: its status, and what is said.
var troubles = []struct {
	simulated.Trouble
	status engine.Status
	says   string
}{
	{simulated.Refuses, engine.StatusUnreachable, "connection refused"},
	{simulated.Resets, engine.StatusUnreachable, "the server hung up before the login, 6 times"},
	{simulated.Busy, engine.StatusSame, ""},
	{simulated.Silent, engine.StatusUnreachable, "no SSH connection within 3s"},
	{simulated.SilentAfterLogin, engine.StatusUnreachable, "connection lost: outcome unknown (the host has stopped answering)"},
	{simulated.SilentInAnswer, engine.StatusUnreachable, "connection lost: outcome unknown (the host has stopped answering)"},
	{simulated.StuckInAnswer, engine.StatusFailed, "the command said nothing for 5s: it hangs there"},
	{simulated.ResetsInAnswer, engine.StatusUnreachable, "connection lost: outcome unknown ("},
	{simulated.EndsInAnswer, engine.StatusFailed, "the host's answer broke off"},
	{simulated.NoSSH, engine.StatusUnreachable, `it said "HTTP/1.1 400 Bad Request"`},
	{simulated.EndlessBanner, engine.StatusUnreachable, `it said "yyyy`},
	{simulated.Garbage, engine.StatusFailed, `the host's answer: unknown section "Segmentation fault"`},
	{simulated.EndlessAnswer, engine.StatusFailed, "too much output: more than 16 MiB, and it goes on"},
	{simulated.EndlessNoise, engine.StatusFailed, "the command did not start: the login shell printed more than 1024 KiB before it"},
}

// Of many hosts some are in trouble, each in another: it is told apart, all within the time that is given
// to a host, the others are converged, and nothing is left of any. With which exit code each ends, TestScript/trouble
// says in cmd/provision.
func TestHostsInTrouble(t *testing.T) {
	m := inMachine(t)
	if m == nil {
		return
	}
	hosts := 200
	if os.Getenv("PROVISION_PROVE") == "all" {
		hosts = 1000
	}
	task := taskOf("x", resource.File{Path: m.path("file"), Content: strings.Repeat("converged\n", 100)}, resource.Directory{Path: m.path("directory")})
	is(t, m.works(t, "install", Blueprint{Tasks: []recipe.Task{task}}, Install), engine.StatusChanged)
	trouble := func(host int) simulated.Trouble { // of each twentieth, and each once
		if host%20 == 7 || host < len(troubles) {
			return troubles[(host+host/20)%len(troubles)].Trouble
		}
		return simulated.Well
	}
	goroutines, descriptors := runtime.NumGoroutine(), open(t)
	fleet := &simulated.Fleet{Trouble: trouble, Real: askedHere}
	if err := fleet.Start(); err != nil {
		t.Fatal(err)
	}
	work := simulatedWork(t, m, fleet, hosts, Blueprint{Tasks: []recipe.Task{task}})
	settings := Settings{Forks: 50, Unasked: true, Silence: 5 * time.Second, Observe: func(engine.HostEvent) {}}
	settings.Header.Verb = "install"
	began := time.Now()
	results, err := Install(t.Context(), work, settings)
	if err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took > time.Minute {
		t.Errorf("it took %s", took)
	}
	for host, result := range results {
		want := troubles[2] // none
		for _, one := range troubles {
			if one.Trouble == trouble(host) {
				want = one
			}
		}
		if result.Status != want.status || want.says != "" && (result.Err == nil || !strings.Contains(result.Err.Error(), want.says)) || want.says == "" && result.Err != nil {
			t.Errorf("%s, %q: %s, %v", result.Host, trouble(host), result.Status, result.Err)
		}
	}
	fleet.Close()
	for end := time.Now().Add(5 * time.Second); (runtime.NumGoroutine() > goroutines || open(t) > descriptors) && time.Now().Before(end); {
		time.Sleep(20 * time.Millisecond)
	}
	if left := runtime.NumGoroutine(); left > goroutines {
		stacks := make([]byte, 1<<20)
		t.Errorf("%d goroutines, %d before\n%s", left, goroutines, stacks[:runtime.Stack(stacks, true)])
	}
	if left := open(t); left > descriptors {
		t.Errorf("%d descriptors, %d before", left, descriptors)
	}
}

// simulatedWork is work on so many simulated hosts.
func simulatedWork(t *testing.T, m *machine, fleet *simulated.Fleet, hosts int, blueprint Blueprint) []Work {
	t.Helper()
	identity, known := m.dir+"/id", m.dir+"/known_hosts"
	if err := simulated.WriteIdentity(identity); err != nil {
		t.Fatal(err)
	}
	m.write(t, known, simulated.KnownHosts(hosts, fleet.Port()), 0o600)
	config := remote.Config{ConfigFile: "none", Identities: []string{identity}, KnownHosts: known, Options: []string{
		"IdentityAgent=none", "ConnectTimeout=3", "ServerAliveInterval=1", "ServerAliveCountMax=2",
	}}
	var work []Work
	for host := range hosts {
		port := fleet.Port()
		if fleet.Trouble != nil && fleet.Trouble(host) == simulated.Refuses {
			port = simulated.PortOfNone
		}
		work = append(work, Work{Blueprint: blueprint, Target: Target{
			Name: fmt.Sprintf("web%04d", host), Address: remote.Address{User: "root", Host: simulated.Address(host).String(), Port: port}, Config: config,
		}})
	}
	return work
}

// askedHere runs a command on this machine.
func askedHere(line string) (simulated.Answer, error) {
	command := exec.Command("/bin/sh", "-c", line)
	var output, errs bytes.Buffer
	command.Stdout, command.Stderr = &output, &errs
	err := command.Run()
	return simulated.Answer{Output: output.String(), Errors: errs.String()}, err
}

// open counts this process's descriptors.
func open(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}
