package engine_test

import (
	"testing"

	"provision/internal/engine"
	"provision/internal/recipe"
	"provision/internal/resource"
)

func TestHash(t *testing.T) {
	plan := func(path, content, before string, secret bool) engine.Plan {
		return engine.Plan{Items: []engine.Planned{{
			Item: recipe.Item{Resource: resource.File{Path: path, Content: content}, Task: "x"},
			Change: recipe.Change{Kind: recipe.Update, Summary: "content differs",
				Diff: &recipe.FileDiff{Path: path, Exists: true, Before: []byte(before), After: []byte(content), Secret: secret}},
		}}}
	}
	base := plan("/a", "one", "old", false).Hash()
	if len(base) != 16 {
		t.Errorf("hash %q", base)
	}
	if again := plan("/a", "one", "older", false).Hash(); again != base {
		t.Errorf("the same change: %s, was %s", again, base)
	}
	for name, other := range map[string]engine.Plan{"path": plan("/b", "one", "old", false), "content": plan("/a", "two", "old", false), "none": {}} {
		if other.Hash() == base {
			t.Errorf("another %s: the same hash", name)
		}
	}
	if plan("/a", "one", "old", true).Hash() != plan("/a", "two", "old", true).Hash() {
		t.Error("a secret goes into the hash")
	}
	mode := func(before, after string) string {
		return engine.Plan{Items: []engine.Planned{{
			Item:   recipe.Item{Resource: resource.File{Path: "/a"}, Task: "x"},
			Change: recipe.Change{Kind: recipe.Update, Deltas: []recipe.Delta{{Name: "mode", Before: before, After: after}}},
		}}}.Hash()
	}
	if mode("0600", "0644") != mode("0640", "0644") || mode("0600", "0644") == mode("0600", "0640") {
		t.Error("the hash tells what was there before, or not what is to be")
	}
}
