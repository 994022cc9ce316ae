package acceptance

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"provision/internal/lab"
	"provision/internal/lab/labtest"
)

// aptInstalls is what apt has to do for Graphite, and no more.
const aptInstalls = `DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install graphite-carbon graphite-web uwsgi-core uwsgi-plugin-python3 nginx-light logrotate openssl >/dev/null </dev/null`

// TestFleet installs a task on many hosts with one command, of which one is down, one has no room and
// one's dpkg is held: the others are finished, the end says of each why, and after the repair @failed and
// @unreachable are those that are left.
func TestFleet(t *testing.T) {
	onItsDays(t, 3)
	t.Parallel()
	count, task, directory := 4, "nginx", "/etc/nginx"
	if os.Getenv("PROVISION_PROVE") == "all" {
		count, task, directory = 20, "graphite", "/etc/carbon"
	}
	l := labtest.Open(t)
	f := fleet{task: task, project: t.TempDir(), flags: []string{"-o", "UserKnownHostsFile=" + l.KnownHosts(), "-i", l.Identity()}}
	suite := slices.Sorted(maps.Keys(today(t)))[0]
	f.hosts = manyHosts(t, l, suite, count)
	if count > 4 {
		f.besideApt(t, l)
	}
	down, full, held, others := f.hosts[0], f.hosts[1], f.hosts[2], f.hosts[3:]
	if err := l.Down(t.Context(), down.Name); err != nil {
		t.Fatal(err)
	}
	full.run(t, "mkdir "+directory+" && mount -t tmpfs -o size=4k tmpfs "+directory)
	held.impatient(t)
	held.holdDpkg(t, 600)

	first := f.provision(t, "install", task, "-y", "-l", "fleet").exits(t, 3)
	for _, want := range []string{down.Name, full.Name, held.Name, "No space left on device", "held by process", fmt.Sprintf("%d hosts", count)} {
		if !strings.Contains(first.stderr, want) {
			t.Errorf("the end does not say %q:\n%s", want, tail(first.stderr, 6000))
		}
	}
	f.converged(t, names(others))
	if left := f.provision(t, "list", "-l", "@failed", "--list-hosts").exits(t, 0).stdout; strings.Join(strings.Fields(left), ",") != names(f.hosts[:3]) {
		t.Errorf("@failed are %q", left)
	}

	if _, err := l.Up(t.Context(), []string{down.Name}, ""); err != nil {
		t.Fatal(err)
	}
	full.run(t, "umount "+directory)
	held.run(t, "kill $(cat /var/tmp/held); rm /var/tmp/held /usr/sbin/apt-get")
	again := f.provision(t, "install", task, "-y", "-l", "@failed").exits(t, 0)
	for _, host := range others {
		if strings.Contains(again.stderr, host.Name) {
			t.Errorf("%s had not failed:\n%s", host.Name, again.stderr)
		}
	}
	f.provision(t, "verify", task, "-l", "fleet").exits(t, 0)
	f.converged(t, "fleet")
}

// fleet is many hosts in one inventory.
type fleet struct {
	task    string
	project string
	flags   []string
	hosts   []machine
}

// manyHosts boots hosts beside each other.
func manyHosts(t *testing.T, l *lab.Lab, suite string, count int) []machine {
	t.Helper()
	var all []string
	for i := range count {
		all = append(all, fmt.Sprintf("labfl%02d", i+1))
	}
	return boot(t, l, suite, all...)
}

// provision runs the command as the same person each time.
func (f fleet) provision(t *testing.T, args ...string) ended {
	t.Helper()
	inventory := "hosts:\n"
	for _, host := range f.hosts {
		inventory += fmt.Sprintf("  %s: {address: root@%s}\n", host.Name, host.Address)
	}
	inventory += "groups:\n  fleet: {hosts: [" + names(f.hosts) + "]}\n"
	writeProject(t, f.project, map[string]string{"hosts.yaml": inventory})
	if !slices.Contains(args, "--list-hosts") {
		args = append(args, f.flags...)
	}
	c := command(t, args...)
	c.Dir = f.project
	c.Env = slices.DeleteFunc(c.Env, func(entry string) bool { return strings.HasPrefix(entry, "HOME=") })
	c.Env = append(c.Env, "HOME="+f.project)
	return finish(t, c)
}

// converged reports how long it takes to find that nothing differs.
func (f fleet) converged(t *testing.T, limit string) {
	t.Helper()
	began := time.Now()
	f.provision(t, "plan", f.task, "--detailed-exitcode", "-l", limit).exits(t, 0)
	t.Logf("converged: %s of %s", time.Since(began).Round(10*time.Millisecond), limit)
}

// besideApt prints how long Graphite takes on all hosts, and how long apt alone does; then they are fresh.
func (f fleet) besideApt(t *testing.T, l *lab.Lab) {
	t.Helper()
	apt := timed(func() {
		var all sync.WaitGroup
		for _, host := range f.hosts {
			all.Go(func() {
				if _, err := host.try(aptInstalls, ""); err != nil {
					t.Errorf("%s: %v", host.Name, err)
				}
			})
		}
		all.Wait()
	})
	f.fresh(t, l)
	ours := timed(func() { f.provision(t, "install", f.task, "-y", "-l", "fleet").exits(t, 0) })
	t.Logf("apt alone on %d hosts at once %s, provision install graphite with its verify %s: %.2f times", len(f.hosts), apt, ours, ours.Seconds()/apt.Seconds())
	f.converged(t, "fleet")
	f.fresh(t, l)
}

func timed(do func()) time.Duration {
	began := time.Now()
	do()
	return time.Since(began).Round(100 * time.Millisecond)
}

// fresh throws away what is on the hosts.
func (f fleet) fresh(t *testing.T, l *lab.Lab) {
	t.Helper()
	for i, host := range f.hosts {
		again, err := l.Fresh(t.Context(), host.Name, "")
		if err != nil {
			t.Fatal(err)
		}
		f.hosts[i] = machine{again}
	}
}
