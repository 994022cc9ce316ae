package acceptance

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"provision/internal/lab/labtest"
	"provision/internal/proof"
)

// nobody is an address of the test lab's network where no host is.
const nobody = "198.19.255.250"

// TestGraphite takes one host of each release from bare to Graphite and through all that a
// user does with it, in one run of the command where that is possible, with a third host
// that is down.
func TestGraphite(t *testing.T) {
	t.Parallel()
	l := labtest.Open(t)
	hosts := append(boot(t, l, "bookworm", "labacc12"), boot(t, l, "trixie", "labacc13")...)
	for _, host := range hosts {
		// So that sshd tells of each command that it starts.
		host.run(t, "echo 'LogLevel VERBOSE' >/etc/ssh/sshd_config.d/00verbose.conf; systemctl reload ssh")
	}
	bare := map[string]proof.State{}
	for _, host := range hosts {
		bare[host.Name] = host.look(t)
	}
	var planned []event
	ok := t.Run("plan changes nothing", func(t *testing.T) { planned = planChangesNothing(t, hosts, bare) }) &&
		t.Run("install", func(t *testing.T) { installBesideOneThatIsDown(t, hosts, bare, planned) })
	if !ok {
		return
	}
	for i, host := range hosts {
		other := hosts[1-i]
		t.Run(host.Suite, func(t *testing.T) {
			t.Parallel()
			useGraphite(t, l.Identity(), l.KnownHosts(), host, other)
		})
	}
}

func useGraphite(t *testing.T, identity, known string, host, other machine) {
	steps := []struct {
		name string
		test func(*testing.T, machine)
	}{
		{"verifies beside an install", verifiesHoldBesideAnInstall},
		{"the password", passwordIsAsked},
		{"a second install", secondInstallOnlyAsks},
		{"a burst of new names", burstLosesNothing},
		{"counts are summed", countsAreSummed},
		{"a line too many", oneLineIsShownAndRepaired},
		{"carbon killed", carbonComesBack},
		{"other users", func(t *testing.T, host machine) { otherUsers(t, identity, known, host, other) }},
		{"variables turned off", offLeavesNothing},
		{"a browser", browserSeesPages},
		{"logs", noErrorInLogs},
	}
	for _, step := range steps {
		if !t.Run(step.name, func(t *testing.T) { step.test(t, host) }) {
			return
		}
	}
}

func names(hosts []machine) string {
	var names []string
	for _, host := range hosts {
		names = append(names, host.Name)
	}
	return strings.Join(names, ",")
}

func planChangesNothing(t *testing.T, hosts []machine, bare map[string]proof.State) []event {
	processes := map[string][]string{}
	for _, host := range hosts {
		processes[host.Name] = host.processes(t)
	}
	events := provision(t, "plan", "graphite", "--json", "-H", names(hosts)).exits(t, 0).events(t)
	for _, host := range hosts {
		eventually(t, host.Name+": the processes of before", 10*time.Second, func() bool {
			return slices.Equal(processes[host.Name], host.processes(t))
		})
		host.isAs(t, bare[host.Name], "by the plan", "debian")
		if status := only(t, events, "finished", host.Name).Status; status != "pending" {
			t.Errorf("%s: status %q, want pending", host.Name, status)
		}
	}
	return events
}

// installBesideOneThatIsDown installs on all hosts and one that is down, and compares what
// happened with what was planned.
func installBesideOneThatIsDown(t *testing.T, hosts []machine, bare map[string]proof.State, planned []event) {
	var watches []func() map[string]time.Duration
	for _, host := range hosts {
		watches = append(watches, host.watchListeners(t))
	}
	run := provision(t, "install", "graphite", "-y", "--json", "-H", names(hosts)+","+nobody)
	for i, host := range hosts {
		for listener, after := range watches[i]() {
			if listener != "tcp/0.0.0.0:22" && listener != "tcp/[::]:22" && listener != "tcp/0.0.0.0:80" && listener != "tcp/[::]:80" {
				t.Errorf("%s: %s listened, first %s into the install", host.Name, listener, after)
			}
		}
	}
	events := run.exits(t, 4).events(t)
	if status := only(t, events, "finished", nobody).Status; status != "unreachable" {
		t.Errorf("%s: status %q, want unreachable", nobody, status)
	}
	if want, got := "provision install graphite -y --json -H "+nobody, only(t, events, "summary", "").Again; got != want {
		t.Errorf("again: %q, want %q", got, want)
	}
	for _, host := range hosts {
		if status := only(t, events, "finished", host.Name).Status; status != "changed" {
			t.Errorf("%s: status %q, want changed", host.Name, status)
		}
		compareWithPlan(t, host, planned, events)
		everyFileWasShown(t, host, bare[host.Name], only(t, planned, "plan", host.Name))
	}
}

// passwordIsAsked looks from outside, with and without the password that only the host has.
func passwordIsAsked(t *testing.T, host machine) {
	web := host.web(t)
	for path, want := range map[string]int{"/": 200, "/dashboard/": 200, "/composer/": 200, "/render?target=x": 200, "/admin/login/": 200, "/static/css/dashboard.css": 200, "/healthz": 200} {
		if status, _ := web.get(t, path); status != want {
			t.Errorf("%s with the password: %d, want %d", path, status, want)
		}
		if path == "/healthz" {
			continue
		}
		if status, _ := (website{base: web.base}).get(t, path); status != 401 {
			t.Errorf("%s without the password: %d, want 401", path, status)
		}
	}
}

