package acceptance

import (
	"bytes"
	"context"
	"fmt"
	"math/rand"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"provision/internal/lab"
	"provision/internal/lab/labtest"
)

// TestSweep kills runs: before and after every write of the controller, and on the host at
// every point where the runner waits for its disk, that is, before and after every journal
// entry, kept copy, temporary and rename. After each a rerun has to make the host exactly
// what a clean install makes it, and leave nothing else. `make sweep` tries every point;
// without PROVISION_SWEEP=all it is a few, of every kind.
func TestSweep(t *testing.T) {
	l := labtest.Open(t)
	if err := l.Seed(t.Context(), "bookworm", packages); err != nil {
		t.Fatal(err)
	}
	var swept sweepFigures
	var prepared, done sync.WaitGroup
	points := make(chan point)
	workers := make([]*sweeper, 2)
	for i := range workers {
		prepared.Add(1)
		done.Go(func() {
			defer prepared.Done()
			workers[i] = prepareSweep(t, l, fmt.Sprintf("labsweep%d", i+1))
		})
	}
	prepared.Wait()
	if t.Failed() {
		return
	}
	done.Wait()
	chosen := choosePoints(t, workers[0].points())
	for _, s := range workers {
		done.Go(func() {
			for p := range points {
				s.try(t, p, &swept)
			}
		})
	}
	for i, p := range chosen {
		points <- p
		if i%10 == 9 {
			t.Logf("%d of %d points", i+1, len(chosen))
		}
	}
	close(points)
	done.Wait()
	t.Logf("sweep of graphite: %s", &swept)
}

// point is a moment at which a run dies.
type point struct {
	kind string // write: of the controller; host: the runner dies; orphan: the controller dies, the step under way goes on
	at   int
	when string // of write: before, after
}

func (p point) String() string {
	return strings.TrimSpace(p.kind + " " + strconv.Itoa(p.at) + " " + p.when)
}

