package run

import (
	"testing"

	"provision/internal/recipe"
)

// A deploy brings its release for the task that it names; one that that needs keeps its own.
func TestReleaseIsOfOneTask(t *testing.T) {
	got := map[string]bool{}
	task := func(name string) recipe.Task {
		return recipe.Task{Name: name, Build: func(in recipe.Input) (recipe.Recipe, error) {
			got[name] = in.Release != nil
			return recipe.Recipe{}, nil
		}}
	}
	blueprint := Blueprint{Tasks: []recipe.Task{task("below"), task("shop")}, Deploys: "shop", Release: &recipe.Release{Version: "v1"}}
	if _, err := blueprint.Recipe(recipe.Platforms()[0]); err != nil {
		t.Fatal(err)
	}
	if !got["shop"] || got["below"] {
		t.Errorf("the release is given to %v", got)
	}
}

// What a host fetches has no artifact, before its architecture is known and after; what is brought has one.
func TestReleaseThatTheHostFetches(t *testing.T) {
	brought := func(string) (recipe.Artifact, error) { return recipe.Artifact{}, nil }
	for _, release := range []*recipe.Release{{}, {Version: "v1", Artifact: brought}} {
		shop := recipe.Task{Name: "shop", Build: func(in recipe.Input) (recipe.Recipe, error) {
			if (in.Release.Artifact == nil) != (release.Artifact == nil) {
				t.Errorf("release %q is built with another artifact", release.Version)
			}
			return recipe.Recipe{}, nil
		}}
		blueprint := Blueprint{Tasks: []recipe.Task{shop}, Deploys: "shop", Release: release}
		if _, err := blueprint.Probes(); err != nil {
			t.Fatal(err)
		}
	}
}
