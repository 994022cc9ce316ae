package acceptance

import (
	"bufio"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"provision/internal/lab/labtest"
)

// TestSweepFromBare kills the command in the middle of an install, at one moment after another,
// runs it again, and compares the host with one that was installed in one go. With
// PROVISION_SWEEP=all it goes through every moment, which takes hours; else through the
// one in which packages install, and one that the suite's name chooses.
func TestSweepFromBare(t *testing.T) {
	l := labtest.Open(t)
	for _, suite := range []string{"bookworm", "trixie"} {
		t.Run(suite, func(t *testing.T) {
			t.Parallel()
			host := boot(t, l, suite, "labsweep"+suite[:1])[0]
			bare := func() {
				fresh, err := l.Fresh(t.Context(), host.Name, "")
				if err != nil {
					t.Fatal(err)
				}
				host.Host = fresh
			}
			moments := killAt(t, host, 0)
			if len(moments) < 50 {
				t.Fatalf("an install has %d moments: %q", len(moments), moments)
			}
			clean := host.outcome(t)
			for _, moment := range chosen(suite, moments) {
				t.Run(fmt.Sprintf("%d of %d", moment, len(moments)), func(t *testing.T) {
					bare()
					killAt(t, host, moment)
					installAgain(t, host)
					provision(t, "plan", "graphite", "--detailed-exitcode", "-H", host.Name).exits(t, 0)
					provision(t, "verify", "graphite", "-H", host.Name).exits(t, 0)
					clean.compare(t, host.outcome(t))
					host.hasNothingLeft(t)
				})
			}
		})
	}
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

// chosen are the moments at which the install is killed.
func chosen(suite string, moments []string) []int {
	var all []int
	for i := range moments {
		all = append(all, i+1)
	}
	if os.Getenv("PROVISION_SWEEP") == "all" {
		return all
	}
	packages := 1 + slices.IndexFunc(moments, func(m string) bool { return strings.HasPrefix(m, "step_began install ") })
	seed := fnv.New64()
	seed.Write([]byte(suite))
	return []int{packages, all[rand.New(rand.NewPCG(seed.Sum64(), 0)).IntN(len(all))]}
}

// killAt installs and kills the command when it tells of that beginning or end of a step,
// counted from one; 0 lets it come to its end. It returns those moments.
func killAt(t *testing.T, host machine, moment int) []string {
	t.Helper()
	c := command(t, "install", "graphite", "-y", "--json", "-H", host.Name)
	stdout, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var moments []string
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(stdout)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			break
		}
		var next event
		if err := json.Unmarshal(line, &next); err != nil {
			t.Errorf("%v: %s", err, line)
			continue
		}
		if next.Event != "step_began" && next.Event != "step_ended" {
			continue
		}
		moments = append(moments, next.Event+" "+next.Title)
		if len(moments) == moment {
			t.Logf("killed at: %s", moments[moment-1])
			if err := c.Process.Kill(); err != nil {
				t.Error(err)
			}
		}
	}
	err = c.Wait()
	if moment == 0 && err != nil {
		t.Fatalf("%s: %v", c, err)
	}
	if moment > 0 && err == nil {
		t.Errorf("%s: ended well before it could be killed", c)
	}
	return moments
}

// outcome is what an install leaves: files, packages, units, listeners.
type outcome struct {
	configuration
	packages []string
}

func (m machine) outcome(t *testing.T) outcome {
	t.Helper()
	packages := strings.Split(m.run(t, `dpkg-query -W -f '${Package} ${db:Status-Abbrev}${Version}\n'`), "\n")
	listeners, err := m.listeners()
	if err != nil {
		t.Fatal(err)
	}
	return outcome{configuration{files: m.snapshot(t), units: m.units(t), listeners: listeners}, packages}
}

// own matches what no two hosts have in common, or no two moments of one: identity,
// secrets, what is dated, and what the services write.
var own = regexp.MustCompile(strings.Join([]string{
	`^/etc/(machine-id|shadow-?|graphite/secret_key|nginx/graphite\.htpasswd)$`, `^/etc/provision/secrets/`, `^/var/lib/dbus/machine-id$`,
	`^/etc/(passwd|group|gshadow|subuid|subgid)-$`, `\.cache$`, `\.pyc$`,
	`^/var/(lib/(dpkg|apt|graphite|nginx|provision|ucf|logrotate)|cache|log|backups|tmp)/`,
}, "|"))

func (before outcome) compare(t *testing.T, after outcome) {
	t.Helper()
	for _, change := range before.files.changes(after.files, running, own) {
		t.Errorf("not as after an install in one go: %s", change)
	}
	same(t, "packages", before.packages, after.packages)
	same(t, "units", before.units, after.units)
	same(t, "listeners", before.listeners, after.listeners)
}

// hasNothingLeft looks for what a run that died may leave.
func (m machine) hasNothingLeft(t *testing.T) {
	t.Helper()
	if left := m.run(t, `cd /var/lib/provision && find pending temporaries policy-held policy-kept holder runs/*/open -mindepth 0 ! -name pending 2>/dev/null
find / -xdev \( -name '.provision-*' ! -name .provision-migrated -o -name '*.provision-new' \) -print
ls /usr/sbin/policy-rc.d 2>/dev/null; :`); left != "" {
		t.Errorf("left: %s", left)
	}
	if _, err := m.try("flock -n /var/lib/provision/lock true", ""); err != nil {
		t.Errorf("the lock is held: %v", err)
	}
}
