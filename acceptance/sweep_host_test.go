package acceptance

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"provision/internal/lab"
	"provision/internal/proof"
	"provision/internal/run"
)

// sweptHost is a host on which a sweep's command is killed, and what it makes of the host
// undisturbed.
type sweptHost struct {
	sweep
	machine
	lab    *lab.Lab
	relay  *cutter
	clean  proof.State
	seen   proof.Digests
	writes int           // of the controller, in a clean run
	steps  []string      // the kind of step at each of the host's syncs, in a clean run
	plain  time.Duration // the gap of a plain restart
}

// Stands first in the runner's PATH, counts, and dies or waits at the one that it is told.
const countingSync = `#!/bin/sh
d=/var/lib/sweep
if [ -e $d/at ]; then
	n=$(($(cat $d/n) + 1))
	echo $n >$d/n
	if [ "$(cat $d/how)" = note ]; then
		for journal in /var/lib/provision/runs/*/journal; do :; done
		tail -n 1 "$journal" 2>/dev/null | grep . >>$d/steps || echo >>$d/steps
	elif [ $n = "$(cat $d/at)" ]; then
		: >$d/reached
		case $(cat $d/how) in
		host) # all of the run dies, up to sshd
			p=$$ victims=
			until [ "$(cat /proc/$p/comm)" = sshd ]; do
				victims="$p $victims" # itself the last
				p=$(awk '/^PPid:/ { print $2 }' /proc/$p/status)
			done
			kill -9 $victims ;;
		orphan) while [ ! -e $d/go ]; do sleep 0.02; done ;;
		esac
	fi
fi
exec /usr/bin/sync "$@"
`

// prepare takes the host to its checkpoint and runs the command once, undisturbed.
func (s *sweptHost) prepare(t *testing.T) {
	if s.binary != "" {
		binary, err := os.ReadFile(s.binary)
		if err != nil {
			t.Fatal(err)
		}
		s.feed(t, "cat >/usr/local/bin/gimel && chmod 755 /usr/local/bin/gimel", string(binary))
	}
	for _, args := range s.before {
		if code, output := s.attempt(t, args, nil); code != 0 {
			t.Fatalf("before: exit code %d\n%s", code, tail(output, 4000))
		}
	}
	if len(s.packages) > 0 {
		s.run(t, "printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d; chmod 755 /usr/sbin/policy-rc.d; DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install "+
			strings.Join(s.packages, " ")+" >/dev/null; rm /usr/sbin/policy-rc.d; "+
			// Also after the boot that a checkpoint means.
			"for unit in nginx carbon-cache redis-server; do ! systemctl -q is-enabled $unit 2>/dev/null || systemctl -q disable $unit 2>&1; done")
	}
	s.run(t, ":; "+s.arranged)
	s.feed(t, "mkdir /var/lib/sweep && cat >/usr/sbin/sync && chmod 755 /usr/sbin/sync", countingSync)
	if err := s.lab.Checkpoint(t.Context(), s.Name); err != nil {
		t.Fatal(err)
	}
	if s.unit != "" {
		s.isServed(t)
		asked := visit(t.Context(), s.visit(t, s.machine))
		s.run(t, "systemctl restart "+s.unit)
		s.plain = asked().longest
	}
	s.seen = proof.Digests{}
	before := s.enumerate(t)
	s.watch(t, 0, "note")
	if code, output := s.attempt(t, s.args, nil); code != s.code {
		t.Fatalf("undisturbed: exit code %d\n%s", code, tail(output, 4000))
	}
	s.writes = s.relay.count()
	s.steps = stepKinds(t, s.read(t, "/var/lib/sweep/steps"))
	s.clean = s.enumerate(t)
	if s.removes != "" {
		s.clean = before
		if code, output := s.again(t); code != 0 {
			t.Fatalf("undisturbed, its removal: exit code %d\n%s", code, tail(output, 4000))
		}
		if differ := s.differences(t); len(differ) > 0 {
			t.Errorf("undisturbed, its removal leaves %q", differ)
		}
	}
	if left := s.leftovers(t); len(left) > 0 {
		t.Errorf("undisturbed, it leaves %q", left)
	}
	t.Logf("%s: undisturbed, it has %d writes and %d syncs, and makes %d lines of state", s.Name, s.writes, len(s.steps), len(s.clean))
}

// isServed waits until the host answers its visitors after a boot.
func (s *sweptHost) isServed(t *testing.T) {
	t.Helper()
	ask := s.visit(t, s.machine)
	eventually(t, s.Name+" answers", time.Minute, func() bool { return ask(t.Context()) == nil })
}

// watch arms the host's sync.
func (s *sweptHost) watch(t *testing.T, at int, how string) {
	s.relay.arm(0, false, nil)
	s.run(t, fmt.Sprintf("cd /var/lib/sweep; rm -f go reached steps; echo 0 >n; echo %s >how; echo %d >at", how, at))
}

