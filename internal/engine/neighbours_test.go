package engine_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"provision/internal/engine"
	"provision/internal/model"
	"provision/internal/recipe"
	"provision/internal/resource"
)

// porch is a guarded service, and a daemon that reads a file of it and is restarted first.
func porch(rules string) recipe.Recipe {
	var r recipe.Recipe
	r.Add(resource.File{Path: "/etc/shared", Content: rules}, restart("a.service"), recipe.Notification{Unit: "door.service", Action: recipe.Reload})
	r.Add(resource.Service{Unit: "a.service"})
	r.Add(resource.Service{Unit: "door.service", Guarded: true})
	r.Label("porch")
	return r
}

// Who took in a file that is undone takes in the old one too.
func TestNeighbourOfAnUndoneChangeTakesInTheOldFile(t *testing.T) {
	undo := "undo the change to door.service"
	tests := []struct {
		name, fails string
		cut         bool // no new connection, and the host undoes it by itself
		want        []string
		noted       string
	}{
		{"the guarded service fails", "reload door.service", false, []string{undo, "restart a.service", "done: a.service"}, ""},
		{"nobody has confirmed it in time", "confirm the change to door.service", false, nil, "a.service: runs with what is undone: the next run restarts it"},
		{"nobody can confirm it", "", true, []string{undo, "restart a.service", "done: a.service"}, ""},
		{"the neighbour fails, and is back by then", "see that a.service stays up", false, []string{
			"restore /etc/shared", "done: door.service", "restart a.service", "done: a.service", undo, "done: a.service"}, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			host := model.NewHost(recipe.Platforms()[0])
			if _, err := host.Converge(porch("a\n")); err != nil {
				t.Fatal(err)
			}
			host.Fail[test.fails], host.Cut = true, test.cut
			var noted []string
			after := 0
			stop := make(chan struct{})
			_, _, err := model.Apply(t.Context(), host, host, porch("b\n"), func(event engine.Event) {
				switch event := event.(type) {
				case engine.StepEnded:
					if event.Failed {
						after = len(host.Done)
					}
				case engine.Note:
					noted = append(noted, event.Text)
					if test.cut && strings.HasPrefix(event.Text, "a new connection has to confirm") {
						after = len(host.Done)
						close(stop) // nor is it waited for
					}
				case engine.Restored:
					if after == 0 {
						after = len(host.Done)
					}
				}
			}, stop)
			var unconfirmed *engine.UnconfirmedError
			if !errors.As(err, &unconfirmed) || !unconfirmed.Undone {
				t.Fatalf("error: %v", err)
			}
			if got := host.Done[after:]; !slices.Equal(got, test.want) {
				t.Errorf("done:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(test.want, "\n"))
			}
			if test.noted != "" && !slices.Contains(noted, test.noted) {
				t.Errorf("noted %q", noted)
			}
		})
	}
}
