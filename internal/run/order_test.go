package run

import (
	"slices"
	"testing"

	"provision/internal/engine"
)

// Whatever the order in which hosts answer, each host's lines stand together, and the hosts
// stand in the order of the run.
func TestAnswersAreToldInTheOrderOfTheRun(t *testing.T) {
	var told []string
	name := func(e engine.HostEvent) string {
		switch event := e.Event.(type) {
		case engine.Printed:
			return e.Host + " " + event.Line
		case engine.Finished:
			return e.Host + " ends"
		}
		return e.Host + " note"
	}
	o := newOrderly([]Work{{Target: Target{Name: "a"}}, {Target: Target{Name: "b"}}, {Target: Target{Name: "c"}}},
		func(e engine.HostEvent) { told = append(told, name(e)) })
	print := func(host, line string) { o.event(engine.HostEvent{Host: host, Event: engine.Printed{Line: line}}) }
	end := func(host string) { o.event(engine.HostEvent{Host: host, Event: engine.Finished{}}) }
	print("c", "1")
	end("c")
	print("b", "1")
	print("a", "1")
	o.event(engine.HostEvent{Host: "b", Event: engine.Note{}})
	print("b", "2")
	print("a", "2")
	end("a")
	print("b", "3")
	end("b")
	want := []string{"a 1", "b note", "a 2", "a ends", "b 1", "b 2", "b 3", "b ends", "c 1", "c ends"}
	if !slices.Equal(told, want) {
		t.Errorf("told %q, want %q", told, want)
	}
}
