package tasks

import (
	"slices"
	"strings"
	"testing"

	"provision/internal/recipe"
	"provision/internal/resource"
)

// withContent is the input of the first of a pair, which has content, and knows what the other exports.
func withContent(t *testing.T, exported recipe.Said, raw map[string]any) recipe.Input {
	t.Helper()
	settings := map[string]any{"content": "/srv/shop/files"}
	for name, value := range raw {
		settings[name] = value
	}
	in, _ := pairOf(t, settings, nil)
	in.Exported = func(peer, task, export string) (recipe.Said, bool) {
		if peer != "web2" || task != "failover" || export != "certificate" {
			t.Errorf("asks %s for %s of %s", peer, export, task)
		}
		return exported, true
	}
	return in
}

// Until the other host has a certificate nothing runs that could let anybody in, and this one makes its own.
func TestFailoverContentFromBare(t *testing.T) {
	in := withContent(t, recipe.Said{Problem: recipe.NotYet}, nil)
	built, err := Failover().Build(in)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, item := range built.Items {
		ids = append(ids, item.Resource.ID())
	}
	if !slices.Contains(ids, "certificate:"+failoverCertificate) || slices.Contains(ids, "service:"+failoverSourceUnit) || slices.Contains(ids, "service:"+failoverCopyUnit) {
		t.Errorf("without the other's certificate it has %s", ids)
	}
	built.Label("failover")
	if err := built.Validate(); err != nil {
		t.Error(err)
	}
	if made := checks(t, Failover(), in); made[len(made)-1].Name != "the other host is known" {
		t.Errorf("verify ends with %q", made[len(made)-1].Name)
	}
}

func TestFailoverContent(t *testing.T) {
	in := withTasks(withContent(t, recipe.Said{Text: certificateOf(t, "web2")}, map[string]any{"content_owner": "shop"}), "firewall", "failover")
	for path, wants := range map[string][]string{
		failoverTrusted:                             {whole(certificateOf(t, "web2"))},
		failoverStunnel:                             {"accept = 10.1.2.9:8874\n", "verifyPeer = yes"},
		failoverDirectory + "/rsyncd.conf":          {"path = /srv/shop/files\n", "read only = yes"},
		failoverDirectory + "/settings":             {"CONTENT=/srv/shop/files\n", "CONTENT_EVERY=5"},
		hostFirewallParts + "/failover-content.nft": {"ip saddr 10.1.2.3/32 tcp dport 8874 accept"},
		"/etc/systemd/system/" + failoverSourceUnit: {"User=shop\n", "LoadCredential=key.pem:" + failoverKey},
		"/etc/systemd/system/" + failoverCopyUnit:   {"User=shop\n", "ReadWritePaths=/srv/shop/files /var/lib/provision-failover\n", "ProtectSystem=strict"},
	} {
		text := written(t, in, path)
		for _, want := range wants {
			if !strings.Contains(text, want) {
				t.Errorf("%s has no %q:\n%s", path, want, text)
			}
		}
	}
	built, err := Failover().Build(in)
	if err != nil {
		t.Fatal(err)
	}
	for _, item := range built.Items {
		if directory, ok := item.Resource.(resource.Directory); ok && directory.Path == failoverState && directory.Mode != 0o700 {
			t.Errorf("what is kept is open to others: %+v", directory)
		}
	}
}

// Two certificates would let in somebody else; and what is read as root is no content.
func TestFailoverContentIsRefused(t *testing.T) {
	two := withContent(t, recipe.Said{Text: certificateOf(t, "web2") + certificateOf(t, "web1")}, nil)
	if _, err := Failover().Build(two); err == nil || !strings.Contains(err.Error(), "must be one certificate") {
		t.Errorf("two certificates: %v", err)
	}
	for variable, texts := range map[string][]string{
		"content":       {"/", "/srv", "/etc/shop", "/home/shop/files", "/srv/../etc/x", "/srv//x", "/srv/a b", "/srv/%HOME%", "srv/x"},
		"content_owner": {"root", "a b", ""},
	} {
		for _, v := range Failover().Variables {
			for _, text := range texts {
				if v.Name != variable {
					continue
				}
				if _, err := v.Decode(text); err == nil {
					t.Errorf("%s: %q is taken", variable, text)
				}
			}
		}
	}
	vars := values(t, Failover(), map[string]any{"content": "/srv/shop/files", "peer": "10.1.2.3"})
	if name, err := checkFailover(vars); err == nil || name != "peer_certificate" {
		t.Errorf("a peer without a certificate: %q, %v", name, err)
	}
}
