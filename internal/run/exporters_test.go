package run

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"provision/internal/engine"
	"provision/internal/recipe"
	"provision/internal/remote"
	"provision/internal/resource"
)

// trust is a try of two hosts, both this machine: ca1 brings a file, and node1 wants it.
type trust struct {
	m         *machine
	exporters []Exporter
	last      kept
	notes     []string
	awaits    map[string][]string
	late      map[string]bool // of the last plan of each host
}

// trusting are hosts of which each exports a file of its name.
func trusting(m *machine, names ...string) *trust {
	w := &trust{m: m, last: kept{}}
	for _, name := range names {
		w.exporters = append(w.exporters, Exporter{Target: Target{Name: name, Local: true}, Exports: map[string]recipe.Export{"ca.ca": {Name: "ca", Path: m.path(name)}}})
	}
	return w
}

// task writes a file, of what another host exports where that is named.
func (w *trust) task(name, file, content, peer string) recipe.Task {
	return recipe.Task{Name: name, Build: func(in recipe.Input) (recipe.Recipe, error) {
		var r recipe.Recipe
		if peer != "" {
			said, known := in.Exported(peer, "ca", "ca")
			if said.Problem != "" {
				return r, &recipe.SourceError{Problem: said.Problem, Guessed: !known}
			}
			content = said.Text
		}
		r.Add(resource.File{Path: w.m.path(file), Content: content})
		return r, nil
	}}
}

func (w *trust) does(t *testing.T, do func(context.Context, []Work, Settings) ([]Result, error), hosts map[string]recipe.Task) map[string]engine.Finished {
	t.Helper()
	var work []Work
	for _, name := range []string{"ca1", "node1"} {
		if task, there := hosts[name]; there {
			work = append(work, Work{Target: Target{Name: name, Local: true}, Blueprint: Blueprint{Tasks: []recipe.Task{task}}})
		}
	}
	var mu sync.Mutex
	w.notes, w.awaits, w.late = nil, map[string][]string{}, map[string]bool{}
	settings := Settings{Forks: 2, Patience: time.Minute, Unasked: true, Exporters: w.exporters, Last: w.last, Approve: func(host string, _ engine.Plan, late bool) error {
		mu.Lock()
		defer mu.Unlock()
		w.late[host] = late
		return nil
	}, Observe: func(e engine.HostEvent) {
		if note, ok := e.Event.(engine.Note); ok {
			w.notes = append(w.notes, e.Host+": "+note.Text)
		}
	}}
	settings.Header.Verb = "install"
	results, err := do(t.Context(), work, settings)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]engine.Finished{}
	for _, result := range results {
		all[result.Host], w.awaits[result.Host] = result.Finished, result.Awaits
	}
	return all
}

func (w *trust) told(text string) bool { return strings.Contains(strings.Join(w.notes, "\n"), text) }

func TestExports(t *testing.T) {
	onMachine(t, func(m *machine) {
		w := &trust{m: m, last: kept{}}
		w.exporters = []Exporter{{Target: Target{Name: "ca1", Local: true}, Exports: map[string]recipe.Export{"ca.ca": {Name: "ca", Path: m.path("ca.crt")}}}}
		both := map[string]recipe.Task{"ca1": w.task("ca", "ca.crt", "of ca1\n", ""), "node1": w.task("node", "trusted", "", "ca1")}
		node := map[string]recipe.Task{"node1": both["node1"]}

		// Without what it wants, a host fails alone; and a plan says that it waits.
		alone := w.does(t, Plan, node)["node1"]
		if alone.Status != engine.StatusFailed || alone.Err == nil || !strings.Contains(alone.Err.Error(), recipe.NotYet) {
			t.Errorf("%s: %v", alone.Status, alone.Err)
		}
		planned := w.does(t, Plan, both)
		is(t, planned["ca1"], engine.StatusPending)
		is(t, planned["node1"], engine.StatusPending)
		if !w.told("node1: is planned after ca1: node: " + recipe.NotYet) {
			t.Errorf("told %q", w.notes)
		}
		if got := w.awaits["node1"]; len(got) != 1 || got[0] != "ca1" || len(w.awaits["ca1"]) > 0 {
			t.Errorf("node1 awaits %q, ca1 %q", got, w.awaits["ca1"])
		}
		// An install brings the one first, and says of the other's plan that it comes late.
		installed := w.does(t, Install, both)
		if w.late["ca1"] || !w.late["node1"] {
			t.Errorf("late are %v", w.late)
		}
		is(t, installed["ca1"], engine.StatusChanged)
		is(t, installed["node1"], engine.StatusChanged)
		if got := m.read(t, "trusted"); got != "of ca1\n" {
			t.Errorf("trusted is %q", got)
		}
		is(t, w.does(t, Install, both)["node1"], engine.StatusSame)

		// A host outside of the run is read too, and what it has now counts.
		m.write(t, m.path("ca.crt"), "another\n", 0o644)
		is(t, w.does(t, Install, node)["node1"], engine.StatusChanged)
		if got := m.read(t, "trusted"); got != "another\n" {
			t.Errorf("trusted is %q", got)
		}
		w.refuses(t, node)
		w.unreachable(t, node)
	})
}

