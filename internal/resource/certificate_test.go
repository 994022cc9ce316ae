package resource_test

import (
	"strings"
	"testing"

	"provision/internal/recipe"
	"provision/internal/resource"
)

func TestCertificate(t *testing.T) {
	wanted := resource.Certificate{Path: "/etc/c", Key: "/etc/k", Names: []string{"a.example.org"}, Group: "g"}
	gone := resource.Certificate{Path: "/etc/c", Key: "/etc/k", Absent: true}
	guard := func(exit int) recipe.Effect {
		return recipe.Known(recipe.CommandKey("make certificate /etc/c"), recipe.Command{Exit: exit, Output: "replace"})
	}
	theirs := recipe.Known(recipe.CommandKey("make certificate /etc/c"), recipe.Command{Exit: 1})
	certificate, key := foundFile("/etc/c", "x", 0o644), found("/etc/k", recipe.Path{Type: recipe.PathFile, Mode: 0o640, Owner: "root", Group: "g"})
	open := found("/etc/k", recipe.Path{Type: recipe.PathFile, Mode: 0o644, Owner: "root", Group: "root"})
	check(t, []row{
		{name: "none", wanted: wanted, found: one(guard(1)), kind: recipe.Create, steps: "make certificate /etc/c"},
		{name: "no openssl", wanted: wanted, found: one(guard(1)), kind: recipe.Create, steps: "make certificate /etc/c"},
		{name: "ends soon", wanted: wanted, found: one(guard(1), certificate, key), kind: recipe.Update, steps: "make certificate /etc/c"},
		{name: "same", wanted: wanted, found: one(guard(0), certificate, key)},
		{name: "a key that all may read", wanted: wanted, found: one(guard(0), certificate, open), kind: recipe.Update, steps: "set mode and owner of /etc/k", deltas: "mode 0644→0640; owner root:root→root:g"},
		{name: "of others, and not as wanted", wanted: wanted, found: one(theirs, certificate, key), err: "/etc/c, /etc/k: a certificate or a key is there that was not made here"},
		{name: "a key of others alone", wanted: wanted, found: one(theirs, key), err: "move both away, or name other files"},
		{name: "gone, none", wanted: gone},
		{name: "gone, of others", wanted: gone, found: one(theirs, certificate, key), err: "was not made here"},
		{name: "gone, there", wanted: gone, found: one(guard(1), certificate, key), kind: recipe.Delete, steps: "remove /etc/c; remove /etc/k"},
	})
	facts := recipe.Facts{}
	facts.Apply(one(theirs, certificate, key))
	came := recipe.Trace{Kind: "certificate", Name: "/etc/c", Key: "/etc/k", Before: &recipe.Before{Nothing: true}}
	leaving, _ := resource.Leaving{Purge: true}.Resource(came)
	if change, err := leaving.Diff(facts); err != nil || !change.Empty() {
		t.Errorf("a pair of others leaves with a task: %+v, %v", change, err)
	}
	stays := func() string {
		former, ok := leaving.(interface{ Stays(recipe.Facts) string })
		if !ok {
			return ""
		}
		return former.Stays(facts)
	}
	if why := stays(); !strings.Contains(why, "not made here") {
		t.Errorf("it stays, and is told as %q", why)
	}
	facts = recipe.Facts{}
	facts.Apply(one(guard(1), certificate, key))
	if change, err := leaving.Diff(facts); err != nil || change.Kind != recipe.Delete || stays() != "" {
		t.Errorf("ours stays: %+v, %v, %q", change, err, stays())
	}
	change, err := gone.Diff(facts)
	if err != nil || !recipe.SecretOf(change.Steps[1]) {
		t.Errorf("a copy of the key would be kept: %+v, %v", change, err)
	}
	with := func(change func(*resource.Certificate)) resource.Certificate {
		bad := wanted
		change(&bad)
		return bad
	}
	for name, bad := range map[string]resource.Certificate{
		"no names":        with(func(c *resource.Certificate) { c.Names = nil }),
		"a name of two":   with(func(c *resource.Certificate) { c.Names = []string{"a,DNS:b"} }),
		"a zone":          with(func(c *resource.Certificate) { c.Names = []string{"fe80::1%eth0"} }),
		"one file":        with(func(c *resource.Certificate) { c.Key = c.Path }),
		"a relative key":  with(func(c *resource.Certificate) { c.Key = "k" }),
		"too few days":    with(func(c *resource.Certificate) { c.Days = 30 }),
		"a group of none": with(func(c *resource.Certificate) { c.Group = "a:b" }),
	} {
		if err := bad.Validate(); err == nil {
			t.Errorf("%s: not refused", name)
		}
	}
	if err := with(func(c *resource.Certificate) {
		c.Names = []string{"*.example.org", "::1", strings.Repeat("a", 63) + ".example.org"}
	}).Validate(); err != nil {
		t.Error(err)
	}
}