func (s *sweptHost) reached() bool {
	_, err := os.Stat(filepath.Join(s.Root(), "var/lib/sweep/reached"))
	return err == nil
}

// attempt runs a command through the relay; started gets its process.
func (s *sweptHost) attempt(t *testing.T, args []string, started func(*os.Process)) (int, string) {
	host, port, _ := strings.Cut(s.relay.listener.Addr().String(), ":")
	c := command(t, slices.Concat(args, []string{"-H", s.Name, "--lock-timeout", "150s",
		"-o", "HostName=" + host, "-o", "Port=" + port, "-o", "HostKeyAlias=" + s.Address.String()})...)
	var output bytes.Buffer
	c.Stdout, c.Stderr = &output, &output
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	if started != nil {
		started(c.Process)
	}
	c.Wait()
	return c.ProcessState.ExitCode(), output.String()
}

// try rewinds the host, lets a run die at the point, and runs again.
func (s *sweptHost) try(t *testing.T, p point, found *sweepFigures) {
	began := time.Now()
	if err := s.lab.Rewind(t.Context(), s.Name); err != nil {
		t.Errorf("%s: %v", p, err)
		return
	}
	asked := func() visits { return visits{} }
	if s.visit != nil {
		s.isServed(t)
		asked = visit(t.Context(), s.visit(t, s.machine))
	}
	code, output := s.die(t, p)
	died := s.reached() || s.relay.wasCut()
	s.relay.arm(0, false, nil)
	s.run(t, "rm -f /var/lib/sweep/at")
	again := code
	if died || s.removes != "" {
		again, output = s.again(t)
	}
	v := asked()
	differ, left := s.differences(t), s.leftovers(t)
	if again != s.code || len(differ) > 0 || len(left) > 0 {
		t.Errorf("%s: the run ended with %d, the next with %d; differences %q, left %q\n%s", p, code, again, differ, left, tail(output, 3000))
	}
	if allowed := s.gap + s.plain; v.failed > 0 && v.longest > allowed {
		t.Errorf("%s: visitors %s, and %s is allowed: %v", p, v, allowed, v.last)
	}
	if os.Getenv("PROVISION_SWEEP_LOG") != "" {
		t.Logf("%s %s: exit code %d, then %d, in %s; %s", s.Name, p, code, again, time.Since(began).Round(100*time.Millisecond), v)
	}
	found.add(died, len(differ), len(left), v)
}

// again does what has to make the host whole after a run that died: the same command, or the removal
// of the task. Of a task of which nothing was noted yet nothing is there, and its installation goes on.
func (s *sweptHost) again(t *testing.T) (int, string) {
	if s.removes == "" {
		return s.attempt(t, s.args, nil)
	}
	remove := []string{"remove", s.removes, "-y"}
	code, output := s.attempt(t, remove, nil)
	if code == 3 && strings.Contains(output, run.ErrNotRemembered.Error()) {
		if code, output = s.attempt(t, s.args, nil); code == 0 {
			code, output = s.attempt(t, remove, nil)
		}
	}
	return code, output
}

// enumerate takes down the host's state; what it has read before and did not change is not read again.
func (s *sweptHost) enumerate(t *testing.T) proof.State {
	t.Helper()
	state, err := proof.Look(t.Context(), s, s.seen)
	if err != nil {
		t.Fatalf("%s: %v", s.Name, err)
	}
	return state
}

// differences are those of the host from what it has to be; of a removal without what stays by design.
func (s *sweptHost) differences(t *testing.T) []proof.Difference {
	t.Helper()
	except := proof.Except("debian", "moving", "anew", "sweep")
	if s.removes != "" {
		except = except.With(proof.Except("stays")...)
	}
	return s.clean.Differences(s.enumerate(t), except)
}

// die runs until the point. A controller that is killed says nothing: its code is -1.
func (s *sweptHost) die(t *testing.T, p point) (int, string) {
	ended := make(chan struct{})
	defer close(ended)
	switch p.kind {
	case "write":
		process := make(chan *os.Process, 1)
		s.relay.arm(p.at, p.when == "after", func() { (<-process).Kill() })
		return s.attempt(t, s.args, func(running *os.Process) { process <- running })
	case "host":
		s.watch(t, p.at, "host")
		return s.attempt(t, s.args, nil)
	default:
		s.watch(t, p.at, "orphan")
		return s.attempt(t, s.args, func(running *os.Process) {
			go func() {
				for !s.reached() {
					select {
					case <-ended:
						return
					case <-time.After(10 * time.Millisecond):
					}
				}
				running.Signal(syscall.SIGKILL)
				time.Sleep(100 * time.Millisecond) // sshd closes the step's streams
				os.WriteFile(filepath.Join(s.Root(), "var/lib/sweep/go"), nil, 0o644)
			}()
		})
	}
}