// state is what a run that only reads leaves alone.
func (m machine) state(t *testing.T) string {
	t.Helper()
	return m.run(t, `systemctl show -p MainPID,ActiveEnterTimestampMonotonic,NRestarts carbon-cache graphite-web nginx
cd /var/lib/provision && find . -printf '%p %y %m %s %T@ %C@ %i\n' | sort`)
}

// lastLogin counts the commands that the newest connection of root's has started, by
// sshd's own account.
func (m machine) lastLogin(t *testing.T) int {
	t.Helper()
	log := m.run(t, "journalctl --sync; journalctl -q -o cat")
	logins := regexp.MustCompile(`Accepted publickey for root from \S+ port (\d+)`).FindAllStringSubmatch(log, -1)
	if len(logins) == 0 {
		t.Fatal("sshd tells of no login")
	}
	port := logins[len(logins)-1][1]
	return len(regexp.MustCompile(`Starting session: command for root from \S+ port `+port+" ").FindAllString(log, -1))
}

func secondInstallOnlyAsks(t *testing.T, host machine) {
	before := host.state(t)
	events := provision(t, "install", "graphite", "-y", "--json", "-H", host.Name).exits(t, 0).events(t)
	end := only(t, events, "finished", host.Name)
	if end.Status != "same" || end.Changed != 0 || end.Same == 0 {
		t.Errorf("finished: %+v", end)
	}
	if after := host.state(t); after != before {
		t.Errorf("state of the host before\n%s\nafter\n%s", before, after)
	}
	if asked := host.lastLogin(t); asked != 1 {
		t.Errorf("%d commands over SSH, want 1", asked)
	}
	converged(t, host, "graphite")
	human := provision(t, "install", "graphite", "-y", "-H", host.Name).exits(t, 0)
	if !strings.Contains(human.stdout+human.stderr, "changed 0") {
		t.Errorf("no \"changed 0\" in\n%s%s", human.stdout, human.stderr)
	}
}

// oneLineIsShownAndRepaired is the line that somebody added by hand.
func oneLineIsShownAndRepaired(t *testing.T, host machine) {
	host.send(t, "acceptance.kept 42 %d", time.Now().Unix())
	web := host.web(t)
	eventually(t, "the metric", 15*time.Second, func() bool { return web.hasValue(t, "acceptance.kept", "42.0") })
	time.Sleep(2 * time.Second) // carbon writes what it was sent within a second or so; a restart loses what it has not

	const path = "/etc/carbon/storage-schemas.conf"
	good := host.read(t, path)
	host.run(t, "echo x >> "+path)
	events := provision(t, "plan", "graphite", "--detailed-exitcode", "--json", "-H", host.Name).exits(t, 2).events(t)
	for _, r := range only(t, events, "plan", host.Name).Resources {
		switch {
		case r.Resource == "file:"+path:
			if lines := changedLines(r.Content.Diff); len(lines) != 1 || lines[0] != "-x" {
				t.Errorf("the diff shows %q, want -x", lines)
			}
		case r.Kind != "same" && r.Resource != "service:carbon-cache.service":
			t.Errorf("%s is to be changed too: %s", r.Resource, r.Kind)
		}
	}
	text := provision(t, "plan", "graphite", "-H", host.Name).exits(t, 0).stdout
	if lines := regexp.MustCompile(`(?m)^ *│ [-+] ?.*$`).FindAllString(text, -1); len(lines) != 1 || !strings.HasSuffix(lines[0], "- x") {
		t.Errorf("people are shown %q, want the line x alone, in\n%s", lines, text)
	}
	before := host.mainPIDs(t, "carbon-cache", "graphite-web", "nginx")
	provision(t, "install", "graphite", "-y", "-H", host.Name).exits(t, 0)
	after := host.mainPIDs(t, "carbon-cache", "graphite-web", "nginx")
	for unit, pid := range before {
		if restarted := after[unit] != pid; restarted != (unit == "carbon-cache") {
			t.Errorf("%s restarted: %v", unit, restarted)
		}
	}
	if repaired := host.read(t, path); repaired != good {
		t.Errorf("%s is now\n%s", path, repaired)
	}
	eventually(t, "the metric of before", 10*time.Second, func() bool { return web.hasValue(t, "acceptance.kept", "42.0") })
}

// changedLines are the lines of a unified diff that were added or removed.
func changedLines(diff string) []string {
	var lines []string
	for line := range strings.Lines(diff) {
		line = strings.TrimSuffix(line, "\n")
		if (strings.HasPrefix(line, "+") || strings.HasPrefix(line, "-")) && !strings.HasPrefix(line, "+++ ") && !strings.HasPrefix(line, "--- ") {
			lines = append(lines, line)
		}
	}
	return lines
}

func noErrorInLogs(t *testing.T, host machine) {
	access := host.run(t, `cat /var/log/nginx/access.log`)
	for line := range strings.Lines(access) {
		if strings.Contains(line, `" 500 `) || strings.Contains(line, `" 502 `) {
			t.Errorf("nginx: %s", line)
		}
	}
	if text := host.run(t, `cat /var/log/graphite/*.log /var/log/nginx/error.log 2>/dev/null | grep -e Traceback -e 'Internal Server Error' -e '\[crit\]' -e '\[emerg\]' || :`); text != "" {
		t.Errorf("logs: %s", text)
	}
	if failed := host.run(t, "systemctl list-units --failed --no-legend --plain"); failed != "" {
		t.Errorf("failed units: %s", failed)
	}
}
