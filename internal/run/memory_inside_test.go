package run

import (
	"os"
	"strings"
	"testing"

	"provision/internal/engine"
	"provision/internal/recipe"
	"provision/internal/resource"
)

// A directory that would go with all that is in it stays while another task wants something in it, and
// goes when nobody does any more.
func TestADirectoryInWhichAnotherTaskWantsSomethingStays(t *testing.T) {
	onMachine(t, func(m *machine) {
		d := m.path("d")
		for name, row := range map[string]struct {
			whole recipe.Resource
			inner recipe.Resource
			file  string
		}{
			"data":          {resource.Directory{Path: d, Data: true}, resource.File{Path: d + "/b.conf", Content: "b"}, "d/b.conf"},
			"tree":          {resource.Tree{Path: d, Files: []resource.TreeFile{{Name: "a", Content: "a"}}}, resource.File{Path: d + "/b.conf", Content: "b"}, "d/b.conf"},
			"a line":        {resource.Tree{Path: d, Files: []resource.TreeFile{{Name: "a", Content: "a\n"}}}, resource.Line{Path: d + "/a", Line: "b"}, "d/a"},
			"what it makes": {resource.Directory{Path: d, Data: true}, resource.Command{Name: "make", Unless: "[ -f " + d + "/b ]", Script: "echo b >" + d + "/b", Makes: []string{d + "/b"}}, "d/b"},
		} {
			m.arrange(t)
			before := m.snapshot(t)
			installs := func(tasks ...recipe.Task) engine.Finished {
				return m.works(t, "install", Blueprint{Tasks: tasks}, Install)
			}
			is(t, installs(taskOf("a", row.whole)), engine.StatusChanged)
			m.unaware(t, "a", func() { is(t, installs(taskOf("b", row.inner)), engine.StatusChanged) })
			is := func(found engine.Finished, want engine.Status) {
				t.Helper()
				if found.Status != want {
					t.Errorf("%s: %s: %v", name, found.Status, found.Err)
				}
			}
			wanted := m.read(t, row.file)
			m.remembering.Purge = true
			if found := m.removes(t, "a"); found.Status == engine.StatusFailed {
				t.Errorf("%s: %v", name, found.Err)
			}
			if told := m.told.String(); m.read(t, row.file) != wanted || !strings.Contains(told, " "+d+" stays: b wants ") {
				t.Errorf("%s: a removed, %s is %q, told:\n%s", name, row.file, m.read(t, row.file), told)
			}
			is(m.removes(t, "b"), engine.StatusChanged)
			is(m.removes(t, "a"), engine.StatusChanged)
			sameLines(t, name+", both removed", m.snapshot(t), before)

			is(installs(taskOf("a", row.whole)), engine.StatusChanged)
			m.unaware(t, "a", func() { is(installs(taskOf("b", row.inner)), engine.StatusChanged) })
			if found := m.works(t, "remove", Blueprint{Removes: named("b", "a")}, Install); found.Status != engine.StatusChanged {
				t.Errorf("%s: %s: %v", name, found.Status, found.Err)
			}
			sameLines(t, name+", removed together", m.snapshot(t), before)
			m.remembering.Purge = false
		}
	})
}

// unaware does something while the host does not know of a task, as an older version did not look: so
// there is something in a directory that is wanted as a whole.
func (m *machine) unaware(t *testing.T, task string, do func()) {
	t.Helper()
	note, away := recipe.MemoryPath(task), recipe.State+"/of-"+task
	if err := os.Rename(note, away); err != nil {
		t.Fatal(err)
	}
	do()
	if err := os.Rename(away, note); err != nil {
		t.Fatal(err)
	}
}

