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

// daemons is a recipe of services, each with a file.
func daemons(content string, names ...string) recipe.Recipe {
	var items []recipe.Item
	for _, name := range names {
		items = append(items,
			recipe.Item{Resource: resource.File{Path: "/etc/" + name, Content: content}, Notifies: []recipe.Notification{{Unit: name + ".service", Action: recipe.Restart}}},
		)
	}
	for _, name := range names {
		items = append(items, recipe.Item{Resource: resource.Service{Unit: name + ".service"}})
	}
	return recipe.Recipe{Items: items}
}

// running is a host on which the services run with their first files.
func running(t *testing.T, names ...string) *model.Host {
	t.Helper()
	host := bareHost()
	if _, err := host.Converge(daemons("a\n", names...)); err != nil {
		t.Fatal(err)
	}
	host.Done = nil
	return host
}

func TestServicesAreWatchedTogether(t *testing.T) {
	host := running(t, "a", "b")
	if _, err := host.Converge(daemons("b\n", "a", "b")); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"note: restart a.service", "write /etc/a", "note: restart b.service", "write /etc/b",
		"restart a.service", "restart b.service",
		"see that a.service stays up", "done: a.service", "see that b.service stays up", "done: b.service",
	}
	if !slices.Equal(host.Done, want) {
		t.Errorf("done:\n%s", strings.Join(host.Done, "\n"))
	}
}

// fails applies a change during which some steps fail, each once, and returns the names of what
// was told as changed.
func fails(t *testing.T, host *model.Host, wanted recipe.Recipe, steps ...string) ([]string, error) {
	t.Helper()
	for _, step := range steps {
		host.Fail[step] = true
	}
	var changed []string
	_, result, err := model.Apply(context.Background(), host, host, wanted, func(event engine.Event) {
		switch event := event.(type) {
		case engine.StepEnded:
			if event.Failed {
				delete(host.Fail, event.Title)
			}
		case engine.Changed:
			changed = append(changed, event.Item.Resource.ID())
		}
	}, nil)
	var restored *engine.RestoredError
	if !errors.As(err, &restored) {
		t.Fatalf("error %v, want what was put back", err)
	}
	if len(host.Fail) > 0 {
		t.Fatalf("not tried: %v", host.Fail)
	}
	for _, change := range result.Changed {
		if file, ok := change.Item.Resource.(resource.File); ok && slices.Contains(host.Done, "restore "+file.Path) {
			t.Errorf("%s counts as changed, and was put back", file.Path)
		}
	}
	return changed, err
}

func TestServiceThatDiesWhileItIsWatchedGetsItsFilesBack(t *testing.T) {
	host := running(t, "a", "b", "c")
	changed, err := fails(t, host, daemons("b\n", "a", "b", "c"), "see that b.service stays up")
	restarted := slices.Index(host.Done, "restart c.service")
	want := []string{
		"see that a.service stays up", "done: a.service", "see that c.service stays up", "done: c.service",
		"restore /etc/b", "restart b.service", "done: b.service",
	}
	if tail := host.Done[restarted+1:]; !slices.Equal(tail, want) {
		t.Errorf("done after the restarts:\n%s", strings.Join(tail, "\n"))
	}
	if slices.Contains(changed, "service:b.service") || !slices.Contains(changed, "service:c.service") {
		t.Errorf("told as changed: %v", changed)
	}
	if strings.Count(err.Error(), "put back") != 1 {
		t.Errorf("error %q", err)
	}
}

func TestBothServicesThatDieWhileTheyAreWatchedGetTheirFilesBack(t *testing.T) {
	host := running(t, "a", "b", "c")
	_, err := fails(t, host, daemons("b\n", "a", "b", "c"), "see that a.service stays up", "see that c.service stays up")
	for _, step := range []string{"restore /etc/a", "restore /etc/c", "done: a.service", "done: b.service", "done: c.service"} {
		if !slices.Contains(host.Done, step) {
			t.Errorf("not done: %s", step)
		}
	}
	if slices.Contains(host.Done, "restore /etc/b") {
		t.Error("what stayed up got its old file")
	}
	for _, unit := range []string{"a.service", "c.service"} {
		if !strings.Contains(err.Error(), unit+" runs as before") {
			t.Errorf("error %q does not name %s", err, unit)
		}
	}
}

// What fails behind a start is no reason to leave what was started unwatched, to be restarted by
// the next run.
func TestWhatWasStartedIsWatchedWhenSomethingElseFails(t *testing.T) {
	host := running(t, "a", "b")
	_, err := fails(t, host, daemons("b\n", "a", "b"), "restart b.service")
	if !slices.Contains(host.Done, "done: a.service") || slices.Contains(host.Done, "restore /etc/a") {
		t.Errorf("done:\n%s", strings.Join(host.Done, "\n"))
	}
	if strings.Count(err.Error(), "put back") != 1 {
		t.Errorf("error %q", err)
	}
}
