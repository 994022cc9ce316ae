package tasks

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"provision/internal/model"
	"provision/internal/recipe"
	"provision/internal/resource"
)

// bareHost is a modelled host where packages leave what they leave on a real one.
func bareHost(platform recipe.Platform) *model.Host {
	host := model.NewHost(platform)
	installed := recipe.Known(recipe.UnitKey(carbonUnit), recipe.Unit{Load: "loaded", Active: "inactive", State: "enabled"})
	unit := func(name string) recipe.Effect {
		effect := installed
		effect.Key = recipe.UnitKey(name)
		return effect
	}
	fails := func(name string) recipe.Effect {
		return recipe.Known(recipe.CommandKey(name), recipe.Command{Exit: 1})
	}
	host.Brings = map[string][]recipe.Effect{
		"graphite-carbon": {installed},
		"collectd-core":   {unit(collectdUnit)},
		"graphite-web":    {fails(migrateDatabase)},
		"nginx-light": {unit(nginxUnit), recipe.Known(recipe.PathKey(nginxDefaultSite), recipe.Path{
			Type: recipe.PathLink, Mode: 0o777, Owner: "root", Group: "root", Target: "/etc/nginx/sites-available/default",
		})},
		"logrotate":  {unit(logrotateTimer)},
		"postgresql": {unit(postgresqlUnit), fails(makeDatabase)},
		"openssl":    {fails(makeHtpasswd), fails(own.name())},
	}
	if platform.Release >= trixie {
		host.Brings["graphite-web"] = append(host.Brings["graphite-web"], unit(indexTimer))
	}
	return host
}

func TestPlanOnBareHost(t *testing.T) {
	everyBuild(t, func(t *testing.T, task recipe.Task, platform recipe.Platform, raw map[string]any) {
		host := bareHost(platform)
		wanted := build(t, task, platform, raw)
		plan, err := host.Converge(wanted) // which fails when the second plan is not empty
		if err != nil {
			t.Fatal(err)
		}
		for _, planned := range plan.Items {
			file, ok := planned.Item.Resource.(resource.File)
			if ok && planned.Change.Kind == recipe.MayBe {
				t.Errorf("%s is not shown before it is written", file.Path)
			}
			if ok && !file.Absent && (planned.Change.Diff == nil || string(planned.Change.Diff.After) != file.Content) {
				t.Errorf("%s: its whole content is not in the plan", file.Path)
			}
		}
		if raw == nil && platform.Arch == "amd64" {
			golden(t, filepath.Join("testdata", fmt.Sprintf("%s-%d.plan", task.Name, platform.Release)), model.Text(plan))
		}
	})
}

// What a change makes the services do.
func TestWhatRestarts(t *testing.T) {
	platform := recipe.Platforms()[0]
	task := taskNamed(t, "graphite")
	cases := []struct {
		name string
		raw  map[string]any
		want string
	}{
		{"nothing", nil, ""},
		{"a schema", map[string]any{"schemas": []any{map[string]any{"name": "a", "pattern": "a", "retentions": "1m:1d"}}}, "restart carbon-cache.service"},
		{"a setting of the web", map[string]any{"time_zone": "Europe/Berlin"}, "restart graphite-web.service"},
		{"TLS", map[string]any{"tls": "self-signed"}, "reload nginx.service"},
		{"no password", map[string]any{"auth": false}, "reload nginx.service"},
		{"networks", map[string]any{"carbon_listen": []any{"10.0.0.0/8"}},
			"enable provision-carbon-firewall.service, start provision-carbon-firewall.service, restart carbon-cache.service"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			host := bareHost(platform)
			if _, err := host.Converge(build(t, task, platform, nil)); err != nil {
				t.Fatal(err)
			}
			host.Done = nil
			if _, err := host.Converge(build(t, task, platform, c.raw)); err != nil {
				t.Fatal(err)
			}
			var controls []string
			for _, title := range host.Done {
				for _, verb := range []string{"start", "stop", "restart", "reload", "enable", "disable"} {
					if strings.HasPrefix(title, verb+" ") {
						controls = append(controls, title)
					}
				}
			}
			if got := strings.Join(controls, ", "); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