// What another task wants in a directory of which only the host knows that it is wanted as a whole is
// refused, at its place, and nothing is changed.
func TestNothingIsWantedInATreeThatTheHostKnows(t *testing.T) {
	onMachine(t, func(m *machine) {
		d := m.path("d")
		m.arrange(t)
		installs := func(tasks ...recipe.Task) engine.Finished {
			return m.works(t, "install", Blueprint{Tasks: tasks}, Install)
		}
		is(t, installs(taskOf("a", resource.Tree{Path: d, Files: []resource.TreeFile{{Name: "a", Content: "a\n"}}})), engine.StatusChanged)
		for _, inner := range []recipe.Resource{
			resource.File{Path: d + "/b.conf", Content: "b"}, resource.Line{Path: d + "/a", Line: "b"}, resource.Secret{Path: d + "/key"},
			resource.Command{Name: "make", Unless: "[ -f " + d + "/b ]", Script: "echo b >" + d + "/b", Makes: []string{d + "/b"}},
		} {
			found := installs(taskOf("b", inner))
			if found.Status != engine.StatusFailed || found.Err == nil || !strings.Contains(found.Err.Error(), "is in "+d+", which a wants here as a whole") {
				t.Errorf("%s: %s: %v", inner.ID(), found.Status, found.Err)
			}
			if left, err := os.ReadDir(d); err != nil || len(left) != 2 || m.read(t, "d/a") != "a\n" {
				t.Errorf("%s: %v, %v", inner.ID(), left, err)
			}
		}
		is(t, installs(taskOf("b", resource.File{Path: d + ".conf", Content: "b"})), engine.StatusChanged)
		is(t, m.removes(t, "a"), engine.StatusChanged)
		is(t, installs(taskOf("b", resource.Directory{Path: d}, resource.File{Path: d + "/b.conf", Content: "b"})), engine.StatusChanged)
	})
}

// A directory that no task wants as a whole any more stays for what the same task wants in it now, and
// that is told.
func TestATreeThatBecomesAFileInItStays(t *testing.T) {
	onMachine(t, func(m *machine) {
		m.arrange(t)
		before := m.snapshot(t)
		is(t, m.does(t, resource.Tree{Path: m.path("d"), Files: []resource.TreeFile{{Name: "a", Content: "a"}}}), engine.StatusChanged)
		file := resource.File{Path: m.path("d/b"), Content: "b"}
		is(t, m.does(t, file), engine.StatusChanged)
		if told := m.told.String(); m.read(t, "d/b") != "b" || !strings.Contains(told, "x: tree "+m.path("d")+" stays: x wants file "+m.path("d/b")) {
			t.Errorf("it is %q, told:\n%s", m.read(t, "d/b"), told)
		}
		is(t, m.does(t, file), engine.StatusSame)
		is(t, m.removes(t, "x"), engine.StatusChanged)
		sameLines(t, "removed", m.snapshot(t), before)
	})
}

// A tree stays for what stays in it, as a secret without a purge, though all that wanted either leaves.
func TestATreeStaysForASecretInIt(t *testing.T) {
	onMachine(t, func(m *machine) {
		for _, order := range [][]string{{"a", "b"}, {"b", "a"}} {
			m.arrange(t)
			key := m.path("d/key")
			install := func(task recipe.Task) engine.Finished {
				return m.works(t, "install", Blueprint{Tasks: []recipe.Task{task}}, Install)
			}
			is(t, install(taskOf("a", resource.Tree{Path: m.path("d"), Files: []resource.TreeFile{{Name: "a", Content: "a"}}})), engine.StatusChanged)
			m.unaware(t, "a", func() { is(t, install(taskOf("b", resource.Secret{Path: key})), engine.StatusChanged) })
			secret := m.read(t, "d/key")
			if found := m.works(t, "remove", Blueprint{Removes: named(order...)}, Install); found.Status == engine.StatusFailed {
				t.Error(found.Err)
			}
			if told := m.told.String(); m.read(t, "d/key") != secret || !strings.Contains(told, "secret "+key) || !strings.Contains(told, "tree "+m.path("d")) {
				t.Errorf("it is %q, told:\n%s", m.read(t, "d/key"), told)
			}
		}
	})
}
