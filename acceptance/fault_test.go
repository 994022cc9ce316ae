package acceptance

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"provision/internal/engine"
	"provision/internal/journal"
	"provision/internal/lab"
	"provision/internal/lab/labtest"
	"provision/internal/recipe"
	"provision/internal/remote"
	want "provision/internal/resource"
	"provision/internal/run"
)

// faulty is a lab host on which something is made to go wrong, and small recipes are run.
// Faults that need packages use netbase and media-types: they are small, and no host has them.
type faulty struct {
	machine
	target run.Target
}

func newFaulty(t *testing.T, name string) faulty {
	t.Helper()
	l := labtest.Open(t)
	host := bare(t, l, "bookworm", name)
	return faulty{host, targetOf(l, host, "root")}
}

func targetOf(l *lab.Lab, host machine, user string) run.Target {
	return run.Target{
		Name:    host.Name,
		Address: remote.Address{User: user, Host: host.Address.String()},
		Config: remote.Config{
			ConfigFile: "none", Identities: []string{l.Identity()}, KnownHosts: l.KnownHosts(),
			SudoPassword: func(string) ([]byte, error) { return []byte("lab"), nil },
		},
	}
}

// through reaches the host through a relay.
func (f faulty) through(relay string) faulty {
	host, port, _ := strings.Cut(relay, ":")
	f.target.Config.Options = []string{"HostName=" + host, "Port=" + port, "HostKeyAlias=" + f.Address.String()}
	return f
}

// told is what a run told of a host.
type told struct {
	run.Result
	notes, output []string
	plan          engine.Plan
	events        []engine.HostEvent
	elapsed       time.Duration
}

func (o told) noted(part string) bool {
	return strings.Contains(strings.Join(o.notes, "\n"), part)
}

// printed is what steps printed, and what a failed one did.
func (o told) printed() string {
	text := strings.Join(o.output, "\n")
	var failed *engine.StepError
	if errors.As(o.Err, &failed) {
		text += "\n" + failed.Output
	}
	return text
}

// is ends the test when the run did not end so.
func (o told) is(t *testing.T, status engine.Status) told {
	t.Helper()
	if o.Status != status {
		t.Fatalf("%s: %s, want %s\n%v\nnotes %q\n%s", o.Host, o.Status, status, o.Err, o.notes, tail(o.printed(), 3000))
	}
	return o
}

func (o told) says(t *testing.T, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(fmt.Sprint(o.Err)+"\n"+o.printed(), part) {
			t.Errorf("does not say %q:\n%v\n%s", part, o.Err, tail(o.printed(), 2000))
		}
	}
}

// change is a way to run: its settings, and what is done while it goes on.
type change struct {
	patience time.Duration
	stop     chan struct{}
	on       func(engine.Event) // told every event, in order
}

// install makes the host what resources want.
func (f faulty) install(t *testing.T, with change, resources ...recipe.Resource) told {
	t.Helper()
	return f.build(t, with, func(r *recipe.Recipe) {
		for _, wanted := range resources {
			r.Add(wanted)
		}
	})
}

// build is install for resources that notify services.
func (f faulty) build(t *testing.T, with change, build func(*recipe.Recipe)) told {
	t.Helper()
	return f.runs(t, run.Install, with, build)
}

func (f faulty) runs(t *testing.T, do func(context.Context, []run.Work, run.Settings) ([]run.Result, error), with change, build func(*recipe.Recipe)) told {
	t.Helper()
	var mu sync.Mutex
	var o told
	settings := run.Settings{
		Forks: 1, Patience: with.patience, Stop: with.stop,
		Header: journal.Header{Verb: "install", By: "tester@" + f.Name, Version: "test"},
		Observe: func(e engine.HostEvent) {
			mu.Lock()
			switch event := e.Event.(type) {
			case engine.Note:
				o.notes = append(o.notes, event.Text)
			case engine.Output:
				if len(o.output) < 10_000 {
					o.output = append(o.output, event.Line)
				}
			case engine.PlanMade:
				o.plan = event.Plan
			}
			if len(o.events) < 10_000 {
				o.events = append(o.events, e)
			}
			mu.Unlock()
			if with.on != nil {
				with.on(e.Event)
			}
		},
	}
	began := time.Now()
	results, err := do(t.Context(), []run.Work{f.work(build)}, settings)
	if err != nil {
		t.Fatal(err)
	}
	o.Result, o.elapsed = results[0], time.Since(began)
	return o
}

// work is a recipe for the host.
func (f faulty) work(build func(*recipe.Recipe)) run.Work {
	task := recipe.Task{Name: "fault", Build: func(recipe.Input) (recipe.Recipe, error) {
		var r recipe.Recipe
		build(&r)
		return r, nil
	}}
	return run.Work{Target: f.target, Blueprint: run.Blueprint{
		Tasks: []recipe.Task{task}, Values: map[string]recipe.Values{"fault": {}}, Address: f.Address.String(),
	}}
}

// clean fails the test when a run that is over has left something.
func (f faulty) clean(t *testing.T) {
	t.Helper()
	if left := f.leftovers(t); len(left) > 0 {
		t.Errorf("%s: left %q", f.Name, left)
	}
}

// at calls then once, when the step with that title begins.
func at(title string, then func()) func(engine.Event) {
	var first sync.Once
	return func(event engine.Event) {
		if began, ok := event.(engine.StepBegan); ok && began.Title == title {
			first.Do(then)
		}
	}
}

// once is a command that runs once.
func once(name, text string) want.Command {
	return want.Command{Name: name, Unless: "[ -e /var/tmp/done-" + strings.ReplaceAll(name, " ", "-") + " ]",
		Script: text + "\n: >/var/tmp/done-" + strings.ReplaceAll(name, " ", "-")}
}

const simpleUnit = "[Service]\nExecStart=/bin/sleep 1000\n[Install]\nWantedBy=multi-user.target\n"
