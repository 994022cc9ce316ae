package report

import (
	"fmt"
	"testing"
	"time"

	"provision/internal/engine"
	"provision/internal/recipe"
)

// What telling and recording cost of a thousand hosts that are as they should be.
func BenchmarkThousandConverged(b *testing.B) {
	var plan engine.Plan
	for i := range 50 {
		plan.Items = append(plan.Items, item("graphite", fmt.Sprintf("file:/etc/carbon/%d.conf", i), recipe.Change{}))
	}
	var names []string
	for i := range 1000 {
		names = append(names, fmt.Sprintf("web%04d", i))
	}
	all := []engine.Event{engine.Connecting{Address: "10.0.0.1:22"}, engine.Asking{}, engine.PlanMade{Plan: plan}, engine.Finished{Status: engine.StatusSame, Same: 50, Elapsed: time.Second}}
	for _, c := range []struct {
		name  string
		tells func(*counter) func(engine.HostEvent)
	}{
		{"install", func(out *counter) func(engine.HostEvent) { return newTerminal(out, Options{Hosts: names}).Event }},
		{"plan", func(out *counter) func(engine.HostEvent) {
			return newTerminal(out, Options{Hosts: names, Plan: true}).Event
		}},
		{"record", func(*counter) func(engine.HostEvent) {
			return NewRecorder("a", "1", []string{"hunter2-hunter2"}, time.Now).Event
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				var out counter
				tell := c.tells(&out)
				for _, name := range names {
					for _, event := range all {
						tell(engine.HostEvent{Host: name, Event: event})
					}
				}
			}
		})
	}
}
