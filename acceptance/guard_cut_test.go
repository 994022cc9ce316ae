package acceptance

import (
	"bytes"
	"fmt"
	"net"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// accidents is what the host of a guarded change does when it takes in its rules: what no
// variable lets through. The next time, as when the change is undone, it is over.
const accidents = `#!/bin/sh
/usr/sbin/nft -f /etc/provision/firewall.nft || exit
if nft list table inet accident >/dev/null 2>&1; then nft delete table inet accident; exit; fi
what=$(cat /root/accident)
rm -f /root/accident
[ -n "$what" ] || exit 0
nft 'add table inet accident; add chain inet accident in { type filter hook input priority -10; }; add chain inet accident out { type filter hook output priority -10; }'
# every connection that there is: ss has the peer's port in its last column
ports() { ss -Htn state established sport = :22 | sed 's/.*:\([0-9]*\)[^0-9]*$/\1/'; }
case $what in
shut) nft add rule inet accident in tcp dport 22 ct state new drop ;;
cut) for port in $(ports); do nft add rule inet accident in tcp sport $port drop; done ;;
both) for port in $(ports); do nft "add rule inet accident in tcp sport $port drop; add rule inet accident out tcp dport $port drop"; done ;;
sessions) for process in $(grep -l '^sshd[^:]*: root@' /proc/[0-9]*/cmdline); do process=${process%/*}; kill -9 ${process##*/}; done ;;
slow) sleep 5; nft delete table inet accident ;;
esac
`

// accident says what happens when the rules are taken in the next time: shut turns new
// connections away, cut drops what comes over those that there are, both drops what goes
// too, sessions ends all logins, so that both sides know, slow takes its time.
func (g guarded) accident(t *testing.T, what string) {
	t.Helper()
	g.feed(t, `[ -e /usr/local/lib/systemd/system/provision-firewall.service.d ] || {
	mkdir -p /usr/local/lib/systemd/system/provision-firewall.service.d
	cat >/usr/local/sbin/accidents && chmod 755 /usr/local/sbin/accidents
	printf '[Service]\nExecReload=\nExecReload=/usr/local/sbin/accidents\n' >/usr/local/lib/systemd/system/provision-firewall.service.d/accidents.conf
	systemctl daemon-reload
}
echo `+what+` >/root/accident`, accidents)
}

// noAccidents takes all of that away.
func (g guarded) noAccidents(t *testing.T) {
	t.Helper()
	g.run(t, "rm -rf /usr/local/lib/systemd/system /usr/local/sbin/accidents /root/accident; systemctl daemon-reload; nft delete table inet accident 2>/dev/null || :")
}

// allow is an option that changes the rules.
func allow(port int) string { return fmt.Sprintf("firewall.allow=[80/tcp, 443/tcp, %d/tcp]", port) }

// said collects what a command prints while it runs.
type said struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *said) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// begun starts an install of the firewall with other rules, and waits until it says
// something.
func (g guarded) begun(t *testing.T, port int, until string) (*exec.Cmd, *said) {
	t.Helper()
	c, output := command(t, "install", "firewall", "-y", "-v", "-H", g.Name, "-e", allow(port)), &said{}
	c.Stdout, c.Stderr = output, output
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, until, 30*time.Second, func() bool { return strings.Contains(output.String(), until) })
	return c, output
}

const confirming = "a new connection has to confirm"

// interrupted presses Ctrl-C while nobody can confirm a change that is live.
func (g guarded) interrupted(t *testing.T) {
	g.asBefore(t, func() {
		g.accident(t, "shut")
		c, output := g.begun(t, 8101, confirming)
		pressed := time.Now()
		c.Process.Signal(syscall.SIGINT)
		c.Wait()
		t.Logf("Ctrl-C once: ended after %s", time.Since(pressed).Round(10*time.Millisecond))
		text := output.String()
		if c.ProcessState.ExitCode() != 130 || !strings.Contains(text, "interrupted; the host has undone the change, and is as before") ||
			!strings.Contains(text, "the change to provision-firewall.service is undone") || strings.Contains(text, "survive") {
			t.Errorf("exit code %d\n%s", c.ProcessState.ExitCode(), text)
		}
	})
	g.asBefore(t, func() {
		g.accident(t, "shut")
		c, output := g.begun(t, 8102, confirming)
		pressed := time.Now()
		c.Process.Signal(syscall.SIGINT)
		time.Sleep(100 * time.Millisecond)
		c.Process.Signal(syscall.SIGINT)
		c.Wait()
		t.Logf("Ctrl-C twice: ended after %s", time.Since(pressed).Round(10*time.Millisecond))
		text := output.String()
		if c.ProcessState.ExitCode() != 130 || !strings.Contains(text, "interrupted; the host undoes the change by itself") {
			t.Errorf("exit code %d\n%s", c.ProcessState.ExitCode(), text)
		}
		g.undoneSoon(t)
	})
}

