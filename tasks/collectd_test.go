package tasks

import (
	"strings"
	"testing"

	"provision/internal/recipe"
	"provision/internal/resource"
)

// collectd sends to 127.0.0.1 where something takes it there, and a host where nothing does is told so.
func TestWhereCollectdSends(t *testing.T) {
	task := Collectd()
	for _, c := range []struct {
		tasks []string
		to    string
		want  string
	}{
		{[]string{"collectd", "secure_metrics"}, "", `Host "127.0.0.1"`},
		{[]string{"collectd", "graphite"}, "", `Host "127.0.0.1"`},
		{[]string{"collectd"}, "198.51.100.9:2003", `Host "198.51.100.9"`},
		{[]string{"collectd"}, "", ""},
	} {
		in := withTasks(input(t, task, recipe.Platforms()[0], map[string]any{"graphite": c.to}), c.tasks...)
		built, err := task.Build(in)
		switch {
		case c.want == "" && (err == nil || !strings.Contains(err.Error(), "give it the task secure_metrics")):
			t.Errorf("%v: got %v", c.tasks, err)
		case c.want != "" && (err != nil || !strings.Contains(content(built, collectdTree+"/collectd.conf"), c.want)):
			t.Errorf("%v: got %v\n%s", c.tasks, err, content(built, collectdTree+"/collectd.conf"))
		}
	}
}

// On the host with Graphite verify asks that for what collectd measures; elsewhere it cannot.
func TestCollectdAsksGraphite(t *testing.T) {
	task := Collectd()
	for host, want := range map[string]bool{"graphite": true, "secure_metrics": false} {
		in := input(t, task, recipe.Platforms()[0], map[string]any{"name": "web1.example.org", "prefix": "servers."})
		in = withTasks(in, host)
		asks := false
		for _, check := range checks(t, task, in) {
			asks = asks || check.HTTP != nil && strings.Contains(check.HTTP.URL, "servers.web1_example_org.")
		}
		if asks != want {
			t.Errorf("on a host with %s it asks Graphite: %v", host, asks)
		}
	}
}

// It is no root, and what it keeps is bounded.
func TestCollectdIsBounded(t *testing.T) {
	built := build(t, Collectd(), recipe.Platforms()[0], nil)
	if text := content(built, collectdTree+"/collectd.conf"); !strings.Contains(text, "WriteQueueLimitHigh") || !strings.Contains(text, "FlushInterval 10") {
		t.Errorf("%s", text)
	}
	if text := content(built, "/etc/systemd/system/collectd.service.d/10-provision.conf"); !strings.Contains(text, "DynamicUser=yes") {
		t.Errorf("%s", text)
	}
	if !hasService(built, collectdUnit) {
		t.Error("it does not run")
	}
}

func hasService(built recipe.Recipe, unit string) bool {
	for _, item := range built.Items {
		if service, ok := item.Resource.(resource.Service); ok && service.Unit == unit {
			return true
		}
	}
	return false
}
