package run

import (
	"testing"
	"time"

	"provision/internal/engine"
	"provision/internal/recipe"
	"provision/internal/resource"
)

// A check that waits for something is no step under way: Ctrl-C ends it.
func TestInterruptEndsTheProof(t *testing.T) {
	onMachine(t, func(m *machine) {
		task := recipe.Task{
			Name: "x",
			Build: func(recipe.Input) (recipe.Recipe, error) {
				var r recipe.Recipe
				r.Add(resource.File{Path: m.path("file"), Content: "1\n"})
				return r, nil
			},
			Verify: func(recipe.Input) ([]recipe.Check, error) {
				return []recipe.Check{{Name: "in vain", From: recipe.FromHost, Within: 10 * time.Minute, Command: &recipe.CommandCheck{Script: "false"}}}, nil
			},
		}
		stop := make(chan struct{})
		settings := Settings{Forks: 1, Unasked: true, Stop: stop, Observe: func(event engine.HostEvent) {
			if _, is := event.Event.(engine.Verifying); is {
				close(stop)
			}
		}}
		settings.Header.Verb = "install"
		began := time.Now()
		results, err := Install(t.Context(), []Work{{Target: Target{Name: "here", Local: true}, Blueprint: Blueprint{Tasks: []recipe.Task{task}}}}, settings)
		if err != nil || len(results) != 1 {
			t.Fatalf("%v, %v", results, err)
		}
		is(t, results[0].Finished, engine.StatusInterrupted)
		if elapsed := time.Since(began); elapsed > 5*time.Minute || results[0].Changed == 0 || m.read(t, "file") != "1\n" {
			t.Errorf("after %s: %d changed, %q", elapsed, results[0].Changed, m.read(t, "file"))
		}
	})
}
