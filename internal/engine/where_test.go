package engine_test

import (
	"strings"
	"testing"

	"provision/internal/recipe"
)

// Of a task with a source an error says where it stands: in a plan, and of a step that fails.
func TestErrorsSayWhere(t *testing.T) {
	placed := func() recipe.Recipe {
		r := daemon("a\n")
		for i := range r.Items {
			r.Items[i].At = recipe.Position{File: "tasks/daemon.star", Line: 10 + i, Column: 9}
		}
		return r
	}
	host := bareHost()
	host.Facts[recipe.PathKey("/etc/daemon/daemon.conf")] = recipe.Fact{Value: recipe.Path{Type: recipe.PathDirectory}}
	_, err := host.Converge(placed())
	if want := "file:/etc/daemon/daemon.conf (tasks/daemon.star:11): "; err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("%v, want %s…", err, want)
	}
	host = bareHost()
	host.Fail["install daemon"] = true
	_, err = host.Converge(placed())
	if want := "install daemon: failed with status 1 (tasks/daemon.star:12)"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%v, want %s", err, want)
	}
}
