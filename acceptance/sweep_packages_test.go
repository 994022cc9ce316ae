package acceptance

import (
	"bufio"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"provision/internal/lab/labtest"
	"provision/internal/proof"
)

// TestSweepFromBare kills installs on bare hosts while apt and dpkg are at work, runs them
// again, and compares the host with one that was installed in one go: the command alone,
// so that apt-get goes on without it, and all of the run on the host, dpkg and the scripts of
// packages too, after so many seconds. With PROVISION_SWEEP=all it goes through every second;
// else through some that the suite's name chooses.
func TestSweepFromBare(t *testing.T) {
	t.Parallel()
	l := labtest.Open(t)
	for suite := range today(t) {
		t.Run(suite, func(t *testing.T) {
			t.Parallel()
			host := boot(t, l, suite, "labsweep"+suite[:1])[0]
			provision(t, "install", "graphite", "-y", "-H", host.Name).exits(t, 0)
			clean := host.look(t)
			for _, moment := range packageMoments(suite) {
				t.Run(moment.String(), func(t *testing.T) {
					fresh, err := l.Fresh(t.Context(), host.Name, "")
					if err != nil {
						t.Fatal(err)
					}
					host.Host = fresh
					host.dieInPackages(t, moment)
					installAgain(t, host)
					provision(t, "plan", "graphite", "--detailed-exitcode", "-H", host.Name).exits(t, 0)
					provision(t, "verify", "graphite", "-H", host.Name).exits(t, 0)
					host.isAs(t, clean, "not as after an install in one go", "debian", "hosts")
					if left := host.leftovers(t); len(left) > 0 {
						t.Errorf("left: %q", left)
					}
				})
			}
		})
	}
}

// packageMoment is when, after apt-get began, something dies: the command, or all of the run
// on the host.
type packageMoment struct {
	seconds int
	host    bool
}

func (m packageMoment) String() string {
	if m.host {
		return fmt.Sprintf("all on the host after %d s", m.seconds)
	}
	return fmt.Sprintf("the command after %d s", m.seconds)
}

// packagesTake is about how long the packages take to install, in seconds.
const packagesTake = 16

// packageMoments are the moments that are tried.
func packageMoments(suite string) []packageMoment {
	if os.Getenv("PROVISION_SWEEP") == "all" {
		moments := []packageMoment{{0, false}, {packagesTake / 2, false}}
		for seconds := range packagesTake {
			moments = append(moments, packageMoment{seconds, true})
		}
		return moments
	}
	seed := fnv.New64()
	seed.Write([]byte(suite))
	random := rand.New(rand.NewPCG(seed.Sum64(), 0))
	return []packageMoment{{random.IntN(packagesTake), false}, {random.IntN(packagesTake), true}}
}

// installAgain is the run after the one that died. Where a step of that one, as apt-get, is
// still at work, it waits for it, finds the host changed since its plan, does nothing and
// says to run it again.
func installAgain(t *testing.T, host machine) {
	t.Helper()
	args := []string{"install", "graphite", "-y", "--lock-timeout", "5m", "-H", host.Name}
	again := provision(t, args...)
	if again.code == 5 && strings.Contains(again.stderr, "waiting for the lock") && strings.Contains(again.stderr, "run the same command again") {
		again = provision(t, args...)
	}
	again.exits(t, 0)
}

// dieInPackages installs, and lets that die while packages install.
func (m machine) dieInPackages(t *testing.T, at packageMoment) {
	t.Helper()
	c := command(t, "install", "graphite", "-y", "--json", "-H", m.Name)
	stdout, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	reached := false
	lines := bufio.NewScanner(stdout)
	lines.Buffer(nil, longestLine)
	for lines.Scan() {
		var next event
		if err := json.Unmarshal(lines.Bytes(), &next); err != nil {
			t.Errorf("%v: %s", err, lines.Text())
		}
		if reached || next.Event != "step_began" || !strings.HasPrefix(next.Title, "install ") {
			continue
		}
		reached = true
		time.Sleep(time.Duration(at.seconds) * time.Second)
		if at.host {
			killed, err := proof.KillRuns(t.Context(), m)
			if err != nil {
				t.Error(err)
			}
			t.Logf("killed: %s", killed)
		} else if err := c.Process.Kill(); err != nil {
			t.Error(err)
		}
	}
	if err := c.Wait(); err == nil || !reached {
		t.Errorf("%s: ended well, packages were reached: %v", c, reached)
	}
}
