package run

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"provision/internal/engine"
	"provision/internal/recipe"
	"provision/internal/remote"
	want "provision/internal/resource"
)

// A host's time is that of its own work: not while others have their turn, not while the
// person looks at the plans, and not while a password is typed.
func TestTimeOfAHostIsThatOfItsWork(t *testing.T) { synctest.Test(t, timeOfAHost) }

func timeOfAHost(t *testing.T) {
	const work, wait = 20 * time.Second, 300 * time.Second
	ask := func(string) ([]byte, error) {
		time.Sleep(wait)
		return nil, nil
	}
	change := engine.Planned{
		Item:   recipe.Item{Resource: want.Link{Path: "/a", Target: "b"}},
		Change: recipe.Change{Kind: recipe.Create, Steps: []recipe.Step{recipe.MakeLink{Path: "/a", Target: "b"}}},
	}
	var all []Work
	for _, name := range []string{"a", "b", "c"} {
		all = append(all, Work{Target: Target{Name: name, Config: remote.Config{SudoPassword: ask}}})
	}
	settings := Settings{
		Forks: 1, Observe: func(engine.HostEvent) {},
		Confirm: func() bool {
			time.Sleep(wait)
			return false
		},
	}
	results, err := installBy(t.Context(), all, settings, func(_ context.Context, j *job) {
		time.Sleep(work)
		if _, err := j.Target.Config.SudoPassword("sudo password"); err != nil {
			t.Error(err)
		}
		j.made = engine.Plan{Items: []engine.Planned{change}}
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, result := range results {
		if result.Status != engine.StatusPending || result.Elapsed != work {
			t.Errorf("%s: %s after %s, want %s", result.Host, result.Status, result.Elapsed, work)
		}
	}
}
