package acceptance

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"provision/internal/lab"
	"provision/internal/lab/labtest"
)

// hostNamed finds a host of the test lab.
func hostNamed(name string) (machine, error) {
	l, err := lab.Open(labtest.Config())
	if err != nil {
		return machine{}, err
	}
	host, err := l.Host(name)
	return machine{host}, err
}

// TestFault15 changes the packet filter so that nobody gets in any more, and kills the
// controller, and reboots the host, before the change is confirmed: each time the host
// is as before, with nothing left over, and the next run converges.
func TestFault15ChangeThatCutsTheConnectionIsUndone(t *testing.T) {
	t.Parallel()
	onEach(t, today(t), "labguard", bare, func(t *testing.T, l *lab.Lab, host machine) {
		guarded{host, l.Identity(), l.KnownHosts()}.all(t)
	})
}

type guarded struct {
	machine
	identity, known string
}

func (g guarded) all(t *testing.T) {
	g.run(t, "DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install nftables </dev/null && "+
		"nft 'add table inet other; add chain inet other mine; add rule inet other mine tcp dport 9999 counter'")
	steps := []struct {
		name string
		test func(*testing.T)
	}{
		{"confirmed, and it stays", g.confirmed},
		{"shut out", g.shutOut},
		{"controller killed", g.killed},
		{"controller killed, and run again at once", g.runAgain},
		{"interrupted", g.interrupted},
		{"confirmed too late", g.tooLate},
		{"its own connection cut", g.cutOff},
		{"rolled back", g.rolledBack},
		{"a second controller", g.second},
		{"rebooted", g.rebooted},
		{"turned off", g.off},
		{"with graphite", g.withGraphite},
	}
	for _, step := range steps {
		if !t.Run(step.name, step.test) {
			state, _ := g.try("journalctl -q -b -n 60 -o short-monotonic; cd /var/lib/provision; ls -lR armed; tail -n 20 armed/*/*; systemctl list-timers --all; systemctl status 'provision*'; cat /proc/uptime; cat runs/*/journal | tail -n 20", "")
			t.Log(state)
			return
		}
	}
}

func (g guarded) provision(t *testing.T, verb string, code int, args ...string) ended {
	t.Helper()
	return provision(t, append([]string{verb, "firewall", "-H", g.Name}, args...)...).exits(t, code)
}

// rules are those of the packet filter, without what changes with each packet.
func (g guarded) rules(t *testing.T) string {
	t.Helper()
	return g.run(t, "nft -s list ruleset")
}

// nothingLeft says that no part of the undoing is there any more, and that the firewall is
// what an install wants.
func (g guarded) nothingLeft(t *testing.T) {
	t.Helper()
	for _, path := range []string{"var/lib/provision/armed", "var/lib/provision/undo", "var/lib/provision/daemon-reload"} {
		if _, err := os.Lstat(filepath.Join(g.Root(), path)); err == nil {
			t.Errorf("%s is left", path)
		}
	}
	if left := g.run(t, "systemctl list-units --all --no-legend --plain 'provision-undo*'; find /etc/systemd /run/systemd /var/lib/provision/pending -name 'provision-*' ! -name provision-firewall.service; find / -xdev -name '.provision-[0-9]*' -not -path '/proc/*'"); left != "" {
		t.Errorf("left: %s", left)
	}
}

func (g guarded) confirmed(t *testing.T) {
	began := time.Now()
	run := g.provision(t, "install", 0, "-y", "--json")
	t.Logf("the first install took %s", time.Since(began).Round(10*time.Millisecond))
	if !strings.Contains(run.stdout, "a new connection was made") {
		t.Errorf("nothing is said of the new connection: %s", tail(run.stdout, 3000))
	}
	g.nothingLeft(t)
	g.provision(t, "plan", 0, "--detailed-exitcode")
	rules := g.rules(t)
	for _, want := range []string{"table inet provision {", "tcp dport 22 accept", "tcp dport 80 accept", "table inet other {", "tcp dport 9999 counter"} {
		if !strings.Contains(rules, want) {
			t.Errorf("no %q in %s", want, rules)
		}
	}
	// What was confirmed stays, also after a reboot.
	g.reboot(t)
	g.run(t, "nft 'add table inet other; add chain inet other mine; add rule inet other mine tcp dport 9999 counter'")
	if after := g.rules(t); !sameTables(rules, after) {
		t.Errorf("after a reboot: %s\nbefore: %s", after, rules)
	}
	g.provision(t, "plan", 0, "--detailed-exitcode")
	g.asAdmin(t)
}

// asAdmin asks as somebody with sudo: the ports of ssh are then found behind it.
func (g guarded) asAdmin(t *testing.T) {
	t.Helper()
	provision(t, "plan", "firewall", "--detailed-exitcode", "-H", "admin@"+g.Address.String(),
		"-F", "none", "-i", g.identity, "-o", "UserKnownHostsFile="+g.known).exits(t, 0)
}

// sameTables compares rulesets without the order of their tables.
func sameTables(a, b string) bool {
	split := func(text string) map[string]bool {
		tables := map[string]bool{}
		for _, table := range strings.Split(text, "\n}\n") {
			tables[strings.TrimSpace(table)] = true
		}
		return tables
	}
	one, other := split(a), split(b)
	for table := range one {
		if !other[table] {
			return false
		}
	}
	return len(one) == len(other)
}

