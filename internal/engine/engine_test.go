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

func restart(unit string) recipe.Notification {
	return recipe.Notification{Unit: unit, Action: recipe.Restart}
}

// daemon is a small recipe with all that matters: configuration before the package, a
// package that brings things, a link that it may leave, and a service.
func daemon(config string) recipe.Recipe {
	var r recipe.Recipe
	r.Add(resource.Directory{Path: "/etc/daemon"})
	r.Add(resource.File{Path: "/etc/daemon/daemon.conf", Content: config}, restart("daemon.service"))
	r.Add(resource.Package{Name: "daemon", Brings: []recipe.Key{recipe.UnitKey("daemon.service"), recipe.PathKey("/etc/daemon/default")}})
	r.Add(resource.Link{Path: "/etc/daemon/default", Absent: true}, restart("daemon.service"))
	r.Add(resource.Service{Unit: "daemon.service", Check: "daemon -t", Trees: []string{"/etc/daemon"}})
	r.Label("daemon")
	return r
}

func bareHost() *model.Host {
	host := model.NewHost(recipe.Platforms()[0])
	host.Brings["daemon"] = []recipe.Effect{
		recipe.Known(recipe.UnitKey("daemon.service"), recipe.Unit{Load: "loaded", Active: "inactive", State: "enabled"}),
		recipe.Known(recipe.PathKey("/etc/daemon/default"), recipe.Path{Type: recipe.PathLink, Target: "x"}),
	}
	return host
}

func TestPlanOnBareHostSaysWhatIsCertainAndWhatIsNot(t *testing.T) {
	host := bareHost()
	plan, err := host.Converge(daemon("a\n"))
	if err != nil {
		t.Fatal(err)
	}
	const want = `create directory:/etc/daemon — 0755 root:root
         make directory /etc/daemon
create file:/etc/daemon/daemon.conf — 0644 root:root
         note: restart daemon.service
         write /etc/daemon/daemon.conf
create package:daemon — install
         install daemon
maybe  link:/etc/daemon/default — known after daemon is installed
becomes service:daemon.service, after daemon is installed [at boot:  → enabled] [state:  → running]
`
	if got := model.Text(plan); got != want {
		t.Errorf("plan:\n%s\nwant:\n%s", got, want)
	}
	wantDone := []string{
		"make directory /etc/daemon", "note: restart daemon.service", "write /etc/daemon/daemon.conf",
		"install daemon", "remove /etc/daemon/default", "start daemon.service",
		"see that daemon.service stays up", "done: daemon.service",
	}
	if !slices.Equal(host.Done, wantDone) {
		t.Errorf("done:\n%s\nwant:\n%s", strings.Join(host.Done, "\n"), strings.Join(wantDone, "\n"))
	}
}

func TestSecondPlanIsEmpty(t *testing.T) {
	host := bareHost()
	if _, err := host.Converge(daemon("a\n")); err != nil {
		t.Fatal(err)
	}
	host.Done = nil
	plan, err := host.Converge(daemon("a\n"))
	if err != nil || !plan.Empty() || len(host.Done) > 0 {
		t.Errorf("second plan: %v\n%s\ndone %q", err, model.Text(plan), host.Done)
	}
}

func TestChangedFileIsRehearsedThenRestartsItsService(t *testing.T) {
	host := bareHost()
	if _, err := host.Converge(daemon("a\n")); err != nil {
		t.Fatal(err)
	}
	host.Done = nil
	if _, err := host.Converge(daemon("b\n")); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"check the new configuration of daemon.service", "note: restart daemon.service",
		"write /etc/daemon/daemon.conf", "restart daemon.service",
		"see that daemon.service stays up", "done: daemon.service",
	}
	if !slices.Equal(host.Done, want) {
		t.Errorf("done:\n%s", strings.Join(host.Done, "\n"))
	}
}

func TestRehearsalThatFailsTouchesNothing(t *testing.T) {
	host := bareHost()
	if _, err := host.Converge(daemon("a\n")); err != nil {
		t.Fatal(err)
	}
	before := host.Facts.Clone()
	host.Fail["check the new configuration of daemon.service"] = true
	_, err := host.Converge(daemon("bad\n"))
	var failed *engine.StepError
	if !errors.As(err, &failed) {
		t.Fatalf("error %v, want a failed step", err)
	}
	key := recipe.PathKey("/etc/daemon/daemon.conf")
	if host.Facts[key] != before[key] || host.Facts.Pending("daemon.service").Action != "" {
		t.Error("the live tree was touched")
	}
}

