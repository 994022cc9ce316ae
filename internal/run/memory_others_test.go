package run

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"provision/internal/engine"
	"provision/internal/recipe"
	"provision/internal/resource"
)

// What another run notes while somebody is asked about a plan makes that plan stale: what it wants
// too stays.
func TestAnotherRunNotesBeforeTheChanges(t *testing.T) {
	onMachine(t, func(m *machine) {
		shared := resource.File{Path: m.path("shared"), Content: "shared"}
		own := resource.File{Path: m.path("own"), Content: "own"}
		for _, asked := range []bool{true, false} {
			m.arrange(t)
			m.asked = false
			is(t, m.does(t, shared, own), engine.StatusChanged)
			m.asked = asked
			m.before = func() {
				m.before = nil
				is(t, m.works(t, "install", Blueprint{Tasks: []recipe.Task{taskOf("y", shared, resource.File{Path: m.path("y"), Content: "y"})}}, Install), engine.StatusChanged)
			}
			found := m.removes(t, "x")
			want := map[bool]engine.Status{true: engine.StatusStale, false: engine.StatusChanged}[asked]
			is(t, found, want)
			if own := map[bool]string{true: "own", false: ""}[asked]; m.read(t, "shared") != "shared" || m.read(t, "own") != own {
				t.Errorf("asked %t: shared is %q, own is %q", asked, m.read(t, "shared"), m.read(t, "own"))
			}
		}
	})
}

// A memory that cannot be read stops every run that would change something by what is remembered, and
// the error says which file it is and what to do. Then what it noted stays.
func TestMemoryThatCannotBeRead(t *testing.T) {
	onMachine(t, func(m *machine) {
		file := func(name string) resource.File { return resource.File{Path: m.path(name), Content: name} }
		install := func(name string, resources ...recipe.Resource) engine.Finished {
			return m.works(t, "install", Blueprint{Tasks: []recipe.Task{taskOf(name, resources...)}}, Install)
		}
		for i, spoilt := range []struct {
			name  string
			spoil func(text string) string
		}{
			{"an empty one", func(string) string { return "" }},
			{"an empty line", func(string) string { return "\n" }},
			{"cut in its head", func(text string) string { return text[:20] }},
			{"cut behind its head", func(text string) string { return text[:strings.Index(text, "\n")+1] }},
			{"cut in a line", func(text string) string { return text[:len(text)-9] }},
			{"without its last line", func(text string) string { return text[:strings.LastIndex(text[:len(text)-1], "\n")+1] }},
		} {
			for _, whose := range [][]string{{"x", "y"}, {"x"}, {"y"}}[min(i, 1+i%2)] {
				m.arrange(t)
				is(t, install("x", file("a"), file("b")), engine.StatusChanged)
				is(t, install("y", file("a"), file("c")), engine.StatusChanged)
				memory := recipe.MemoryPath(whose)
				text, err := os.ReadFile(memory)
				if err != nil {
					t.Fatal(err)
				}
				m.write(t, memory, spoilt.spoil(string(text)), 0o600)
				before := m.snapshot(t)
				for verb, found := range map[string]engine.Finished{"install": install("x", file("a"), file("d")), "remove": m.removes(t, "x")} {
					if found.Status != engine.StatusFailed || !strings.Contains(fmt.Sprint(found.Err), memory+": cannot be read") || !strings.Contains(found.Hint, "mv "+memory) {
						t.Errorf("%s of %s, %s: %s: %v, hint %q", spoilt.name, whose, verb, found.Status, found.Err, found.Hint)
					}
				}
				sameLines(t, spoilt.name+" of "+whose, m.snapshot(t), before)
				if err := os.Rename(memory, "/var/lib/provision/"+whose+".unreadable"); err != nil {
					t.Fatal(err)
				}
				is(t, install("x", file("a"), file("d")), engine.StatusChanged)
				if b := map[string]string{"x": "b", "y": ""}[whose]; m.read(t, "a") != "a" || m.read(t, "b") != b {
					t.Errorf("%s of %s, mended: a is %q, b is %q", spoilt.name, whose, m.read(t, "a"), m.read(t, "b"))
				}
			}
		}
	})
}

