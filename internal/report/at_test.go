package report

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"provision/internal/engine"
	"provision/internal/recipe"
	kinds "provision/internal/resource"
)

// -v says where a task of the project wants a resource, and a check that fails says it always.
func TestPlacesAreTold(t *testing.T) {
	at := recipe.Position{File: "tasks/shop.star", Line: 14, Column: 9}
	plan := engine.Plan{Items: []engine.Planned{{
		Item:   recipe.Item{Resource: kinds.Directory{Path: "/etc/shop"}, Task: "shop", At: at},
		Change: recipe.Change{Kind: recipe.Create, Summary: "0755 root:root"},
	}}}
	for verbosity, want := range map[int]int{0: 0, 1: 1} {
		var out bytes.Buffer
		terminal := NewTerminal(&out, Options{Plan: true, Verbosity: verbosity})
		terminal.Event(engine.HostEvent{Host: "web1", Event: engine.PlanMade{Plan: plan}})
		terminal.Close()
		if got := strings.Count(out.String(), "tasks/shop.star:14"); got != want {
			t.Errorf("-v %d: told %d times, want %d: %s", verbosity, got, want, out.String())
		}
	}
	for _, failed := range []bool{false, true} {
		var out bytes.Buffer
		terminal := NewTerminal(&out, Options{})
		checked := engine.Checked{Check: recipe.Check{Name: "it answers", At: at}}
		if failed {
			checked.Err = errors.New("status 502")
		}
		terminal.Event(engine.HostEvent{Host: "web1", Event: checked})
		terminal.Close()
		if got := strings.Contains(out.String(), "it answers  tasks/shop.star:14"); got != failed {
			t.Errorf("failed %v: %s", failed, out.String())
		}
	}
}