// refuses tries what is no public file.
func (w *trust) refuses(t *testing.T, node map[string]recipe.Task) {
	ca := w.m.path("ca.crt")
	for want, spoil := range map[string]func() error{
		"is not public: its mode is 0640": func() error { return os.Chmod(ca, 0o640) },
		"has more than 4096 bytes":        func() error { return os.WriteFile(ca, make([]byte, recipe.MostExported+1), 0o644) },
		"is no text":                      func() error { return os.WriteFile(ca, []byte("\x00"), 0o644) },
		"is a link, and no file":          func() error { return errors.Join(os.Remove(ca), os.Symlink("/etc/passwd", ca)) },
		"is a directory, and no file":     func() error { return errors.Join(os.Remove(ca), os.Mkdir(ca, 0o755)) },
	} {
		if err := spoil(); err != nil {
			t.Fatal(err)
		}
		refused := w.does(t, Install, node)["node1"]
		if refused.Status != engine.StatusFailed || refused.Err == nil || !strings.Contains(refused.Err.Error(), want) {
			t.Errorf("%s: %s: %v", want, refused.Status, refused.Err)
		}
		os.Remove(ca)
		w.m.write(t, ca, "another\n", 0o644)
	}
	is(t, w.does(t, Install, node)["node1"], engine.StatusSame)
}

// unreachable tries a host that cannot be asked: its last copy is taken, and that is told.
func (w *trust) unreachable(t *testing.T, node map[string]recipe.Task) {
	w.exporters[0].Target = Target{Name: "ca1", Address: remote.Address{User: "root", Host: "127.0.0.1", Port: 1}, Config: remote.Config{ConfigFile: "none"}}
	is(t, w.does(t, Install, node)["node1"], engine.StatusSame)
	if !w.told("node1: ca1 cannot be asked for what it exports") || !w.told("a copy from before is taken") {
		t.Errorf("told %q", w.notes)
	}
	w.last = kept{}
	failed := w.does(t, Install, node)["node1"]
	if failed.Status != engine.StatusFailed || failed.Err == nil || !strings.Contains(failed.Err.Error(), recipe.Unread) {
		t.Errorf("%s: %v", failed.Status, failed.Err)
	}
}

// Hosts that wait for each other are told so, and nothing is changed.
func TestExportsInACircle(t *testing.T) {
	onMachine(t, func(m *machine) {
		w := trusting(m, "ca1", "node1")
		for host, end := range w.does(t, Install, map[string]recipe.Task{"ca1": w.task("a", "a", "", "node1"), "node1": w.task("b", "b", "", "ca1")}) {
			if end.Status != engine.StatusFailed || end.Err == nil || !strings.Contains(end.Err.Error(), recipe.NotYet) {
				t.Errorf("%s: %s: %v", host, end.Status, end.Err)
			}
		}
	})
}

// mutual is a task that brings a file, and a list of what its peer exports, which goes without it where
// that is not there yet; it is proved by the list.
func (w *trust) mutual(name, peer string) recipe.Task {
	return recipe.Task{
		Name: name, // both are of one machine, which remembers each
		Build: func(in recipe.Input) (recipe.Recipe, error) {
			said, _ := in.Exported(peer, "ca", "ca")
			var r recipe.Recipe
			r.Add(resource.File{Path: w.m.path(name), Content: "of " + name + "\n"})
			if said.Problem == "" {
				r.Add(resource.File{Path: w.m.path(name + ".trusted"), Content: said.Text})
			}
			return r, nil
		},
		Verify: func(recipe.Input) ([]recipe.Check, error) {
			return []recipe.Check{{Name: "it trusts", From: recipe.FromHost, Command: &recipe.CommandCheck{Script: "cat " + w.m.path(name+".trusted"), Contains: "of " + peer}}}, nil
		},
	}
}

