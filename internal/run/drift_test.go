package run

import (
	"slices"
	"testing"
	"time"

	"provision/internal/engine"
	"provision/internal/recipe"
	"provision/internal/resource"
)

// What only follows from a difference is none: the command that a file notifies, the file that a missing
// directory makes room for is one by itself. Nor is what the host remembers.
func TestDrift(t *testing.T) {
	m := inMachine(t)
	if m == nil {
		return
	}
	m.write(t, m.path("mode"), "x\n", 0o600)
	m.write(t, m.path("good"), "x\n", 0o644)
	resources := []recipe.Resource{
		resource.Directory{Path: m.path("d")},
		resource.File{Path: m.path("d/new"), Content: "x\n"},
		resource.File{Path: m.path("mode"), Content: "x\n"},
		resource.File{Path: m.path("good"), Content: "x\n"},
		resource.Command{Name: "look", Script: "touch " + m.path("looked"), Changes: []recipe.Key{}},
	}
	task := recipe.Task{Name: "x", Build: func(recipe.Input) (recipe.Recipe, error) {
		var r recipe.Recipe
		for i, one := range resources {
			var notes []recipe.Notification
			if i < 4 {
				notes = append(notes, recipe.RunOf("look"))
			}
			r.Add(one, notes...)
		}
		return r, nil
	}}
	drift := func() (engine.Status, []string) {
		t.Helper()
		var differ []string
		settings := Settings{Forks: 1, Observe: func(e engine.HostEvent) {
			if made, ok := e.Event.(engine.PlanMade); ok {
				for _, planned := range made.Plan.Changes() {
					differ = append(differ, planned.Item.Resource.ID()+" "+string(planned.Change.Kind))
					if planned.Change.Diff != nil || planned.Change.Steps != nil {
						t.Errorf("%s has more than what differs", planned.Item.Resource.ID())
					}
				}
			}
		}}
		results, err := Drift(t.Context(), []Work{{Target: Target{Name: "here", Local: true}, Blueprint: Blueprint{Tasks: []recipe.Task{task}}}}, settings)
		if err != nil {
			t.Fatal(err)
		}
		return results[0].Status, differ
	}
	status, differ := drift()
	want := []string{"directory:" + m.path("d") + " create", "file:" + m.path("d/new") + " create", "file:" + m.path("mode") + " update"}
	if status != engine.StatusPending || !slices.Equal(differ, want) {
		t.Errorf("%s: %q", status, differ)
	}
	if m.read(t, "looked") != "" || m.read(t, "d/new") != "" {
		t.Error("it changed something")
	}
	is(t, m.works(t, "install", Blueprint{Tasks: []recipe.Task{task}}, Install), engine.StatusChanged)
	if status, differ := drift(); status != engine.StatusSame {
		t.Errorf("after an install: %s, %q", status, differ)
	}
}

// A host on which nothing differs costs as much as with an install, and one on which something does one question
// more at the most, for what it remembers.
func TestDriftRoundTrips(t *testing.T) {
	m := inMachine(t)
	if m == nil {
		return
	}
	target := m.sshd(t)
	file := resource.File{Path: m.path("config"), Content: "1\n"}
	for name, most := range map[string]int64{"1\n": 13, "2\n": 13} {
		m.write(t, m.path("config"), name, 0o644)
		target := target
		relay := relayed(t, &target, 10*time.Millisecond)
		work := []Work{{Target: target, Blueprint: Blueprint{Tasks: []recipe.Task{taskOf("x", file)}}}}
		results, err := Drift(t.Context(), work, Settings{Forks: 1, Observe: func(engine.HostEvent) {}})
		if err != nil || results[0].Err != nil {
			t.Fatalf("%v, %v", results, err)
		}
		trips := relay.RoundTrips() + 1
		t.Logf("%s: %d round trips", results[0].Status, trips)
		if trips > most {
			t.Errorf("%s: %d round trips, want %d at the most", results[0].Status, trips, most)
		}
	}
}