// tooLate stops the controller's clock, as that of a laptop that sleeps, until the host's time
// for a confirmation is over.
func (g guarded) tooLate(t *testing.T) {
	g.asBefore(t, func() {
		c, output := g.begun(t, 8103, "write /etc/provision/firewall.nft")
		c.Process.Signal(syscall.SIGSTOP)
		const armed = "/var/lib/provision/armed/provision-firewall.service/"
		eventually(t, "the reload to be journaled", time.Minute, func() bool {
			ended, _ := g.try("tail -n 1 /var/lib/provision/runs/$(ls /var/lib/provision/runs | tail -n 1)/journal", "")
			return strings.Contains(ended, `"status":0`) && strings.Contains(g.run(t, "cat "+armed+"live 2>/dev/null || :"), "\n")
		})
		time.Sleep(2 * time.Second)
		g.run(t, "echo 0 >"+armed+"live")
		eventually(t, "the change to be undone", 20*time.Second, func() bool {
			_, err := g.try("[ ! -e "+armed+" ]", "")
			return err == nil
		})
		c.Process.Signal(syscall.SIGCONT)
		c.Wait()
		if text := output.String(); c.ProcessState.ExitCode() != 3 || !strings.Contains(text, "it was not confirmed in time; the host has undone the change, and is as before") || strings.Contains(text, "the change stays") {
			t.Errorf("exit code %d\n%s", c.ProcessState.ExitCode(), text)
		}
	})
}

func (g guarded) undoneSoon(t *testing.T) {
	t.Helper()
	began := time.Now()
	eventually(t, "the change to be undone", 60*time.Second, func() bool {
		left, err := g.try("ls -d /var/lib/provision/armed /etc/systemd/system/provision-undo* 2>/dev/null; systemctl list-units --all --no-legend --plain 'provision-undo*'", "")
		return err == nil && strings.TrimSpace(left) == ""
	})
	t.Logf("undone after %s", time.Since(began).Round(100*time.Millisecond))
}

// cutOff makes changes that the connection they are made over does not survive, while new
// ones can be made: they stay.
func (g guarded) cutOff(t *testing.T) {
	for i, what := range []string{"cut", "both", "sessions"} {
		g.accident(t, what)
		began := time.Now()
		run := g.provision(t, "install", 0, "-y", "-v", "-e", allow(8110+i))
		took := time.Since(began)
		t.Logf("%s: confirmed over another connection, ended after %s", what, took.Round(100*time.Millisecond))
		if took > 40*time.Second {
			t.Errorf("%s: it took %s", what, took)
		}
		for _, want := range []string{"a new connection was made", "going on over a new one", "changed 2 "} {
			if !strings.Contains(run.stderr, want) {
				t.Errorf("%s: no %q in\n%s", what, want, run.stderr)
			}
		}
		g.run(t, "nft delete table inet accident")
		g.nothingLeft(t)
		if !strings.Contains(g.rules(t), fmt.Sprintf("tcp dport %d accept", 8110+i)) {
			t.Errorf("%s: the rules are %s", what, g.rules(t))
		}
		g.provision(t, "plan", 0, "--detailed-exitcode", "-e", allow(8110+i))
	}
	if journal := provision(t, "journal", "-H", g.Name).exits(t, 0).stdout; strings.Count(journal, ": cut off") != 3 {
		t.Errorf("the journal: %s", journal)
	}
}

// rolledBack takes a guarded change back, which is one itself.
func (g guarded) rolledBack(t *testing.T) {
	g.provision(t, "install", 0, "-y", "-e", allow(8120))
	g.asIs(t, allow(8120), func() {
		g.accident(t, "shut")
		run := g.provision(t, "rollback", 3, "-y", "--json")
		only(t, run.events(t), "restored", g.Name)
		back := `"event":"restored","unit":"provision-firewall.service","paths":["/etc/provision/firewall.nft"],"runs":true,"undone":true}`
		end := only(t, run.events(t), "finished", g.Name)
		if !strings.Contains(run.stdout, back) || end.Status != "failed" || end.Changed != 0 || !strings.Contains(end.Error, "the host has undone the change, and is as before") {
			t.Errorf("finished %+v\n%s", end, run.stdout)
		}
	})
	run := g.provision(t, "rollback", 0, "-y", "--json")
	if !strings.Contains(run.stdout, "a new connection was made") || strings.Contains(g.rules(t), "8120") {
		t.Errorf("after the rollback: %s\n%s", g.rules(t), run.stdout)
	}
	g.nothingLeft(t)
}

// asIs says that the host's rules, and what an install with an option wants, are as before.
func (g guarded) asIs(t *testing.T, option string, change func()) {
	t.Helper()
	rules := g.rules(t)
	change()
	g.nothingLeft(t)
	if after := g.rules(t); !sameTables(after, rules) {
		t.Errorf("the rules are\n%s\nwere\n%s", after, rules)
	}
	g.provision(t, "plan", 0, "--detailed-exitcode", "-e", option)
}

