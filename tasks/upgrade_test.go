package tasks

import (
	"slices"
	"testing"
	"time"

	"provision/internal/recipe"
	"provision/internal/resource"
)

// An upgrade installs the versions that it showed, restarts what runs of them, and is over.
func TestUpgrade(t *testing.T) {
	everyBuild(t, func(t *testing.T, task recipe.Task, platform recipe.Platform, raw map[string]any) {
		host := bareHost(platform)
		wanted := build(t, task, platform, raw)
		if _, err := host.Converge(wanted); err != nil {
			t.Fatal(err)
		}
		for i, lists := range []recipe.Lists{{Known: true}, {Known: true, Age: 2 * time.Hour}} {
			version := []string{"2", "3"}[i]
			host.Done = nil
			host.Facts.Apply([]recipe.Effect{recipe.Known(recipe.ListsKey(), lists)})
			var restarts []string
			for _, item := range wanted.Items {
				if p, ok := item.Resource.(resource.Package); ok && !p.Absent {
					host.Facts.Apply([]recipe.Effect{recipe.Known(recipe.CandidateKey(p.Name), recipe.Candidate{Version: version})})
					restarts = append(restarts, p.Restarts...)
				}
			}
			if _, err := host.Converge(wanted); err != nil || len(host.Done) > 0 {
				t.Fatalf("nobody asked for an upgrade: %q %v", host.Done, err)
			}
			if _, err := host.Converge(resource.Upgraded(wanted)); err != nil {
				t.Fatal(err)
			}
			for _, unit := range restarts {
				if facts := host.Facts.Unit(unit); facts.Running() && !slices.Contains(host.Done, "restart "+unit) {
					t.Errorf("%s goes on with what it was before: %q", unit, host.Done)
				}
			}
			for _, item := range wanted.Items {
				if p, ok := item.Resource.(resource.Package); ok && !p.Absent && host.Facts.Package(p.Name).Version != version {
					t.Errorf("%s: %+v, want version %s", p.Name, host.Facts.Package(p.Name), version)
				}
			}
			host.Done = nil
			if _, err := host.Converge(resource.Upgraded(wanted)); err != nil || len(host.Done) > 0 {
				t.Errorf("the second upgrade does %q: %v", host.Done, err)
			}
		}
	})
}