// What a task that stays needs stays too; both go together, and what else is on the host has to work
// then.
func TestWhatAnotherTaskNeedsStays(t *testing.T) {
	onMachine(t, func(m *machine) {
		m.arrange(t)
		before := m.snapshot(t)
		task := func(name string) recipe.Task {
			return taskOf(name, resource.File{Path: m.path(name), Content: name})
		}
		works := func(name string) recipe.Task {
			its := task(name)
			its.Verify = func(recipe.Input) ([]recipe.Check, error) {
				return []recipe.Check{{Name: name + " works", From: recipe.FromHost, Command: &recipe.CommandCheck{Script: "cat " + m.path(name) + " " + m.path("works"), Contains: name}}}, nil
			}
			return its
		}
		both := Blueprint{Tasks: []recipe.Task{task("x"), task("y"), task("z")}}
		is(t, m.works(t, "install", both, Install), engine.StatusChanged)
		all := m.snapshot(t)
		removes := func(blueprint Blueprint) engine.Finished { return m.works(t, "remove", blueprint, Install) }
		refused := removes(Blueprint{Removes: named("x"), Needing: named("y")})
		if refused.Status != engine.StatusFailed || !strings.Contains(fmt.Sprint(refused.Err), "x: needed by y") || !strings.Contains(refused.Hint, "provision remove y x") {
			t.Errorf("%s: %v, hint %q", refused.Status, refused.Err, refused.Hint)
		}
		sameLines(t, "refused", m.snapshot(t), all)

		// z is not proved by a removal that does not know it, and fails by one that does.
		is(t, removes(Blueprint{Removes: named("y"), Needing: named("never")}), engine.StatusChanged)
		if told := m.told.String(); !strings.Contains(told, "not proved after this, for their variables are not known here: x, z\n") {
			t.Errorf("told:\n%s", told)
		}
		gone := Blueprint{Removes: named("x"), Needing: named("y"), Remaining: []recipe.Task{works("z"), works("never")}}
		if found := removes(gone); found.Status != engine.StatusFailed || m.read(t, "x") != "" || !strings.Contains(fmt.Sprint(found.Err), "verify") {
			t.Errorf("%s: %v; x is %q", found.Status, found.Err, m.read(t, "x"))
		}
		is(t, m.works(t, "install", both, Install), engine.StatusChanged)
		m.write(t, m.path("works"), "", 0o600)
		gone = Blueprint{Removes: named("x", "y"), Remaining: []recipe.Task{works("z"), works("never")}}
		is(t, removes(gone), engine.StatusChanged)
		if told := m.told.String(); strings.Index(told, "file:"+m.path("y")+" ") > strings.Index(told, "file:"+m.path("x")+" ") {
			t.Errorf("x goes before y, which needs it:\n%s", told)
		}
		if err := os.Remove(m.path("works")); err != nil {
			t.Fatal(err)
		}
		is(t, m.removes(t, "z"), engine.StatusChanged)
		sameLines(t, "all removed", m.snapshot(t), before)
	})
}

// Of a task that an older version brought nothing is noted: it needs what it needs all the same, and
// goes beside that without what it brought.
func TestWhatATaskOfAnOlderVersionNeeds(t *testing.T) {
	onMachine(t, func(m *machine) {
		m.arrange(t)
		m.older(t, "y", resource.File{Path: m.path("y"), Content: "y"})
		is(t, m.does(t, resource.File{Path: m.path("x"), Content: "x"}), engine.StatusChanged)
		needed := Blueprint{Removes: named("x"), Needing: named("y")}
		if found := m.works(t, "remove", needed, Install); found.Status != engine.StatusFailed || m.read(t, "x") != "x" {
			t.Errorf("%s: %v; x is %q", found.Status, found.Err, m.read(t, "x"))
		}
		if found := m.removes(t, "y"); found.Status != engine.StatusFailed {
			t.Errorf("%s: %v", found.Status, found.Err)
		}
		is(t, m.works(t, "remove", Blueprint{Removes: named("x", "y")}, Install), engine.StatusChanged)
		if m.read(t, "x") != "" || m.read(t, "y") != "y" || !strings.Contains(m.told.String(), "y: an older provision worked on it here, and nothing is noted: what it brought stays") {
			t.Errorf("x is %q, y is %q, told:\n%s", m.read(t, "x"), m.read(t, "y"), m.told.String())
		}
	})
}

// older runs a task as a version did that noted nothing.
func (m *machine) older(t *testing.T, name string, resources ...recipe.Resource) {
	t.Helper()
	is(t, m.works(t, "install", Blueprint{Tasks: []recipe.Task{taskOf(name, resources...)}}, Install), engine.StatusChanged)
	m.forgets(t)
}

