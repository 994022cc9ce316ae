package tasks

import (
	"path"
	"testing"

	"provision/internal/recipe"
	"provision/internal/resource"
)

// own is the certificate that graphite's host makes itself.
var own = selfSigned{Task: "graphite"}

// makes are the paths that commands make, which the plan knows by the command's guard
// alone.
var makes = map[string][]string{
	"command:" + makeHtpasswd: {htpasswd},
	"command:" + own.name():   {own.certificate(), own.certificate() + ".names", own.key()},
}

// stays is what an option leaves when it is turned off, as its Help says: packages, which
// others may use by then, and PostgreSQL, which holds data.
var stays = map[string]string{
	"service:" + postgresqlUnit:           "PostgreSQL may serve others",
	"command:" + makeDatabase:             "the data stay",
	"line:/etc/hosts:127.0.0.1 localhost": "true of every host",
}

// What an option brings has its counterpart in the recipe without it: the same ID, which
// the recipe either still wants or wants absent.
func TestTurnedOffLeavesNothing(t *testing.T) {
	task := taskNamed(t, "graphite")
	for _, platform := range recipe.Platforms() {
		for option, raw := range toggles {
			t.Run(option, func(t *testing.T) {
				compare(t, build(t, task, platform, raw), build(t, task, platform, nil))
				compare(t, build(t, task, platform, nil), build(t, task, platform, raw))
			})
		}
	}
}

func compare(t *testing.T, on, off recipe.Recipe) {
	t.Helper()
	wanted, gone, trees := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, item := range off.Items {
		id := item.Resource.ID()
		wanted[id] = true
		if absent(item.Resource) {
			gone[id] = true
		}
		if directory, ok := item.Resource.(resource.Directory); ok && directory.Absent && directory.Tree {
			trees[directory.Path] = true
		}
	}
	for _, item := range on.Items {
		id := item.Resource.ID()
		if _, exempt := stays[id]; exempt || wanted[id] {
			continue
		}
		switch kind := item.Resource.(type) {
		case resource.Package:
		case resource.Command:
			paths, known := makes[id]
			if !known {
				t.Errorf("%s: what does it make?", id)
			}
			for _, made := range paths {
				if !gone["file:"+made] && !trees[path.Dir(made)] {
					t.Errorf("%s made %s, which stays", id, made)
				}
			}
		default:
			if !absent(kind) {
				t.Errorf("%s stays", id)
			}
		}
	}
}

func absent(r recipe.Resource) bool {
	switch kind := r.(type) {
	case resource.File:
		return kind.Absent
	case resource.Directory:
		return kind.Absent
	case resource.Link:
		return kind.Absent
	case resource.Service:
		return kind.Absent
	case resource.Secret:
		return kind.Absent
	}
	return false
}

// A service that goes is stopped while its unit file is still there: systemd forgets how
// to stop what it cannot read any more. carbon is back on loopback before its filter goes.
func TestFirewallGoesInOrder(t *testing.T) {
	at := map[string]int{}
	for i, item := range build(t, taskNamed(t, "graphite"), recipe.Platforms()[0], nil).Items {
		at[item.Resource.ID()] = i
	}
	order := []string{"service:" + carbonUnit, "service:" + firewallUnit, "file:" + firewallFile, "file:" + firewallRules}
	for i := 1; i < len(order); i++ {
		if before, after := at[order[i-1]], at[order[i]]; before == 0 || before >= after {
			t.Errorf("%s at %d, %s at %d", order[i-1], before, order[i], after)
		}
	}
}
