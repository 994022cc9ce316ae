package memory_test

import (
	"slices"
	"strings"
	"testing"

	"provision/internal/memory"
	"provision/internal/recipe"
	"provision/internal/resource"
)

// planned are the resources of a recipe with what leaves, for a host that remembers what a task
// wanted, all of which came with it.
func planned(t *testing.T, wanted recipe.Recipe, past ...recipe.Item) []string {
	t.Helper()
	var all recipe.Recipe
	all.Items = past
	remembered := memory.Of("x", all)
	for i := range remembered.Traces {
		remembered.Traces[i].Before = &recipe.Before{Nothing: true}
	}
	old := memory.Memory{Head: memory.Head{Task: "x", From: memory.AdHoc}, Traces: remembered.Traces}
	head, _, _ := strings.Cut(old.Text(), "\n")
	facts := recipe.Facts{recipe.MemoryKey("x"): {Value: recipe.Memory{Head: head}}}
	host := memory.Host{From: memory.AdHoc, Memories: map[string]memory.Memory{"x": old}, Facts: facts}
	joined, _, err := host.Plan(wanted, []memory.Wants{memory.Of("x", wanted)})
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, item := range joined.Items {
		ids = append(ids, item.Resource.ID())
	}
	return ids
}

func item(r recipe.Resource, restarts ...string) recipe.Item {
	i := recipe.Item{Resource: r, Task: "x"}
	for _, unit := range restarts {
		i.Notifies = append(i.Notifies, recipe.Notification{Unit: unit, Action: recipe.Restart})
	}
	return i
}

// What leaves goes in reverse order, behind what is wanted: a service before its files, and files
// before what takes in that they are gone.
func TestOrderOfWhatLeaves(t *testing.T) {
	var wanted recipe.Recipe
	web, app := resource.Service{Unit: "web.service"}, resource.Service{Unit: "app.service", Listens: []string{":80"}}
	wanted.Items = []recipe.Item{item(resource.File{Path: "/etc/web/new"}, "web.service"), item(web)}
	past := []recipe.Item{
		item(resource.Directory{Path: "/etc/app"}), item(resource.File{Path: "/etc/app/conf"}, "app.service"),
		item(resource.File{Path: "/etc/web/app"}, "web.service"), item(app),
	}
	want := []string{
		"file:/etc/web/new", "service:app.service", "file:/etc/web/app", "service:web.service",
		"file:/etc/app/conf", "directory:/etc/app", "memory:x",
	}
	if got := planned(t, wanted, past...); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	// One that listens where another is to goes first.
	wanted.Add(resource.Service{Unit: "other.service", Listens: []string{"127.0.0.1:80"}})
	if got := planned(t, wanted, past...); got[0] != "service:app.service" {
		t.Errorf("another is to listen at its port, and it stops after: %q", got)
	}
}

// A purge takes no package on which one depends that another task wants: with Python, that came for
// one task, all that is written in it would go.
func TestPurgeSparesWhatOthersWant(t *testing.T) {
	var past, others recipe.Recipe
	past.Items = []recipe.Item{item(resource.Package{Name: "python3"})}
	others.Items = []recipe.Item{item(resource.Package{Name: "graphite-web"}), item(resource.Package{Name: "gone", Absent: true})}
	remembered := memory.Of("x", past)
	remembered.Traces[0].Before = &recipe.Before{Nothing: true}
	old := memory.Memory{Head: memory.Head{Task: "x", From: memory.AdHoc}, Traces: remembered.Traces}
	head, _, _ := strings.Cut(old.Text(), "\n")
	host := memory.Host{From: memory.AdHoc, Purge: true, Memories: map[string]memory.Memory{"x": old}, Others: []memory.Wants{memory.Of("y", others)},
		Facts: recipe.Facts{recipe.MemoryKey("x"): {Value: recipe.Memory{Head: head}}}}
	joined, _, err := host.Plan(recipe.Recipe{}, []memory.Wants{memory.Of("x", recipe.Recipe{})})
	if err != nil {
		t.Fatal(err)
	}
	for _, item := range joined.Items {
		if gone, ok := item.Resource.(resource.Package); ok {
			if !slices.Equal(gone.Spares, []string{"graphite-web"}) {
				t.Errorf("it spares %v", gone.Spares)
			}
			return
		}
	}
	t.Error("the package is not in the plan")
}