// reboot restarts the host as a loss of power would, and waits until ssh is there.
func (g guarded) reboot(t *testing.T) {
	t.Helper()
	before, err := g.Leader()
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	g.try("systemctl reboot -ff", "")
	eventually(t, "another boot with ssh", 60*time.Second, func() bool {
		leader, err := g.Leader()
		return err == nil && leader != before && g.letsIn()
	})
	eventually(t, "systemd to be done", 30*time.Second, func() bool {
		state, _ := g.try("systemctl is-system-running", "")
		return strings.TrimSpace(state) == "running" || strings.TrimSpace(state) == "degraded"
	})
	t.Logf("rebooted in %s", time.Since(began).Round(10*time.Millisecond))
}

// letsIn says whether sshd can be reached.
func (g guarded) letsIn() bool {
	conn, err := net.DialTimeout("tcp", g.Address.String()+":22", 300*time.Millisecond)
	if err != nil {
		return false
	}
	conn.Close()
	return true
}

// asBefore runs something and says that the host's rules and file are as before at its end.
func (g guarded) asBefore(t *testing.T, change func()) {
	t.Helper()
	rules, file := g.rules(t), g.read(t, "/etc/provision/firewall.nft")
	change()
	g.nothingLeft(t)
	if after := g.read(t, "/etc/provision/firewall.nft"); after != file {
		t.Errorf("the file is %s", after)
	}
	if after := g.rules(t); !sameTables(after, rules) {
		t.Errorf("the rules are\n%s\nwere\n%s", after, rules)
	}
	g.provision(t, "plan", 0, "--detailed-exitcode")
}

// outage measures for how long nobody got in.
func (g guarded) outage(t *testing.T, within time.Duration) {
	t.Helper()
	eventually(t, "nobody to get in", 5*time.Second, func() bool { return !g.letsIn() })
	began := time.Now()
	eventually(t, "somebody to get in", within, g.letsIn)
	t.Logf("nobody got in for %s", time.Since(began).Round(100*time.Millisecond))
}

func (g guarded) shutOut(t *testing.T) {
	g.asBefore(t, func() {
		began := time.Now()
		c := startController(t, g.machine, g.identity, g.known, shutOut)
		c.until(t, "ended: reload provision-firewall.service", 30*time.Second)
		g.outage(t, 60*time.Second)
		end := c.until(t, "finished: ", 60*time.Second)
		if !strings.HasPrefix(end, "finished: failed, undone true") {
			t.Errorf("the controller: %s", end)
		}
		t.Logf("the whole run took %s", time.Since(began).Round(100*time.Millisecond))
	})
}

func (g guarded) killed(t *testing.T) {
	for _, step := range []string{"ended: arm ", "ended: write /etc/provision/firewall.nft", "ended: reload "} {
		g.asBefore(t, func() {
			c := startController(t, g.machine, g.identity, g.known, shutOut)
			c.until(t, step, 30*time.Second)
			c.Process.Kill()
			began := time.Now()
			eventually(t, "the change to be undone", 100*time.Second, func() bool {
				_, err := os.Stat(filepath.Join(g.Root(), "etc/systemd/system/provision-undo.service"))
				return os.IsNotExist(err) && g.letsIn()
			})
			t.Logf("killed after %q, undone after %s", step, time.Since(began).Round(100*time.Millisecond))
			eventually(t, "the timer to be gone", 10*time.Second, func() bool {
				return g.run(t, "systemctl list-units --all --no-legend --plain 'provision-undo*'") == ""
			})
		})
	}
}

// runAgain kills the controller when the change is live and lets everybody in, and runs the
// command at once: it answers for what the dead run has armed.
func (g guarded) runAgain(t *testing.T) {
	g.asBefore(t, func() {
		c := startController(t, g.machine, g.identity, g.known, wider)
		c.until(t, "ended: reload ", 30*time.Second)
		c.Process.Kill()
		again := provision(t, "install", "firewall", "-y", "-H", g.Name)
		if again.code == 5 { // the host undid the change while the plan was made
			again = provision(t, "install", "firewall", "-y", "-H", g.Name)
		}
		again.exits(t, 0)
		eventually(t, "the timer to be gone", 20*time.Second, func() bool {
			return g.run(t, "systemctl list-units --all --no-legend --plain 'provision-undo*'") == ""
		})
	})
}

func (g guarded) rebooted(t *testing.T) {
	g.asBefore(t, func() {
		c := startController(t, g.machine, g.identity, g.known, shutOut)
		c.until(t, "ended: reload ", 30*time.Second)
		g.reboot(t)
		c.Process.Kill()
		if ran := g.run(t, "journalctl -b -q -o cat -u provision-undo-boot.service"); !strings.Contains(ran, "provision-undo") && !strings.Contains(ran, "Undoing") {
			t.Errorf("the boot unit did not run: %s", ran)
		}
		g.run(t, "nft 'add table inet other; add chain inet other mine; add rule inet other mine tcp dport 9999 counter'")
	})
}

func (g guarded) off(t *testing.T) {
	before := g.rules(t)
	g.provision(t, "install", 0, "-y", "-e", "firewall.enabled=false")
	g.nothingLeft(t)
	after := g.rules(t)
	if strings.Contains(after, "table inet provision ") || !strings.Contains(after, "table inet other ") {
		t.Errorf("the rules are\n%s\nwere\n%s", after, before)
	}
	if left := g.run(t, "ls /etc/systemd/system/*provision* /etc/systemd/system/*/*provision* /etc/provision/*.nft 2>/dev/null; :"); left != "" {
		t.Errorf("left: %s", left)
	}
	g.provision(t, "plan", 0, "--detailed-exitcode", "-e", "firewall.enabled=false")
}
