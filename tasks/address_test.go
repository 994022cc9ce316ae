package tasks

import (
	"reflect"
	"testing"

	"provision/internal/recipe"
	"provision/internal/run"
)

// A host is what it is, whichever way one comes to it: through a relay, a jump, by another
// of its addresses, from itself.
func TestNoRecipeDependsOnTheWayToAHost(t *testing.T) {
	everyBuild(t, func(t *testing.T, task recipe.Task, platform recipe.Platform, raw map[string]any) {
		var first recipe.Recipe
		for _, address := range []string{"198.51.100.7", "web1.example.org", "127.0.0.1", "fe80::1%eth0", ""} {
			blueprint := run.Blueprint{Tasks: []recipe.Task{task}, Host: web1, Peers: peersOf(t), Address: address, Values: map[string]recipe.Values{task.Name: values(t, task, raw)}}
			for _, name := range task.Uses {
				blueprint.Values[name] = values(t, taskNamed(t, name), nil)
			}
			built, err := blueprint.Recipe(platform)
			if err != nil {
				t.Fatal(err)
			}
			if first.Items == nil {
				first = built
			}
			for i, item := range built.Items {
				if !reflect.DeepEqual(item, first.Items[i]) {
					t.Errorf("reached at %q: %s is another", address, item.Resource.ID())
				}
			}
		}
	})
}
