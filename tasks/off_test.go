package tasks

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"provision/internal/model"
	"provision/internal/recipe"
)

// own is the certificate that graphite's host makes itself.
var own = selfSigned{Task: "graphite"}

// options are those of each task that can be turned on, and off again.
var options = map[string]map[string]map[string]any{
	"graphite": toggles,
	"gimel":    gimelOptions,
	"firewall": {"off": {"enabled": false}},
	"webapp":   webappOptions,
}

// An option that is turned on and off again, or off and on: the host is as if that had never been,
// but for what is meant to stay. No recipe says what goes: the host remembers it.
func TestTurnedOffLeavesNothing(t *testing.T) {
	for name, its := range options {
		task := taskNamed(t, name)
		for option, raw := range its {
			for _, platform := range recipe.Platforms() {
				if platform.Arch != "amd64" {
					continue
				}
				t.Run(fmt.Sprintf("%s/%s/%d", name, option, platform.Release), func(t *testing.T) {
					isAsIf(t, task, platform, nil, raw)
					isAsIf(t, task, platform, raw, nil)
				})
			}
		}
	}
}

// isAsIf has a host with some values get others, and these back, and compares it with one that never
// had others.
func isAsIf(t *testing.T, task recipe.Task, platform recipe.Platform, values, others map[string]any) {
	t.Helper()
	host, clean := bareHost(platform), bareHost(platform)
	for _, raw := range []map[string]any{values, others, values} {
		install(t, host, task, build(t, task, platform, raw))
	}
	install(t, clean, task, build(t, task, platform, values))
	for key, fact := range host.Facts {
		made := isSecret(build(t, task, platform, others), key)
		switch found := fact.Value.(type) {
		case recipe.Path:
			if !strings.HasPrefix(key.Name, recipe.State) && !made && key.Name != "/etc/hosts" && found.Type != clean.Facts.Path(key.Name).Type && !filled(host.Facts, key) {
				t.Errorf("%s is %s, and would be %s", key.Name, found.Type, clean.Facts.Path(key.Name).Type)
			}
		case recipe.Unit:
			if found.Running() && !clean.Facts.Unit(key.Name).Running() && key.Name != postgresqlUnit && key.Name != nginxUnit {
				t.Errorf("%s runs", key.Name)
			}
		}
	}
}

func install(t *testing.T, host *model.Host, task recipe.Task, wanted recipe.Recipe) {
	t.Helper()
	if _, err := host.Install(model.Task{Name: task.Name, Recipe: wanted}); err != nil {
		t.Fatal(err)
	}
}

// A service that goes is stopped while its unit file is still there: systemd forgets how
// to stop what it cannot read any more. carbon is back on loopback before its filter goes.
func TestFirewallGoesInOrder(t *testing.T) {
	platform, task := recipe.Platforms()[0], taskNamed(t, "graphite")
	carbonFirst := []string{"restart " + carbonUnit, "stop " + firewallUnit, "remove " + firewallFile, "remove " + firewallRules}
	for _, c := range []struct {
		raw  map[string]any
		want []string
	}{
		{map[string]any{"carbon_listen": []any{"10.0.0.0/8"}}, carbonFirst},
		// The relay of a cluster has carbon's port.
		{map[string]any{"carbon_nodes": []any{"10.0.0.1", "10.0.0.2"}}, append([]string{"stop " + relayUnit}, carbonFirst...)},
	} {
		host := bareHost(platform)
		for _, raw := range []map[string]any{c.raw, nil} {
			host.Done = nil
			install(t, host, task, build(t, task, platform, raw))
		}
		at := -1
		for _, title := range c.want {
			next := slices.Index(host.Done, title)
			if next <= at {
				t.Errorf("%v: %q is at %d, after %d: %q", c.raw, title, next, at, host.Done)
			}
			at = next
		}
	}
}
