package tasks

import (
	"strings"
	"testing"

	"provision/internal/recipe"
	"provision/internal/resource"
)

// pairOf are the inputs of two hosts of hosts.yaml, with variables of each.
func pairOf(t *testing.T, first, second map[string]any) (one, other recipe.Input) {
	t.Helper()
	vars := func(raw map[string]any) recipe.Values {
		all := map[string]any{"address": "10.1.2.100/24"}
		for name, value := range raw {
			all[name] = value
		}
		return values(t, Failover(), all)
	}
	peers := []recipe.Peer{
		{Listed: recipe.Listed{Name: "web1", Address: "10.1.2.9"}, Vars: vars(first)},
		{Listed: recipe.Listed{Name: "web2", Address: "10.1.2.3"}, Vars: vars(second)},
	}
	of := func(i int) recipe.Input {
		in := input(t, Failover(), recipe.Platforms()[0], nil)
		in.Vars, in.Host = peers[i].Vars, recipe.HostOf(peers[i].Listed, recipe.Platforms()[0])
		in.Peers = func(string) ([]recipe.Peer, error) { return peers, nil }
		return in
	}
	return of(0), of(1)
}

// written is the content of a file of a recipe.
func written(t *testing.T, in recipe.Input, path string) string {
	t.Helper()
	built, err := Failover().Build(in)
	if err != nil {
		t.Fatal(err)
	}
	for _, item := range built.Items {
		if file, ok := item.Resource.(resource.File); ok && file.Path == path {
			return file.Content
		}
	}
	return ""
}

// The two hosts find each other, and agree on which is the primary and where each asks.
func TestFailoverPair(t *testing.T) {
	one, other := pairOf(t, nil, map[string]any{"own_address": "10.1.2.4"})
	for _, row := range []struct {
		in            recipe.Input
		configuration []string
		settings      []string
	}{
		{one, []string{"unicast_src_ip 10.1.2.9\n", "unicast_peer {\n        10.1.2.4 min_ttl 255\n", "priority 150\n", "10.1.2.100/24 dev eth0"}, []string{"PRIMARY=yes", "PEER_CHECK=http://10.1.2.4:8080/health", "ADDRESS_CHECK=http://10.1.2.100:8080/health"}},
		{other, []string{"unicast_src_ip 10.1.2.4\n", "unicast_peer {\n        10.1.2.9 min_ttl 255\n", "priority 100\n"}, []string{"PRIMARY=''", "PEER_CHECK=http://10.1.2.9:8080/health"}},
	} {
		for path, wants := range map[string][]string{keepalivedFile: append(row.configuration, "nopreempt", "state BACKUP", "\n    check_unicast_src\n"), failoverDirectory + "/settings": row.settings} {
			text := written(t, row.in, path)
			for _, want := range wants {
				if !strings.Contains(text, want) {
					t.Errorf("%s of %s has no %q:\n%s", path, row.in.Host.Name(), want, text)
				}
			}
		}
	}
}

// Where the host has the firewall, the other's advertisements pass: unheard, both would have the address.
func TestFailoverThroughTheFirewall(t *testing.T) {
	one, other := pairOf(t, nil, nil)
	one = withTasks(one, "firewall", "failover")
	if rule := written(t, one, hostFirewallParts+"/failover.nft"); !strings.Contains(rule, "\nip saddr 10.1.2.3 meta l4proto 112 accept\n") {
		t.Errorf("the rule: %q", rule)
	}
	if rule := written(t, other, hostFirewallParts+"/failover.nft"); rule != "" {
		t.Errorf("without the firewall there is a rule: %q", rule)
	}
}

func TestFailoverIsRefused(t *testing.T) {
	for name, row := range map[string]struct {
		change func(*recipe.Input)
		says   string
	}{
		"alone":            {func(in *recipe.Input) { in.Peers = nil }, "hosts.yaml gives it to 0"},
		"a name":           {func(in *recipe.Input) { in.Peers = renamed(t, *in, "web2.example.org") }, `web2 is known as "web2.example.org"`},
		"itself":           {func(in *recipe.Input) { in.Vars["peer"] = "10.1.2.9" }, "10.1.2.9 is this host"},
		"a host's address": {func(in *recipe.Input) { in.Vars["address"] = "10.1.2.3/24" }, "is a host's own"},
		"no default route": {func(in *recipe.Input) {
			in.Ask = func(recipe.Probe, string) (recipe.Said, bool) { return recipe.Said{}, true }
		}, "no default route"},
		"a broken question": {func(in *recipe.Input) {
			in.Ask = func(recipe.Probe, string) (recipe.Said, bool) { return recipe.Said{Problem: "no ip"}, true }
		}, "interface: no ip"},
	} {
		one, _ := pairOf(t, nil, nil)
		row.change(&one)
		if _, err := Failover().Build(one); err == nil || !strings.Contains(err.Error(), row.says) {
			t.Errorf("%s: %v, want %q", name, err, row.says)
		}
	}
}

// renamed are the peers of an input, the other with another address.
func renamed(t *testing.T, in recipe.Input, address string) func(string) ([]recipe.Peer, error) {
	t.Helper()
	peers, err := in.Peers("failover")
	if err != nil {
		t.Fatal(err)
	}
	peers = append(peers[:1:1], peers[1])
	peers[1].Address = address
	return func(string) ([]recipe.Peer, error) { return peers, nil }
}

// The scripts are POSIX sh, as all that runs on a host; what they read is made beside them.
func TestFailoverShellcheck(t *testing.T) {
	for _, name := range []string{"failover/failover.sh.tmpl", "failover/check.sh.tmpl", "failover/content.sh.tmpl"} {
		shellchecked(t, name)
	}
}