// A host that can go without what it exports itself is planned again after it has brought that.
func TestExportsOfItself(t *testing.T) {
	onMachine(t, func(m *machine) {
		w := trusting(m, "ca1")
		own := map[string]recipe.Task{"ca1": w.mutual("ca1", "ca1")}
		is(t, w.does(t, Plan, own)["ca1"], engine.StatusPending)
		if !w.told("ca1: goes without what it exports itself, and is planned again after that: it is not there yet") || len(w.awaits["ca1"]) != 1 {
			t.Errorf("told %q, awaits %q", w.notes, w.awaits["ca1"])
		}
		is(t, w.does(t, Install, own)["ca1"], engine.StatusChanged)
		if got := m.read(t, "ca1.trusted"); got != "of ca1\n" {
			t.Errorf("it trusts %q", got)
		}
		is(t, w.does(t, Install, own)["ca1"], engine.StatusSame)

		// One that cannot be built without it is told what to write.
		os.Remove(m.path("ca1"))
		failed := w.does(t, Install, map[string]recipe.Task{"ca1": w.task("ca", "ca1", "", "ca1")})["ca1"]
		if failed.Status != engine.StatusFailed || failed.Err == nil || !strings.Contains(failed.Err.Error(), recipe.NotYet) {
			t.Errorf("%s: %v", failed.Status, failed.Err)
		}
	})
}

// Hosts that can go without what the other has not yet are whole after one run, and proved then.
func TestExportsOfEachOther(t *testing.T) {
	onMachine(t, func(m *machine) {
		w := trusting(m, "ca1", "node1")
		both := map[string]recipe.Task{"ca1": w.mutual("ca1", "node1"), "node1": w.mutual("node1", "ca1")}
		planned := w.does(t, Plan, both)
		is(t, planned["ca1"], engine.StatusPending)
		if !w.told("ca1: goes without what node1 export, and is planned again after them: it is not there yet") {
			t.Errorf("told %q", w.notes)
		}
		installed := w.does(t, Install, both)
		for name, peer := range map[string]string{"ca1": "node1", "node1": "ca1"} {
			is(t, installed[name], engine.StatusChanged)
			if got := m.read(t, name+".trusted"); got != "of "+peer+"\n" || installed[name].Changed < 2 {
				t.Errorf("%s trusts %q after %d changes", name, got, installed[name].Changed)
			}
		}
		again := w.does(t, Install, both)
		is(t, again["ca1"], engine.StatusSame)
		is(t, again["node1"], engine.StatusSame)

		// One that comes to others is proved when they know it, though it goes without nothing.
		for _, file := range []string{"ca1", "node1.trusted"} {
			os.Remove(m.path(file))
		}
		whole := both["ca1"].Verify
		ca1 := both["ca1"]
		ca1.Verify = func(in recipe.Input) ([]recipe.Check, error) {
			made, err := whole(in)
			return append(made, recipe.Check{Name: "it is trusted", From: recipe.FromHost, Within: 20 * time.Second, Command: &recipe.CommandCheck{Script: "cat " + m.path("node1.trusted"), Contains: "of ca1"}}), err
		}
		both["ca1"] = ca1
		later := w.does(t, Install, both)
		is(t, later["ca1"], engine.StatusChanged)
		is(t, later["node1"], engine.StatusChanged)

		// What no host of the run brings is told, and the proof says what is missing.
		for _, file := range []string{"ca1", "ca1.trusted", "node1", "node1.trusted"} {
			os.Remove(m.path(file))
		}
		alone := w.does(t, Install, map[string]recipe.Task{"ca1": both["ca1"]})["ca1"]
		if alone.Status != engine.StatusFailed || !errors.Is(alone.Err, engine.ErrVerify) || !w.told("ca1: goes without what node1 export: it is not there yet") {
			t.Errorf("%s: %v; told %q", alone.Status, alone.Err, w.notes)
		}
	})
}
