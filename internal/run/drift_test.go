package run

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"provision/internal/engine"
	"provision/internal/recipe"
	"provision/internal/resource"
)

// What only follows from a difference is none: the command that a file notifies, the file that a missing
// directory makes room for is one by itself. Nor is what the host remembers.
func TestDrift(t *testing.T) {
	onMachine(t, func(m *machine) {
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
	})
}

// A host that wants what another one does not export yet cannot be compared, and nobody says that it will be: nothing is
// changed in between. One that can go without it is compared, which is told.
func TestDriftOfExports(t *testing.T) {
	onMachine(t, func(m *machine) {
		w := &trust{m: m, last: kept{}}
		w.exporters = []Exporter{{Target: Target{Name: "ca1", Local: true}, Exports: map[string]recipe.Export{"ca.ca": {Name: "ca", Path: m.path("ca.crt")}}}}
		both := map[string]recipe.Task{"ca1": w.task("ca", "ca.crt", "of ca1\n", ""), "node1": w.task("node", "trusted", "", "ca1")}
		looks := func(hosts map[string]recipe.Task, ca1, node1 engine.Status) engine.Finished {
			t.Helper()
			found := w.does(t, Drift, hosts)
			if found["ca1"].Status != ca1 || found["node1"].Status != node1 || len(w.awaits["node1"]) > 0 || w.told("is planned") || w.late["node1"] {
				t.Errorf("ca1 %s, node1 %s: %v; told %q", found["ca1"].Status, found["node1"].Status, found["node1"].Err, w.notes)
			}
			return found["node1"]
		}
		if waits := looks(both, engine.StatusPending, engine.StatusFailed); waits.Err == nil || !strings.Contains(waits.Err.Error(), recipe.NotYet) {
			t.Errorf("%v", waits.Err)
		}
		goes := map[string]recipe.Task{"ca1": both["ca1"], "node1": w.mutual("goes", "ca1")}
		looks(goes, engine.StatusPending, engine.StatusPending)
		if !w.told("node1: goes without what ca1 export: it is not there yet") {
			t.Errorf("told %q", w.notes)
		}
		if m.read(t, "ca.crt")+m.read(t, "trusted")+m.read(t, "goes") != "" {
			t.Error("something was changed")
		}
		w.does(t, Install, both)
		looks(both, engine.StatusSame, engine.StatusSame)
		m.write(t, m.path("ca.crt"), "by hand\n", 0o644)
		looks(both, engine.StatusPending, engine.StatusPending) // what it would trust now is another
		os.Remove(m.path("ca.crt"))
		looks(both, engine.StatusPending, engine.StatusFailed)
	})
}

// A host on which nothing differs costs as much as with an install, and one on which something does one question
// more at the most, for what it remembers.
func TestDriftRoundTrips(t *testing.T) {
	onMachine(t, func(m *machine) {
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
	})
}
