package tasks

import (
	"strings"
	"testing"

	"provision/internal/recipe"
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