func TestServiceThatDoesNotSurviveGetsItsFilesBack(t *testing.T) {
	host := bareHost()
	if _, err := host.Converge(daemon("a\n")); err != nil {
		t.Fatal(err)
	}
	host.Done = nil
	failures := 0
	wanted := daemon("bad\n")
	host.Fail["restart daemon.service"] = true
	_, _, err := model.Apply(context.Background(), host, host, wanted, func(event engine.Event) {
		if ended, ok := event.(engine.StepEnded); ok && ended.Failed {
			failures++
			delete(host.Fail, "restart daemon.service") // the old files let it start
		}
	}, nil)
	var restored *engine.RestoredError
	if !errors.As(err, &restored) || !restored.Restored.Runs || failures != 1 {
		t.Fatalf("error %v after %d failures", err, failures)
	}
	want := []string{"restore /etc/daemon/daemon.conf", "restart daemon.service", "done: daemon.service"}
	if tail := host.Done[len(host.Done)-3:]; !slices.Equal(tail, want) {
		t.Errorf("done at the end: %q", tail)
	}
}

// A run died between a file and the restart; the next one finds out that the service does not
// survive it, and has to take back what the dead one did.
func TestChangeOfADeadRunIsTakenBackToo(t *testing.T) {
	dead := engine.Replacement{Resource: "file:/etc/daemon/daemon.conf", Back: recipe.Restore{Run: "000007", Number: 3, Path: "/etc/daemon/daemon.conf"}}
	for _, row := range []struct {
		name     string
		replaced map[string][]engine.Replacement
		state    string // of the service, after the dead run
		want     []string
	}{
		{"that killed a service", map[string][]engine.Replacement{"daemon.service": {dead}}, "failed", []string{"restore /etc/daemon/daemon.conf", "restart daemon.service", "done: daemon.service"}},
		{"that the service had not loaded", map[string][]engine.Replacement{"daemon.service": {dead}}, "active", []string{"restore /etc/daemon/daemon.conf", "restart daemon.service", "done: daemon.service"}},
		{"whose service never ran", nil, "inactive", nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			host := bareHost()
			if _, err := host.Converge(daemon("a\n")); err != nil {
				t.Fatal(err)
			}
			host.Done, host.Replaced = nil, row.replaced
			host.Facts.Apply([]recipe.Effect{
				recipe.Known(recipe.PendingKey("daemon.service"), recipe.Pending{Action: recipe.Restart}),
				recipe.Known(recipe.UnitKey("daemon.service"), recipe.Unit{Load: "loaded", Active: row.state, State: "enabled"}),
			})
			host.Fail["restart daemon.service"], host.Fail["start daemon.service"] = true, true
			wanted := daemon("a\n")
			_, _, err := model.Apply(t.Context(), host, host, wanted, func(event engine.Event) {
				if ended, ok := event.(engine.StepEnded); ok && ended.Failed {
					clear(host.Fail) // the old files let it start
				}
			}, nil)
			if err == nil || !slices.Equal(host.Done, row.want) {
				t.Errorf("error %v; done %q, want %q", err, host.Done, row.want)
			}
		})
	}
}

// forgetful is a host whose journals cannot be read.
type forgetful struct{ *model.Host }

func (forgetful) Unloaded(context.Context, string) ([]engine.Replacement, bool, error) {
	return nil, false, errors.New("unreadable")
}

func TestOwnChangeIsTakenBackAlsoWhenEarlierOnesAreNotKnown(t *testing.T) {
	host := bareHost()
	if _, err := host.Converge(daemon("a\n")); err != nil {
		t.Fatal(err)
	}
	host.Facts.Apply([]recipe.Effect{recipe.Known(recipe.PendingKey("daemon.service"), recipe.Pending{Action: recipe.Restart})})
	host.Fail["restart daemon.service"] = true
	wanted := daemon("bad\n")
	noted := ""
	_, _, err := model.Apply(t.Context(), forgetful{host}, host, wanted, func(event engine.Event) {
		switch event := event.(type) {
		case engine.StepEnded:
			if event.Failed {
				clear(host.Fail) // the old file lets it start
			}
		case engine.Note:
			noted += event.Text
		}
	}, nil)
	var restored *engine.RestoredError
	if !errors.As(err, &restored) || !restored.Restored.Runs || !strings.Contains(noted, "unreadable") {
		t.Errorf("error %v, noted %q, done %q", err, noted, host.Done)
	}
}

func TestPendingNotificationOfADeadRunIsAnswered(t *testing.T) {
	host := bareHost()
	if _, err := host.Converge(daemon("a\n")); err != nil {
		t.Fatal(err)
	}
	host.Done = nil
	host.Facts.Apply([]recipe.Effect{recipe.Known(recipe.PendingKey("daemon.service"), recipe.Pending{Action: recipe.Restart})})
	if _, err := host.Converge(daemon("a\n")); err != nil {
		t.Fatal(err)
	}
	if want := []string{"restart daemon.service", "see that daemon.service stays up", "done: daemon.service"}; !slices.Equal(host.Done, want) {
		t.Errorf("done: %q", host.Done)
	}
}