// What another task wants of which nothing is noted stays, for its recipe says it. Where that is not
// known, all stays that would leave, unless that is said.
func TestWhatIsWantedWithoutAMemoryStays(t *testing.T) {
	onMachine(t, func(m *machine) {
		file := func(name string) resource.File { return resource.File{Path: m.path(name), Content: name} }
		y := taskOf("y", file("shared"), file("y"))
		broken := recipe.Task{Name: "y", Build: func(recipe.Input) (recipe.Recipe, error) { return recipe.Recipe{}, os.ErrInvalid }}
		values := func(recipe.Task) (map[string]recipe.Values, error) { return nil, nil }
		arrange := func() {
			m.arrange(t)
			m.older(t, "y", file("y"))
			is(t, m.does(t, file("shared"), file("x")), engine.StatusChanged)
		}
		install := func(others ...recipe.Task) engine.Finished {
			return m.works(t, "install", Blueprint{Tasks: []recipe.Task{taskOf("x", file("z"))}, Others: others, ValuesOf: values}, Install)
		}
		remove := func(others ...recipe.Task) engine.Finished {
			return m.works(t, "remove", Blueprint{Removes: named("x"), Others: others, ValuesOf: values}, Install)
		}
		there := func(when string, names ...string) {
			t.Helper()
			for _, name := range []string{"shared", "x", "y", "z"} {
				if is := m.read(t, name) == name; is != slices.Contains(names, name) {
					t.Errorf("%s: %s is there: %t; told:\n%s", when, name, is, m.told.String())
				}
			}
		}
		arrange()
		is(t, remove(y), engine.StatusChanged)
		there("removed", "shared", "y")
		arrange()
		is(t, install(y), engine.StatusChanged)
		there("lost", "shared", "y", "z")
		for _, others := range [][]recipe.Task{nil, {broken}} {
			arrange()
			found := remove(others...)
			if found.Status != engine.StatusFailed || !strings.Contains(fmt.Sprint(found.Err), "what y wants too is not known") || !strings.Contains(found.Hint, "--take-over") {
				t.Errorf("%s: %v, hint %q", found.Status, found.Err, found.Hint)
			}
			there("refused", "shared", "x", "y")
			is(t, install(others...), engine.StatusChanged)
			there("withheld", "shared", "x", "y", "z")
			if told := m.told.String(); !strings.Contains(told, "what y wants too is not known") || !strings.Contains(told, m.path("shared")) {
				t.Errorf("told:\n%s", told)
			}
			m.remembering.TakeOver = true
			is(t, remove(others...), engine.StatusChanged)
			m.remembering.TakeOver = false
			there("removed all the same", "y")
			is(t, remove(others...), engine.StatusSame)
		}
	})
}

// A task that the inventory gives a host no more is told of, with the command.
func TestTaskThatIsOnTheHostAlone(t *testing.T) {
	onMachine(t, func(m *machine) {
		m.arrange(t)
		m.remembering.From = "shop/hosts.yaml here"
		one := func(name string) recipe.Task { return taskOf(name, resource.File{Path: m.path(name), Content: name}) }
		is(t, m.works(t, "install", Blueprint{Tasks: []recipe.Task{one("x"), one("y")}, Host: recipe.Listed{Name: "here"}}, Install), engine.StatusChanged)
		told := func() bool { return strings.Contains(m.told.String(), "provision remove y -l here") }
		is(t, m.works(t, "install", Blueprint{Tasks: []recipe.Task{one("x")}, Host: recipe.Listed{Name: "here"}}, Install), engine.StatusSame)
		if told() {
			t.Error("it is told of though x alone was asked for")
		}
		m.remembering.Whole = true
		is(t, m.works(t, "install", Blueprint{Tasks: []recipe.Task{one("x")}, Host: recipe.Listed{Name: "here"}}, Install), engine.StatusSame)
		if !told() || m.read(t, "y") != "y" {
			t.Errorf("y is %q, told:\n%s", m.read(t, "y"), m.told.String())
		}
		is(t, m.removes(t, "y"), engine.StatusChanged)
		is(t, m.works(t, "install", Blueprint{Tasks: []recipe.Task{one("x")}, Host: recipe.Listed{Name: "here"}}, Install), engine.StatusSame)
		if told() {
			t.Errorf("removed, and told:\n%s", m.told.String())
		}
	})
}
