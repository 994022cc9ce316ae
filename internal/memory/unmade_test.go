package memory_test

import (
	"testing"

	"provision/internal/memory"
	"provision/internal/recipe"
)

// A tree that no run began to make, where one is now, is not known to be ours; one that a run began is.
func TestATreeThatWasNeverMade(t *testing.T) {
	noted := memory.Memory{
		Head:   memory.Head{Task: "x", Unfinished: true},
		Traces: []recipe.Trace{{Kind: "tree", Name: "/srv/a", Before: &recipe.Before{Nothing: true}}},
	}
	there := []recipe.Effect{known(recipe.PathKey("/srv/a"), directory), known(recipe.EntriesKey("/srv/a"), recipe.Entries{"theirs"})}
	if certain := noted.Certain(facts(there)); len(certain.Traces) != 1 || certain.Traces[0].Before != nil {
		t.Errorf("never made: %+v", certain.Traces)
	}
	there = append(there, known(recipe.TouchedKey("x"), recipe.Touched{"/srv/a"}))
	if certain := noted.Certain(facts(there)); len(certain.Traces) != 1 || certain.Traces[0].Before == nil {
		t.Errorf("made: %+v", certain.Traces)
	}
	if certain := noted.Certain(facts(nil)); len(certain.Traces) != 0 {
		t.Errorf("never made, and not there: %+v", certain.Traces)
	}
}
