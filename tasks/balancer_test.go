package tasks

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"provision/internal/recipe"
	"provision/templates"
)

// All ports go by one check: what fails at one of them fails at all, and a visitor's two ports are of one server.
func TestBalancerConfiguration(t *testing.T) {
	built := build(t, Balancer(), recipe.Platforms()[0], map[string]any{"proxy_protocol": true})
	text := content(built, haproxyFile)
	for _, want := range []string{
		"server 192.0.2.21 192.0.2.21:80 check port 8080 send-proxy-v2\n",
		"server 192.0.2.22 192.0.2.22:80 check port 8080 send-proxy-v2 backup\n",
		"server 192.0.2.22 192.0.2.22:443 track servers-80/192.0.2.22 send-proxy-v2 backup\n",
		"use-server 192.0.2.22 if { str(active),map(/var/lib/provision-balancer/active.map) -m str 192.0.2.22 }\n",
		"bind 0.0.0.0:443\n", "option httpchk GET /health\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("haproxy.cfg has no %q:\n%s", want, text)
		}
	}
	if strings.Count(text, "option httpchk") != 1 {
		t.Errorf("more than one check:\n%s", text)
	}
}

func TestBalancerThroughTheFirewall(t *testing.T) {
	in := withTasks(input(t, Balancer(), recipe.Platforms()[0], nil), "firewall", "balancer")
	built, err := Balancer().Build(in)
	if err != nil {
		t.Fatal(err)
	}
	if rule := content(built, hostFirewallParts+"/balancer.nft"); !strings.Contains(rule, "tcp dport 80 accept") || !strings.Contains(rule, "tcp dport 443 accept") {
		t.Errorf("the rule: %q", rule)
	}
}

func TestBalancerIsRefused(t *testing.T) {
	for variable, raw := range map[string]map[string]any{
		"servers": {"servers": []any{"192.0.2.21"}},
		"ports":   {"ports": []any{}},
	} {
		if name, err := checkBalancer(values(t, Balancer(), raw)); err == nil || name != variable {
			t.Errorf("%v: %q, %v", raw, name, err)
		}
	}
}

func TestBalancerShellcheck(t *testing.T) { shellchecked(t, "balancer/balancer.sh.tmpl") }

// Of two that drain both servers at once, as two people who work on one each, one is refused: else nobody would serve.
func TestBalancerDrainsOneServer(t *testing.T) {
	dir := t.TempDir()
	text, err := templates.Render("balancer/balancer.sh.tmpl", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/etc/provision/balancer", "/var/lib/provision-balancer", "/run/provision-balancer"} {
		text = strings.ReplaceAll(text, path, dir)
	}
	for name, content := range map[string]string{
		"balancer.sh": text,
		"settings":    "FIRST=192.0.2.21 SECOND=192.0.2.22 CHECKED=servers CHECK='GET /'\n",
		"active.map":  "active 192.0.2.21\n",
		// haproxy is slow to say that both pass their checks and have no visitors: more time for the other.
		"socat": "#!/bin/sh\ncat >/dev/null\nsleep 0.2\nfor server in 192.0.2.21 192.0.2.22; do echo servers,$server,,,0,,,,,,,,,,,,,UP; done\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	var both sync.WaitGroup
	said, errs := make([]string, 2), make([]error, 2)
	for i, server := range []string{"192.0.2.21", "192.0.2.22"} {
		both.Go(func() {
			drain := exec.CommandContext(t.Context(), "sh", filepath.Join(dir, "balancer.sh"), "drain", server)
			drain.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"))
			out, err := drain.CombinedOutput()
			said[i], errs[i] = string(out), err
		})
	}
	both.Wait()
	if (errs[0] == nil) == (errs[1] == nil) || !strings.Contains(said[0]+said[1], " is drained: the visitors stay with ") {
		t.Errorf("both were drained, or none: %q, %v", said, errs)
	}
}
