package engine_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"provision/internal/engine"
	"provision/internal/model"
	"provision/internal/recipe"
	"provision/internal/resource"
)

// door is a guarded service with two files, in front of a daemon that has nothing to do
// with it.
func door(rules string) recipe.Recipe {
	var r recipe.Recipe
	r.Add(resource.File{Path: "/etc/other", Content: rules})
	told := recipe.Notification{Unit: "door.service", Action: recipe.Reload}
	r.Add(resource.File{Path: "/etc/door/a", Content: rules}, told)
	r.Add(resource.File{Path: "/etc/door/b", Content: rules}, told)
	r.Add(resource.Service{Unit: "door.service", Guarded: true})
	r.Add(resource.File{Path: "/etc/later", Content: rules})
	r.Label("door")
	return r
}

func apply(host *model.Host, wanted recipe.Recipe, observe engine.Observer) error {
	_, _, err := model.Apply(context.Background(), host, host, wanted, observe, nil)
	return err
}

func TestGuardedChangeIsArmedFirstAndConfirmedBeforeAnythingElse(t *testing.T) {
	host := model.NewHost(recipe.Platforms()[0])
	if _, err := host.Converge(door("a\n")); err != nil {
		t.Fatal(err)
	}
	host.Done = nil
	if _, err := host.Converge(door("b\n")); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"write /etc/other", "arm the undoing of changes to door.service", "note: reload door.service", "write /etc/door/a", "write /etc/door/b",
		"reload door.service", "done: door.service", "confirm the change to door.service", "write /etc/later",
	}
	if !slices.Equal(host.Done, want) {
		t.Errorf("done:\n%s", strings.Join(host.Done, "\n"))
	}
	if host.Done = nil; apply(host, door("b\n"), func(engine.Event) {}) != nil || len(host.Done) > 0 {
		t.Errorf("a second run did %q", host.Done)
	}
}

func TestGuardedChangeThatFailsIsUndoneAtOnce(t *testing.T) {
	for _, step := range []string{"write /etc/door/b", "reload door.service", "confirm the change to door.service"} {
		t.Run(step, func(t *testing.T) {
			host := model.NewHost(recipe.Platforms()[0])
			if _, err := host.Converge(door("a\n")); err != nil {
				t.Fatal(err)
			}
			host.Done = nil
			host.Fail[step] = true
			var restored engine.Restored
			err := apply(host, door("b\n"), func(event engine.Event) {
				if r, ok := event.(engine.Restored); ok {
					restored = r
				}
			})
			var unconfirmed *engine.UnconfirmedError
			if !errors.As(err, &unconfirmed) || !unconfirmed.Undone || unconfirmed.Unit != "door.service" {
				t.Fatalf("error: %v", err)
			}
			if restored.Unit != "door.service" || !restored.Runs || !slices.Contains(restored.Paths, "/etc/door/a") || slices.Contains(restored.Paths, "/etc/other") {
				t.Errorf("restored %+v", restored)
			}
			if slices.Contains(host.Done, "write /etc/later") {
				t.Errorf("it went on: %q", host.Done)
			}
		})
	}
}

// web is a service with three files of its own, and one that another service reads too.
func web(content string) recipe.Recipe {
	var r recipe.Recipe
	shared := []recipe.Notification{restart("web.service"), restart("other.service")}
	r.Add(resource.File{Path: "/etc/web/1", Content: content}, restart("web.service"))
	r.Add(resource.File{Path: "/etc/web/2", Content: content}, shared...)
	r.Add(resource.File{Path: "/etc/web/3", Content: content}, restart("web.service"))
	r.Add(resource.Service{Unit: "other.service"})
	r.Add(resource.Service{Unit: "web.service", Check: "web -t"})
	r.Label("web")
	return r
}

func TestSetOfFilesGoesBackAsAWhole(t *testing.T) {
	pending := recipe.Known(recipe.PendingKey("web.service"), recipe.Pending{Action: recipe.Restart})
	tests := []struct {
		name    string
		fails   string
		status  int
		pending bool // of a run before
		want    []string
	}{
		{"the third file", "write /etc/web/3", 1, false, []string{
			"restore /etc/web/2", "restore /etc/web/1", "done: web.service", "done: other.service"}},
		{"a notification of before stays", "write /etc/web/3", 1, true, []string{
			"restore /etc/web/2", "restore /etc/web/1", "done: other.service"}},
		{"the check: web is left alone", "restart web.service", recipe.CheckFailed, false, []string{
			"see that other.service stays up", "done: other.service",
			"restore /etc/web/3", "restore /etc/web/2", "restore /etc/web/1", "done: web.service", "restart other.service", "done: other.service"}},
		{"the restart: both take back their files", "restart web.service", 1, false, []string{
			"see that other.service stays up", "done: other.service",
			"restore /etc/web/3", "restore /etc/web/2", "restore /etc/web/1",
			"restart web.service", "done: web.service", "restart other.service", "done: other.service"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			host := model.NewHost(recipe.Platforms()[0])
			if _, err := host.Converge(web("a\n")); err != nil {
				t.Fatal(err)
			}
			if test.pending {
				host.Facts.Apply([]recipe.Effect{pending})
			}
			host.Fail[test.fails], host.Status = true, test.status
			done := 0
			err := apply(host, web("b\n"), func(event engine.Event) {
				if ended, ok := event.(engine.StepEnded); ok && ended.Failed {
					done = len(host.Done)
					delete(host.Fail, test.fails)
				}
			})
			var restored *engine.RestoredError
			if !errors.As(err, &restored) || !restored.Restored.Runs {
				t.Fatalf("error: %v", err)
			}
			if got := host.Done[done:]; !slices.Equal(got, test.want) {
				t.Errorf("done:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(test.want, "\n"))
			}
		})
	}
}
