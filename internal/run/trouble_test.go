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
	{simulated.Well, engine.StatusSame, ""},
	{simulated.Refuses, engine.StatusUnreachable, "connection refused"},
	{simulated.Resets, engine.StatusUnreachable, "the server hung up before the login, 6 times"},
	{simulated.Busy, engine.StatusSame, ""},
	{simulated.Silent, engine.StatusUnreachable, "no SSH connection within 3s"},
	{simulated.SilentAfterLogin, engine.StatusUnreachable, "connection lost: outcome unknown (the host has stopped answering)"},
	{simulated.SilentInAnswer, engine.StatusUnreachable, "connection lost: outcome unknown (the host has stopped answering)"},
	{simulated.ResetsInAnswer, engine.StatusUnreachable, "connection lost: outcome unknown ("},
	{simulated.EndsInAnswer, engine.StatusFailed, "the host's answer broke off"},
	{simulated.NoSSH, engine.StatusUnreachable, `it said "HTTP/1.1 400 Bad Request"`},
	{simulated.EndlessBanner, engine.StatusUnreachable, `it said "yyyy`},
	{simulated.Garbage, engine.StatusFailed, `the host's answer: unknown section "Segmentation fault"`},
	{simulated.EndlessAnswer, engine.StatusFailed, "too much output: more than 16 MiB, and it goes on"},
	{simulated.EndlessNoise, engine.StatusFailed, "the command did not start: the login shell printed more than 1024 KiB before it"},
}

// Of many hosts some are in trouble, each in another: it is told apart, the others are converged, and nothing is left
// of any. With which exit code each ends, TestScript/trouble says in cmd/provision.
func TestHostsInTrouble(t *testing.T) {
	onMachine(t, func(m *machine) {
		hosts := 200
		if os.Getenv("PROVISION_PROVE") == "all" {
			hosts = 1000
		}
		trouble := func(host int) simulated.Trouble { // of each twentieth, and each once
			if host%20 == 7 || host < len(troubles) {
				return troubles[(host+host/20)%len(troubles)].Trouble
			}
			return simulated.Well
		}
		inTrouble(t, m, hosts, trouble, time.Hour, func(result Result, host int) {
			for _, want := range troubles {
				if want.Trouble != trouble(host) {
					continue
				}
				if result.Status != want.status || want.says != "" && (result.Err == nil || !strings.Contains(result.Err.Error(), want.says)) || want.says == "" && result.Err != nil {
					t.Errorf("%s, %q: %s, %v", result.Host, want.Trouble, result.Status, result.Err)
				}
			}
		})
	})
}

// A host whose command hangs while its server is well is given up when it has said nothing for so long. It is alone:
// a host that answers would be one too where this machine is busy.
func TestHostThatIsStuck(t *testing.T) {
	onMachine(t, func(m *machine) {
		inTrouble(t, m, 1, func(int) simulated.Trouble { return simulated.StuckInAnswer }, 2*time.Second, func(result Result, _ int) {
			if want := "the command said nothing for 2s: it hangs there"; result.Status != engine.StatusFailed || !strings.Contains(fmt.Sprint(result.Err), want) {
				t.Errorf("%s, %v", result.Status, result.Err)
			}
		})
	})
}

// inTrouble converges so many hosts that may be silent for so long, of which some are in trouble, looks how the work on
// each ended, and holds that nothing is left of any.
func inTrouble(t *testing.T, m *machine, hosts int, trouble func(host int) simulated.Trouble, silence time.Duration, look func(result Result, host int)) {
	t.Helper()
	task := taskOf("x", resource.File{Path: m.path("file"), Content: strings.Repeat("converged\n", 100)}, resource.Directory{Path: m.path("directory")})
	is(t, m.works(t, "install", Blueprint{Tasks: []recipe.Task{task}}, Install), engine.StatusChanged)
	goroutines, descriptors := runtime.NumGoroutine(), open(t)
	fleet := &simulated.Fleet{Trouble: trouble, Real: askedHere}
	if err := fleet.Start(); err != nil {
		t.Fatal(err)
	}
	work := simulatedWork(t, m, fleet, hosts, Blueprint{Tasks: []recipe.Task{task}})
	settings := Settings{Forks: 50, Unasked: true, Silence: silence, Observe: func(engine.HostEvent) {}}
	settings.Header.Verb = "install"
	results, err := Install(t.Context(), work, settings)
	if err != nil {
		t.Fatal(err)
	}
	for host, result := range results {
		look(result, host)
	}
	fleet.Close()
	for end := time.Now().Add(time.Minute); (runtime.NumGoroutine() > goroutines || open(t) > descriptors) && time.Now().Before(end); {
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
	var work []Work
	for host := range hosts {
		trouble, port := simulated.Well, fleet.Port()
		if fleet.Trouble != nil {
			trouble = fleet.Trouble(host)
		}
		if trouble == simulated.Refuses {
			port = simulated.PortOfNone
		}
		config := remote.Config{ConfigFile: "none", Identities: []string{identity}, KnownHosts: known, Options: append(trouble.Deadlines(), "IdentityAgent=none")}
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