// choosePoints returns all points, or when not all are asked for some of each kind, by a
// seed that is printed.
func choosePoints(t *testing.T, all []point) []point {
	seed := time.Now().Unix() / (24 * 3600) // others every day
	if text := os.Getenv("PROVISION_SWEEP_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseInt(text, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	few := 2
	if os.Getenv("PROVISION_SWEEP") == "all" {
		few = len(all)
	}
	if text := os.Getenv("PROVISION_SWEEP_POINTS"); text != "" {
		var err error
		if few, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("PROVISION_SWEEP_SEED=%d of %d points; PROVISION_SWEEP=all tries them all", seed, len(all))
	random := rand.New(rand.NewSource(seed))
	left := map[string]int{}
	var chosen []point
	for _, i := range random.Perm(len(all)) {
		if p := all[i]; left[p.kind+p.when] < few {
			left[p.kind+p.when]++
			chosen = append(chosen, p)
		}
	}
	return chosen
}

// sweepFigures are what a sweep found.
type sweepFigures struct {
	mu                              sync.Mutex
	points, died, differ, leftovers int
}

func (f *sweepFigures) String() string {
	return fmt.Sprintf("%d points, at %d of which the run died; %d differences, %d leftovers", f.points, f.died, f.differ, f.leftovers)
}

// sweeper is a host that has the packages already, and what a clean install makes of it.
type sweeper struct {
	machine
	lab           *lab.Lab
	relay         *cutter
	clean         []string
	writes, syncs int // of a clean install
}

// prepareSweep takes a host to its checkpoint and installs once, cleanly.
func prepareSweep(t *testing.T, l *lab.Lab, name string) *sweeper {
	host := machine{labtest.Host(t, l, name, "bookworm")}
	s := &sweeper{machine: host, lab: l, relay: newCutter(t, host.Address.String()+":22")}
	// sync(1) of the runner is the one that stands first in its PATH.
	host.feed(t, "mkdir /var/lib/sweep && cat >/usr/sbin/sync && chmod 755 /usr/sbin/sync", `#!/bin/sh
d=/var/lib/sweep
if [ -e $d/at ]; then
	n=$(($(cat $d/n) + 1))
	echo $n >$d/n
	if [ $n = "$(cat $d/at)" ]; then
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
`)
	host.run(t, "printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d; chmod 755 /usr/sbin/policy-rc.d; DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install "+
		"graphite-carbon graphite-web uwsgi-core uwsgi-plugin-python3 nginx-light logrotate openssl >/dev/null; rm /usr/sbin/policy-rc.d; "+
		// As they are in the middle of an install: there, and not running, also after the boot that a checkpoint means.
		"systemctl -q disable nginx carbon-cache 2>&1")
	if err := l.Checkpoint(t.Context(), name); err != nil {
		t.Error(err)
		return s
	}
	s.relay.arm(0, false, nil)
	s.watch(t, 0, "")
	if code, output := s.install(t, nil); code != 0 {
		t.Errorf("clean install: exit code %d\n%s", code, tail(output, 4000))
		return s
	}
	s.writes = s.relay.count()
	s.syncs, _ = strconv.Atoi(strings.TrimSpace(host.read(t, "/var/lib/sweep/n")))
	s.clean = s.enumerate(t)
	if left := s.leftovers(t); len(left) > 0 {
		t.Errorf("a clean install leaves %q", left)
	}
	t.Logf("%s: a clean install has %d writes and %d syncs, and makes %d lines of state", name, s.writes, s.syncs, len(s.clean))
	return s
}

// points are all moments at which the install can be killed.
func (s *sweeper) points() []point {
	var all []point
	for i := range s.writes {
		all = append(all, point{"write", i + 1, "before"}, point{"write", i + 1, "after"})
	}
	for i := range s.syncs {
		all = append(all, point{"host", i + 1, ""})
		if i%2 == 0 {
			all = append(all, point{"orphan", i + 1, ""})
		}
	}
	return all
}

// watch arms the host's sync.
func (s *sweeper) watch(t *testing.T, at int, how string) {
	s.run(t, fmt.Sprintf("cd /var/lib/sweep; rm -f go reached; echo 0 >n; echo %d >at; echo %s >how", at, how))
}

func (s *sweeper) reached() bool {
	_, err := os.Stat(filepath.Join(s.Root(), "var/lib/sweep/reached"))
	return err == nil
}

// install runs the command through the relay; started gets its process.
func (s *sweeper) install(t *testing.T, started func(*os.Process)) (int, string) {
	host, port, _ := strings.Cut(s.relay.listener.Addr().String(), ":")
	c := command(t, "install", "graphite", "-y", "-H", s.Name, "--lock-timeout", "150s",
		"-o", "HostName="+host, "-o", "Port="+port, "-o", "HostKeyAlias="+s.Address.String())
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
func (s *sweeper) try(t *testing.T, p point, figures *sweepFigures) {
	began := time.Now()
	if err := s.lab.Rewind(context.Background(), s.Name); err != nil {
		t.Errorf("%s: %v", p, err)
		return
	}
	code, output := s.die(t, p)
	died := code != 0
	s.relay.arm(0, false, nil)
	s.run(t, "rm -f /var/lib/sweep/at")
	again := 0
	if died {
		again, output = s.install(t, nil)
	}
	var differ []string
	state := s.enumerate(t)
	for _, line := range s.clean {
		if _, there := slices.BinarySearch(state, line); !there {
			differ = append(differ, "no longer "+line)
		}
	}
	for _, line := range state {
		if _, there := slices.BinarySearch(s.clean, line); !there {
			differ = append(differ, "new "+line)
		}
	}
	left := s.leftovers(t)
	if again != 0 || len(differ) > 0 || len(left) > 0 {
		t.Errorf("%s: the run ended with %d, the next with %d; differences %q, left %q\n%s", p, code, again, differ, left, tail(output, 3000))
	}
	if os.Getenv("PROVISION_SWEEP_LOG") != "" {
		t.Logf("%s %s: exit code %d, then %d, in %s", s.Name, p, code, again, time.Since(began).Round(100*time.Millisecond))
	}
	figures.mu.Lock()
	defer figures.mu.Unlock()
	figures.points++
	if died {
		figures.died++
	}
	figures.differ += len(differ)
	figures.leftovers += len(left)
}

// die runs until the point. A controller that is killed says nothing: its code is -1.
func (s *sweeper) die(t *testing.T, p point) (int, string) {
	ended := make(chan struct{})
	defer close(ended)
	switch p.kind {
	case "write":
		process := make(chan *os.Process, 1)
		s.relay.arm(p.at, p.when == "after", func() { (<-process).Kill() })
		return s.install(t, func(running *os.Process) { process <- running })
	case "host":
		s.relay.arm(0, false, nil)
		s.watch(t, p.at, "host")
		return s.install(t, nil)
	default:
		s.relay.arm(0, false, nil)
		s.watch(t, p.at, "orphan")
		return s.install(t, func(running *os.Process) {
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
