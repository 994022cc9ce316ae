package resource_test

import (
	"slices"
	"testing"

	"provision/internal/recipe"
	"provision/internal/resource"
)

// What a package brings is known where each task that wants it has said so.
func TestWhatAPackageBringsToSeveralTasks(t *testing.T) {
	a, b := []recipe.Key{recipe.PathKey("/a")}, []recipe.Key{recipe.PathKey("/b")}
	for _, row := range []struct {
		one, other, want []recipe.Key
		unconfined       string
	}{
		{a, b, []recipe.Key{a[0], b[0]}, ""},
		{a, []recipe.Key{}, a, ""},
		{[]recipe.Key{}, []recipe.Key{}, nil, ""},
		{a, nil, nil, "x is installed"},
		{nil, a, nil, "x is installed"},
	} {
		both, ok := resource.Package{Name: "x", Brings: row.one}.Merge(resource.Package{Name: "x", Brings: row.other})
		p, _ := both.(resource.Package)
		if !ok || !slices.Equal(p.Brings, row.want) || p.Unconfined() != row.unconfined {
			t.Errorf("%v and %v: %v, %q", row.one, row.other, p.Brings, p.Unconfined())
		}
	}
}