// second starts a run while another one's change is live and not confirmed.
func (g guarded) second(t *testing.T) {
	for _, killed := range []bool{false, true} {
		port := 8130
		if killed {
			port = 8131
		}
		g.accident(t, "slow")
		first, output := g.begun(t, port, "write /etc/provision/firewall.nft")
		time.Sleep(500 * time.Millisecond)
		if killed {
			first.Process.Kill()
		}
		began := time.Now()
		run := g.provision(t, "install", 0, "-y", "-e", allow(port))
		t.Logf("the first killed %v: the second ended after %s", killed, time.Since(began).Round(100*time.Millisecond))
		first.Wait()
		g.undoneSoon(t)
		if !strings.Contains(run.stderr, "is neither confirmed nor undone yet") || !killed && first.ProcessState.ExitCode() != 0 {
			t.Errorf("the second:\n%s\nthe first, %v:\n%s", run.stderr, first.ProcessState, output)
		}
		// What the first made is there for the second; what died with it was undone, and done anew.
		if want := map[bool]string{false: "changed 0 ", true: "changed 2 "}[killed]; !strings.Contains(run.stderr, want) {
			t.Errorf("no %q in\n%s", want, run.stderr)
		}
		g.nothingLeft(t)
		g.provision(t, "plan", 0, "--detailed-exitcode", "-e", allow(port))
	}
	g.noAccidents(t)
	g.provision(t, "install", 0, "-y")
}

// withGraphite opens carbon to this network in the same run as the firewall in front of it,
// and takes that back. One host is enough for it.
func (g guarded) withGraphite(t *testing.T) {
	if g.Suite != "bookworm" {
		return
	}
	both := func(t *testing.T, options ...string) string {
		t.Helper()
		return provision(t, append([]string{"install", "firewall", "graphite", "-y", "-v", "-H", g.Name}, options...)...).exits(t, 0).stderr
	}
	open := []string{"-e", "graphite.carbon_listen=[198.19.255.0/24]", "-e", allow(8140)}
	carbon := func(t *testing.T, want bool) {
		t.Helper()
		for port, lets := range map[string]bool{"2003": want, "2004": false, "80": true} {
			conn, err := net.DialTimeout("tcp", g.Address.String()+":"+port, time.Second)
			if err == nil {
				conn.Close()
			}
			if (err == nil) != lets {
				t.Errorf("port %s: %v", port, err)
			}
		}
	}
	text := both(t, open...)
	before, after, confirmed := strings.Cut(text, "the change stays")
	if !confirmed || strings.Contains(before, "carbon-cache.service ·") || !strings.Contains(after, "start carbon-cache.service ·") {
		t.Errorf("carbon was not started behind the firewall's change:\n%s", text)
	}
	carbon(t, true)
	if again := both(t, open...); !strings.Contains(again, "changed 0 ") {
		t.Errorf("again: %s", again)
	}
	both(t)
	carbon(t, false)
	g.provision(t, "rollback", 0, "-y")
	carbon(t, true)
	g.undoneSoon(t)
}

// TestFirewallRefusesBeforeItConnects has nobody behind its port: who connects ends with 4.
func TestFirewallRefusesBeforeItConnects(t *testing.T) {
	for option, want := range map[string]string{
		"firewall.allow=[0/tcp]":                             "has no port between 1 and 65535",
		"firewall.allow=[70000/tcp]":                         "has no port between 1 and 65535",
		"firewall.allow=[9000-8000/tcp]":                     "ends before it begins",
		"firewall.allow=[http/tcp]":                          "must be as 443/tcp",
		"firewall.allow=[80]":                                "want a string",
		"firewall.allow=80/tcp":                              "want a list",
		`firewall.allow=["80/tcp accept; flush ruleset"]`:    "must be as 443/tcp",
		`firewall.allow=["80/tcp from 10.0.0.1/33"]`:         "must be a network",
		`firewall.allow=["80/tcp from 10.1.2.3/8"]`:          "has bits behind its length",
		`firewall.allow=["80/tcp from ::ffff:10.0.0.0/104"]`: "write it as IPv4",
		`firewall.allow=["80/tcp from 0.0.0.0/0"]`:           "leave out from",
		"firewall.ssh_ports=[ssh]":                           "must be a port",
		`firewall.ssh_ports=["70000"]`:                       "must be a port",
		"firewall.policy=open":                               "is not one of drop, reject, accept",
	} {
		run := provision(t, "install", "firewall", "-y", "-H", "root@127.0.0.1:1", "-e", option)
		if run.code != 1 || !strings.Contains(run.stderr, want) {
			t.Errorf("%s: exit code %d, want 1 and %q:\n%s", option, run.code, want, run.stderr)
		}
	}
	provision(t, "install", "firewall", "-y", "-H", "root@127.0.0.1:1").exits(t, 4)
}
