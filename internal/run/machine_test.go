package run

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"provision/internal/engine"
	"provision/internal/recipe"
	"provision/internal/script"
)

// machine is this machine, without SSH, as a run sees it from a mount namespace of its own:
// /var/lib and /usr/sbin are directories of the test. As /usr/sbin is the first in the runner's
// PATH, what stands there goes before the real commands.
type machine struct {
	dir    string
	before func()          // is called between a plan and its changes
	asked  bool            // somebody looks at the plans: a stale one is not made anew
	told   strings.Builder // what a person would be shown: notes, and each diff with both sides

	remembering Remembering // how it deals with what is remembered

	last kept // what it has said of itself, where that is kept

	patience time.Duration // with the lock
	silence  time.Duration // of a question
	stop     chan struct{} // is closed when the lock is waited for, where it is not nil
}

// onMachine starts the test anew in such a namespace, where it does something on the machine.
func onMachine(t *testing.T, does func(*machine)) {
	t.Helper()
	const name = "PROVISION_TEST_MACHINE"
	if dir := os.Getenv(name); dir != "" {
		does(&machine{dir: dir})
		return
	}
	if os.Geteuid() != 0 {
		t.Skip("needs root, for mount namespaces")
	}
	t.Parallel()
	dir := t.TempDir()
	for _, sub := range []string{"root", "lib", "sbin"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	const enter = `mount --bind "$0/lib" /var/lib && mount --bind "$0/sbin" /usr/sbin && exec "$@"`
	cmd := exec.Command("unshare", "-m", "--propagation", "private", "sh", "-c", enter, dir, os.Args[0], "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), name+"="+dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// path is one of a file that the tests change.
func (m *machine) path(name string) string { return m.dir + "/root/" + name }

func (m *machine) read(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(m.path(name))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return string(content)
}

// remembered is a file of what the host keeps.
func (m *machine) remembered(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(script.State + "/" + name)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return string(content)
}

func (m *machine) write(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

// killedWhen has the runner killed, with all that it has started, as soon as a condition in sh
// holds when something is to be written into the journal.
func (m *machine) killedWhen(t *testing.T, condition string) {
	t.Helper()
	m.write(t, m.dir+"/sbin/date", `#!/bin/sh
if `+condition+`; then kill -9 0; fi
exec /usr/bin/date "$@"
`, 0o755)
}

// survives takes back what killedWhen did.
func (m *machine) survives(t *testing.T) {
	t.Helper()
	if err := os.Remove(m.dir + "/sbin/date"); err != nil {
		t.Fatal(err)
	}
}

// does runs a task's recipe or, without resources, takes its last run back, and returns how that
// ended.
func (m *machine) does(t *testing.T, resources ...recipe.Resource) engine.Finished {
	t.Helper()
	if len(resources) == 0 {
		return m.works(t, "rollback", Blueprint{}, Rollback("x"))
	}
	return m.works(t, "install", Blueprint{Tasks: []recipe.Task{taskOf("x", resources...)}}, Install)
}

// taskOf is a task that wants resources.
func taskOf(name string, resources ...recipe.Resource) recipe.Task {
	return recipe.Task{Name: name, Build: func(recipe.Input) (recipe.Recipe, error) {
		var r recipe.Recipe
		for _, resource := range resources {
			r.Add(resource)
		}
		return r, nil
	}}
}

// named are tasks of which only the names matter.
func named(names ...string) []recipe.Task {
	var tasks []recipe.Task
	for _, name := range names {
		tasks = append(tasks, recipe.Task{Name: name})
	}
	return tasks
}

// removes takes away what a task wanted.
func (m *machine) removes(t *testing.T, task string) engine.Finished {
	t.Helper()
	return m.works(t, "remove", Blueprint{Removes: named(task)}, Install)
}

func (m *machine) works(t *testing.T, verb string, blueprint Blueprint, does func(context.Context, []Work, Settings) ([]Result, error)) engine.Finished {
	t.Helper()
	blueprint.Remembering = m.remembering
	work := []Work{{Target: Target{Name: "here", Local: true}, Blueprint: blueprint}}
	m.told.Reset()
	settings := Settings{Forks: 1, Patience: m.patience, Silence: m.silence, Stop: m.stop, Unasked: !m.asked, Observe: func(e engine.HostEvent) { m.hear(e.Event) }}
	if m.last != nil {
		settings.Last = m.last
	}
	settings.Header.Verb = verb
	settings.Confirm = func() bool {
		if m.before != nil {
			m.before()
		}
		return true
	}
	results, err := does(t.Context(), work, settings)
	if err != nil || len(results) != 1 {
		t.Fatalf("%v, %v", results, err)
	}
	return results[0].Finished
}

func (m *machine) hear(event engine.Event) {
	switch event := event.(type) {
	case engine.Note:
		m.told.WriteString(event.Text + "\n")
		if m.stop != nil && strings.HasPrefix(event.Text, "waiting for the lock") {
			close(m.stop)
		}
	case engine.Printed:
		m.told.WriteString(event.Line + "\n")
	case engine.PlanMade:
		for _, planned := range event.Plan.Changes() {
			m.told.WriteString(planned.Item.Resource.ID() + " " + string(planned.Change.Kind) + "\n")
			if diff := planned.Change.Diff; diff != nil && !diff.Secret {
				m.told.WriteString(string(diff.Before) + string(diff.After))
				if before, after, large := diff.Sizes(); large {
					fmt.Fprintf(&m.told, "%d bytes become %d\n", before, after)
				}
			}
		}
	}
}

// is fails unless a run ended as it should.
func is(t *testing.T, found engine.Finished, status ...engine.Status) {
	t.Helper()
	if !slices.Contains(status, found.Status) {
		t.Fatalf("%s: %v", found.Status, found.Err)
	}
}

// remembers reports whether a text is anywhere in the host's memory.
func (m *machine) remembers(t *testing.T, text string) bool {
	t.Helper()
	found := false
	err := filepath.WalkDir("/var/lib/provision", func(path string, entry os.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(path)
		found = found || strings.Contains(string(content), text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}
