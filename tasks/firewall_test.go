package tasks

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"provision/internal/recipe"
)

// rulesOf returns the rules for a host that says at which ports ssh is.
func rulesOf(t *testing.T, raw, graphite map[string]any, answer string) string {
	t.Helper()
	task := Firewall()
	in := input(t, task, recipe.Platforms()[0], raw)
	in.Of = func(string) recipe.Values { return values(t, Graphite(), graphite) }
	built, err := task.Build(in)
	if err != nil {
		t.Fatal(err)
	}
	for _, item := range built.Items {
		if item.Resource.ID() != "file:"+hostFirewallRules {
			continue
		}
		change, err := item.Resource.Diff(recipe.Facts{recipe.CommandKey(askSSHPorts): {Value: recipe.Command{Output: answer}}})
		if err != nil {
			t.Fatal(err)
		}
		return string(change.Diff.After)
	}
	t.Fatal("no rules")
	return ""
}

func TestFirewallRules(t *testing.T) {
	tests := []struct {
		name          string
		raw, graphite map[string]any
		answer        string
		want, lacks   []string
	}{
		{
			name: "defaults", answer: "22",
			want:  []string{"policy drop;", "tcp dport { 22 } accept", "tcp dport 80 accept", "tcp dport 443 accept"},
			lacks: []string{"flush", "reject", "2003"},
		},
		{
			name: "sshd elsewhere", answer: "2222\n22022", raw: map[string]any{"ssh_ports": []any{"22", "2222"}},
			want: []string{"tcp dport { 22, 2222, 22022 } accept"},
		},
		{name: "a host that does not say", want: []string{"tcp dport { 22 } accept"}},
		{
			name: "networks and ranges", raw: map[string]any{"policy": "reject", "allow": []any{"9000-9100/udp", "5432/tcp from 10.1.0.0/16", "53/udp from 2001:db8::/32"}},
			want:  []string{"\t\tudp dport 9000-9100 accept", "ip saddr 10.1.0.0/16 tcp dport 5432 accept", "ip6 saddr 2001:db8::/32 udp dport 53 accept", "reject"},
			lacks: []string{"dport 80 ", "dport 443 "},
		},
		{
			name: "graphite beside it", graphite: map[string]any{"carbon_listen": []any{"10.2.0.0/16"}, "carbon_pickle": true},
			want: []string{"ip saddr 10.2.0.0/16 tcp dport 2003 accept", "ip saddr 10.2.0.0/16 tcp dport 2004 accept"},
		},
		{name: "open", raw: map[string]any{"policy": "accept", "allow": []any{}}, want: []string{"policy accept;"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			rules := rulesOf(t, test.raw, test.graphite, test.answer)
			for _, want := range test.want {
				if !strings.Contains(rules, want) {
					t.Errorf("no %q in\n%s", want, rules)
				}
			}
			for _, lacks := range test.lacks {
				if strings.Contains(rules, lacks) {
					t.Errorf("%q is in\n%s", lacks, rules)
				}
			}
			checkRules(t, rules)
		})
	}
}

// checkRules asks nft, in a network of its own, where it is and may be run.
func checkRules(t *testing.T, rules string) {
	t.Helper()
	if _, err := exec.LookPath("nft"); err != nil || os.Geteuid() != 0 {
		return // the acceptance tests load them on real hosts
	}
	file := filepath.Join(t.TempDir(), "rules.nft")
	if err := os.WriteFile(file, []byte(rules), 0o600); err != nil {
		t.Fatal(err)
	}
	if output, err := exec.Command("unshare", "-n", "nft", "-c", "-f", file).CombinedOutput(); err != nil {
		t.Errorf("nft: %v: %s\n%s", err, output, rules)
	}
}

func TestFirewallRefuses(t *testing.T) {
	for name, raw := range map[string][]any{
		"allow": {"80", "80/icmp", "0/tcp", "70000/tcp", "90-80/tcp", "80/tcp from 10.0.0.1/8", "80/tcp from everywhere", "80/tcp accept; flush ruleset", "80/tcp\n", "80-70000/tcp",
			"80/tcp from 10.0.0.0/33", "80/tcp from 10.0.0.1", "80/tcp from 0.0.0.0/0", "80/tcp from ::ffff:10.0.0.0/104", "80/tcp from fe80::%eth0/64", "80/tcp from 10.0.0.0/8\n", ""},
		"ssh_ports": {"0", "65536", "022", "ssh", "22; accept"},
	} {
		for _, variable := range Firewall().Variables {
			for _, value := range raw {
				if variable.Name != name {
					continue
				}
				if got, err := variable.Decode([]any{value}); err == nil {
					t.Errorf("%s: %q is taken as %v", name, value, got)
				}
			}
		}
	}
}

// What is refused is shown by its beginning: an error is one line that can be read.
func TestLongPermissionIsShort(t *testing.T) {
	for _, check := range []func(string) error{allowed, port} {
		if err := check(strings.Repeat("a\n", 1500)); err == nil || len(err.Error()) > 300 || strings.Contains(err.Error(), "\n") {
			t.Errorf("said %v", err)
		}
	}
}