// found is what a host answers to a recipe's questions.
func found(t *testing.T, host *model.Host, wanted recipe.Recipe) recipe.Facts {
	t.Helper()
	answer, err := host.Probe(t.Context(), wanted.Probes())
	if err != nil {
		t.Fatal(err)
	}
	return answer.Facts
}

func TestStalePlanDoesNothing(t *testing.T) {
	host := bareHost()
	wanted := daemon("a\n")
	plan, err := engine.NewPlan(wanted, recipe.Facts{})
	if err != nil {
		t.Fatal(err)
	}
	host.Facts.Apply([]recipe.Effect{recipe.Known(recipe.PathKey("/etc/daemon"), recipe.Path{Type: recipe.PathDirectory, Mode: 0o700, Owner: "root", Group: "root"})})
	_, err = engine.Run{Host: host, Session: host, Wanted: wanted, Plan: plan, Observe: func(engine.Event) {}}.Apply(context.Background(), found(t, host, wanted))
	if !errors.Is(err, engine.ErrStale) || len(host.Done) > 0 {
		t.Errorf("error %v, done %q", err, host.Done)
	}
}

// What a run that died had begun may be done when the next one gets the lock.
func TestLessThanWasAnnouncedIsDone(t *testing.T) {
	host := bareHost()
	wanted := daemon("a\n")
	plan, err := engine.NewPlan(wanted, recipe.Facts{})
	if err != nil {
		t.Fatal(err)
	}
	host.Facts.Apply([]recipe.Effect{recipe.Known(recipe.PathKey("/etc/daemon"), recipe.Path{Type: recipe.PathDirectory, Mode: 0o755, Owner: "root", Group: "root"})})
	run := engine.Run{Host: host, Session: host, Wanted: wanted, Plan: plan, Observe: func(engine.Event) {}}
	if _, err = run.Apply(context.Background(), found(t, host, wanted)); err != nil {
		t.Fatal(err)
	}
	if slices.Contains(host.Done, "make directory /etc/daemon") || len(host.Done) == 0 {
		t.Errorf("done %q", host.Done)
	}
}

func TestWhatDoesNotConvergeIsSaid(t *testing.T) {
	host := bareHost()
	host.Brings["daemon"] = append(host.Brings["daemon"],
		// The package changes the mode of a file that is ours, and did not say so.
		recipe.Known(recipe.PathKey("/etc/daemon"), recipe.Path{Type: recipe.PathDirectory, Mode: 0o700, Owner: "root", Group: "root"}))
	_, err := host.Converge(daemon("a\n"))
	if !errors.Is(err, engine.ErrNotConverged) || !strings.Contains(err.Error(), "mode is 0700, want 0755") {
		t.Errorf("error: %v", err)
	}
}

func TestInterruptStopsBetweenSteps(t *testing.T) {
	host := bareHost()
	wanted := daemon("a\n")
	stop := make(chan struct{})
	closed := false
	_, _, err := model.Apply(context.Background(), host, host, wanted, func(event engine.Event) {
		if ended, ok := event.(engine.StepEnded); ok && strings.HasPrefix(ended.Title, "write") && !closed {
			closed = true
			close(stop)
		}
	}, stop)
	if !errors.Is(err, engine.ErrInterrupted) || slices.Contains(host.Done, "install daemon") {
		t.Errorf("error %v, done %q", err, host.Done)
	}
	// The next run goes on where this one stopped.
	if _, err := host.Converge(wanted); err != nil || !slices.Contains(host.Done, "start daemon.service") {
		t.Errorf("rerun: %v, done %q", err, host.Done)
	}
}

// Each of several things that take long can be the last.
func TestInterruptStopsBetweenLongSteps(t *testing.T) {
	exec := func(name string) recipe.Item {
		return recipe.Item{Resource: resource.Command{Name: name, Script: "true", Unless: "test -e /" + name}}
	}
	service := func(name string) recipe.Item { return recipe.Item{Resource: resource.Service{Unit: name + ".service"}} }
	wanted := recipe.Recipe{Items: []recipe.Item{exec("first"), exec("second"), service("a"), service("b"), exec("third")}}
	for _, row := range []struct{ stopped, last string }{
		{"first", "first"},
		{"second", "second"},
		{"start a.service", "see that b.service stays up"}, // they are watched together
	} {
		host := bareHost()
		stop := make(chan struct{})
		_, _, err := model.Apply(context.Background(), host, host, wanted, func(event engine.Event) {
			if began, ok := event.(engine.StepBegan); ok && began.Title == row.stopped {
				close(stop)
			}
		}, stop)
		if !errors.Is(err, engine.ErrInterrupted) || host.Done[len(host.Done)-1] != row.last {
			t.Errorf("stopped in %s: error %v, done %q", row.stopped, err, host.Done)
		}
	}
}
