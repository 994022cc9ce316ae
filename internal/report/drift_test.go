package report

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"provision/internal/engine"
	"provision/internal/recipe"
)

// differing is a run on hosts that differ: twelve in the same, one of these in more.
func differing(reporter interface {
	Event(engine.HostEvent)
	Close() error
}) {
	finish := func(host string, status engine.Status, err error) {
		reporter.Event(engine.HostEvent{Host: host, Event: engine.Finished{Status: status, Err: err}})
	}
	same := item("nginx", "service:nginx.service", recipe.Change{})
	for n := 12; n > 0; n-- { // they end in some order
		host := fmt.Sprintf("web%02d", n)
		plan := engine.Plan{Items: []engine.Planned{
			item("nginx", "file:/etc/nginx/nginx.conf", recipe.Change{Kind: recipe.Update, Summary: "content differs", Deltas: []recipe.Delta{{Name: "mode", Before: "0600", After: "0644"}}}), same,
		}}
		if n == 7 {
			plan.Items = []engine.Planned{
				item("motd", "file:/etc/motd", recipe.Change{Kind: recipe.Create, Summary: "0644 root:root"}), plan.Items[0],
				item("nginx", "service:nginx.service", recipe.Change{Kind: recipe.Update, Deltas: []recipe.Delta{{Name: "state", Before: "failed", After: "running"}}}),
				item("nginx", "package:nginx-light", recipe.Change{Kind: recipe.Create, Summary: "install"}),
				item("shop", "command:migrate the database", recipe.Change{Kind: recipe.Act, Summary: "run"}),
				item("shop", "file:/etc/old", recipe.Change{Kind: recipe.Delete, Summary: "no longer wanted"}),
			}
		}
		reporter.Event(engine.HostEvent{Host: host, Event: engine.Connecting{Address: host}})
		reporter.Event(engine.HostEvent{Host: host, Event: engine.PlanMade{Plan: plan}})
		finish(host, engine.StatusPending, nil)
	}
	reporter.Event(engine.HostEvent{Host: "db1", Event: engine.PlanMade{Plan: engine.Plan{Items: []engine.Planned{same}}}})
	finish("db1", engine.StatusSame, nil)
	finish("gone", engine.StatusUnreachable, errors.New("gone: connect to gone:22: connection refused by the word hunter2"))
}

func TestDrift(t *testing.T) {
	hosts := []string{}
	for n := 1; n <= 12; n++ {
		hosts = append(hosts, fmt.Sprintf("web%02d", n))
	}
	hosts = append(hosts, "db1", "gone", "never")
	for name, o := range map[string]Options{
		"drift":        {Plan: true, Hosts: hosts, Secrets: []string{"hunter2"}},
		"drift_narrow": {Plan: true, Hosts: hosts, Width: 60},
		"drift_ascii":  {Plan: true, Hosts: hosts, ASCII: true, Verbosity: -1},
	} {
		t.Run(name, func(t *testing.T) {
			var told, answered bytes.Buffer
			o.Now = newClock().now
			terminal := newTerminal(&told, o)
			terminal.AnswerTo(&answered, o)
			drift := NewDrift(terminal)
			differing(drift)
			if err := drift.Close(); err != nil {
				t.Fatal(err)
			}
			drift.Summary("provision drift -l gone", 4)
			golden(t, name, answered.String()+"--- standard error\n"+told.String())
		})
	}
}
