package acceptance

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"provision/internal/lab"
	"provision/internal/lab/labtest"
	"provision/internal/proof"
)

// packages are what the tests install: there on every host, so that nothing is downloaded
// in the middle of a test.
var packages = []string{
	"graphite-carbon", "graphite-web", "uwsgi-core", "uwsgi-plugin-python3", "nginx-light",
	"logrotate", "openssl", "nftables", "postgresql", "python3-psycopg2", "redis-server", "redis-sentinel", "netbase", "media-types", "unattended-upgrades", "carbon-c-relay", "nodejs", "gunicorn", "python3-django", "python3-venv", "stunnel4", "collectd-core",
}

// machine is a lab host, looked at without its noticing: from outside, and by commands
// that enter its namespaces, without a login.
type machine struct{ lab.Host }

// bare returns a fresh host of a suite that has the packages in apt's cache, until the test
// ends.
func bare(t *testing.T, l *lab.Lab, suite, name string) machine {
	t.Helper()
	turn(t)
	if err := l.Seed(t.Context(), suite, packages); err != nil {
		t.Fatal(err)
	}
	return machine{labtest.Host(t, l, name, suite)}
}

// boot returns some that are bare.
func boot(t *testing.T, l *lab.Lab, suite string, names ...string) []machine {
	t.Helper()
	var machines []machine
	for _, name := range names {
		machines = append(machines, bare(t, l, suite, name))
	}
	return machines
}

// releases are those that provision knows, by the name of their suite.
var releases = map[string]string{"bookworm": "12", "trixie": "13"}

// today is the release of the day, and the other one is tomorrow's: for what takes long and hardly
// depends on it. PROVISION_RELEASES=all tries both.
func today(t *testing.T) map[string]string {
	t.Helper()
	if os.Getenv("PROVISION_RELEASES") == "all" {
		return releases
	}
	suite := slices.Sorted(maps.Keys(releases))[time.Now().Unix()/(24*3600)%2]
	t.Logf("today on %s; PROVISION_RELEASES=all tries both", suite)
	return map[string]string{suite: releases[suite]}
}

// twoDays counts pairs of days: what changes with it meets both releases that today says.
func twoDays() int { return int(time.Now().Unix() / (2 * 24 * 3600)) }

// groups are those of tests that take long.
const groups = 6

// onItsDays skips a test on days that are others': those that take long are run on two days of twelve, one
// on each release. PROVISION_PROVE=all runs them all.
func onItsDays(t *testing.T, group int) {
	t.Helper()
	if os.Getenv("PROVISION_PROVE") != "all" && twoDays()%groups != group {
		t.Skip("not today; PROVISION_PROVE=all runs it")
	}
}

// onEach runs a test on a host of each of some releases of Debian, bare or installed, beside each
// other: NAME12 and NAME13.
func onEach(t *testing.T, releases map[string]string, name string, host func(*testing.T, *lab.Lab, string, string) machine, do func(*testing.T, *lab.Lab, machine)) {
	l := labtest.Open(t)
	for suite, release := range releases {
		t.Run(suite, func(t *testing.T) {
			t.Parallel()
			do(t, l, host(t, l, suite, name+release))
		})
	}
}

// run runs a script as root in the host and returns what it prints.
func (m machine) run(t *testing.T, script string) string {
	t.Helper()
	return m.feed(t, script, "")
}

// feed is run with something on standard input.
func (m machine) feed(t *testing.T, script, input string) string {
	t.Helper()
	output, err := m.try(script, input)
	if err != nil {
		t.Fatalf("%s: %s: %v", m.Name, script, err)
	}
	return output
}

func (m machine) try(script, input string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 6*time.Minute)
	defer cancel()
	return m.Run(ctx, script, input)
}

// read returns a file of the host.
func (m machine) read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(m.Root(), path))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// mainPIDs returns the main process of each unit.
func (m machine) mainPIDs(t *testing.T, units ...string) map[string]string {
	t.Helper()
	pids := map[string]string{}
	for _, unit := range units {
		pids[unit] = strings.TrimSpace(m.run(t, "systemctl show -p MainPID --value "+unit))
	}
	return pids
}

// processes lists the names of the host's processes, sorted, without our own.
func (m machine) processes(t *testing.T) []string {
	t.Helper()
	names := strings.Fields(m.run(t, `for p in /proc/[0-9]*; do [ "$p" = /proc/$$ ] || { read -r name <$p/comm && echo "${name// /_}"; } 2>/dev/null; done; :`))
	slices.Sort(names)
	return names
}

// look takes down all of the host's state.
func (m machine) look(t *testing.T) proof.State {
	t.Helper()
	state, err := proof.Look(t.Context(), m, nil)
	if err != nil {
		t.Fatalf("%s: %v", m.Name, err)
	}
	return state
}

// isAs fails where a part of the host is another than before, but for what sections of the list
// of exceptions allow.
func (m machine) isAs(t *testing.T, before proof.State, what string, sections ...string) {
	t.Helper()
	for _, difference := range before.Differences(m.look(t), proof.Except(sections...)) {
		t.Errorf("%s: %s: %s", m.Name, what, difference)
	}
}

// eventually waits until the condition holds: for so long, and for what a machine may take that has much else to do.
func eventually(t *testing.T, what string, within time.Duration, holds func() bool) {
	t.Helper()
	within += time.Minute
	for deadline := time.Now().Add(within); !holds(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %s", what, within)
		}
	}
}
