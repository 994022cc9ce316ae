package acceptance

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"provision/internal/lab/labtest"
)

// A window of two over hosts behind haproxy, asked all the time, loses no request: each host is drained while it
// is away, and brought back when it has passed its checks; so it is when that is rolled back. A change that breaks
// the service ends with its canary, which is as before and serves. Ten hosts with PROVISION_PROVE=all, else four.
func TestWindowBehindABalancer(t *testing.T) {
	onItsDays(t, 4)
	t.Parallel()
	number := 4
	if os.Getenv("PROVISION_PROVE") == "all" {
		number = 10
	}
	l := labtest.Open(t)
	if err := l.Seed(t.Context(), "trixie", []string{"haproxy", "socat", "nginx-light"}); err != nil {
		t.Fatal(err)
	}
	balancer := boot(t, l, "trixie", "labwinlb")[0]
	hosts := boot(t, l, "trixie", "labwin1")
	hosts[0].run(t, "DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install nginx-light </dev/null")
	if err := l.Checkpoint(t.Context(), "labwin1"); err != nil {
		t.Fatal(err)
	}
	inventory := fmt.Sprintf("hosts:\n  lb: {address: root@%s, tasks: [lb]}\n", balancer.Address)
	for n := range number {
		if n > 0 {
			hosts = append(hosts, machine{labtest.Clone(t, l, fmt.Sprintf("labwin%d", n+1), "labwin1")})
		}
		inventory += fmt.Sprintf("  web%d: {address: root@%s, tasks: [site]}\n", n+1, hosts[n].Address)
	}
	project := t.TempDir()
	if err := os.CopyFS(project, os.DirFS("testdata/window")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(project, "hosts.yaml"), []byte(inventory), 0o644); err != nil {
		t.Fatal(err)
	}
	do := func(code int, args ...string) ended {
		t.Helper()
		args = append(args, "--inventory", project+"/hosts.yaml")
		if args[0] != "list" {
			args = append(args, "-o", "UserKnownHostsFile="+l.KnownHosts(), "-i", l.Identity())
		}
		c := command(t, args...)
		c.Env = append(c.Env, "XDG_CACHE_HOME="+project)
		return finish(t, c).exits(t, code)
	}
	first := do(0, "install", "-y", "--json").events(t)
	if notes := drainedBy(first); len(notes) > 0 {
		t.Errorf("bare hosts were drained: %v", notes)
	}

	// visited changes all hosts, two at once, while they are asked.
	visited := func(args ...string) {
		t.Helper()
		visitors := crowdOf(t, "http://"+balancer.Address.String()+"/")
		began := time.Now()
		events := do(0, append(args, "-y", "-l", "web*", "--window", "2", "--json")...).events(t)
		took := time.Since(began)
		if most := mostAtOnce(events); most != 2 {
			t.Errorf("%s: %d hosts were changed at once", args[0], most)
		}
		if notes := drainedBy(events); len(notes) != number {
			t.Errorf("%s: drained: %v", args[0], notes)
		}
		all := visitors()
		t.Logf("%s: %d hosts in %s, two at once: %s", args[0], number, took.Round(100*time.Millisecond), all)
		if all.failed > 0 || all.asked < 50 {
			t.Errorf("%s: two at once: %s", args[0], all)
		}
	}
	answer := func(want string) {
		t.Helper()
		for n, host := range hosts {
			if answer := host.fetch(t, "http://127.0.0.1/"); answer != want {
				t.Errorf("web%d answers %q, want %q", n+1, answer, want)
			}
		}
	}
	visited("install", "-e", "site.version=2")
	answer("2")
	visited("rollback", "site")
	answer("1")
	if number > 4 {
		visited("do", "site", "restart")
	}

	visitors := crowdOf(t, "http://"+balancer.Address.String()+"/")
	broken := do(3, "install", "-y", "-l", "web*", "--canary", "1", "--window", "2", "-e", "site.version=2", "-e", "site.broken=true")
	if all := visitors(); all.failed > 0 || all.asked < 10 {
		t.Errorf("a canary broke: %s", all)
	}
	if !strings.Contains(broken.stderr, "stopped: web1 failed, and is a canary") || strings.Contains(broken.stderr, "stays drained") {
		t.Errorf("told %s", broken.stderr)
	}
	answer("1")
	if up := strings.Count(balancer.run(t, "echo show stat | socat - UNIX-CONNECT:/run/haproxy/admin.sock | grep ^site,web"), ",UP,"); up != number {
		t.Errorf("%d of %d servers have visitors", up, number)
	}
	if names := strings.Fields(do(0, "list", "-l", "@notbegun", "--list-hosts").stdout); len(names) != number-1 {
		t.Errorf("not begun: %v", names)
	}
	do(0, "plan", "-l", "web*", "--detailed-exitcode")
}

// crowdOf asks a URL all the time, each time on a connection of its own, until what it returns is called.
func crowdOf(t *testing.T, url string) (end func() visits) {
	t.Helper()
	client := http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	ask := func(ctx context.Context) error {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		answer, err := client.Do(request)
		if err != nil {
			return err
		}
		answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			return fmt.Errorf("status %d", answer.StatusCode)
		}
		return nil
	}
	var ends []func() visits
	for range 4 {
		ends = append(ends, visit(t.Context(), ask))
	}
	return func() (all visits) {
		for _, end := range ends {
			all = all.with(end())
		}
		return all
	}
}

// mostAtOnce is how many hosts were under way between the beginning of their changes and their end.
func mostAtOnce(events []event) int {
	under, most := map[string]bool{}, 0
	for _, e := range events {
		switch e.Event {
		case "applying":
			under[e.Host] = true
		case "finished":
			delete(under, e.Host)
		}
		most = max(most, len(under))
	}
	return most
}

// drainedBy are the hosts that were drained and then brought back.
func drainedBy(events []event) []string {
	var back []string
	drained := map[string]bool{}
	for _, e := range of(events, "note", "") {
		switch {
		case strings.HasPrefix(e.Text, "drained"):
			drained[e.Host] = true
		case strings.HasPrefix(e.Text, "undrained") && drained[e.Host]:
			back = append(back, e.Host)
		}
	}
	return back
}
