package run

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"provision/internal/engine"
	"provision/internal/recipe"
	"provision/internal/resource"
)

// renamed is the task x by its new name z.
func renamed(resources ...recipe.Resource) recipe.Task {
	task := taskOf("z", resources...)
	task.Formerly = []string{"w", "x"}
	return task
}

// What was noted of a task is noted of it when it has another name: nothing goes and comes again, and
// nothing is left, also where the run that noted it died.
func TestARenamedTask(t *testing.T) {
	onMachine(t, func(m *machine) {
		file := func(name string) resource.File { return resource.File{Path: m.path(name), Content: name} }
		over := resource.File{Path: m.path("there/file"), Content: "ours\n"}
		install := func(task recipe.Task) engine.Finished {
			return m.works(t, "install", Blueprint{Tasks: []recipe.Task{task}}, Install)
		}
		remove := func() engine.Finished {
			return m.works(t, "remove", Blueprint{Removes: []recipe.Task{renamed()}}, Install)
		}
		m.arrange(t)
		before := m.snapshot(t)
		is(t, install(taskOf("x", over, file("a"), file("b"))), engine.StatusChanged)
		all := m.snapshot(t)

		// With nothing but another name, nothing changes but what is noted.
		is(t, install(renamed(over, file("a"), file("b"))), engine.StatusChanged)
		if told := m.told.String(); told != "memory:z create\nmemory:x delete\n" {
			t.Errorf("told:\n%s", told)
		}
		sameLines(t, "renamed", m.snapshot(t), all)
		is(t, install(renamed(over, file("a"), file("b"))), engine.StatusSame)
		is(t, m.works(t, "rollback", Blueprint{}, Rollback("z", "w", "x")), engine.StatusChanged)
		is(t, install(taskOf("x", over, file("a"), file("b"))), engine.StatusSame)

		// What it wants no more goes, what it wants besides comes; and a rollback takes that back.
		is(t, install(renamed(over, file("a"), file("c"))), engine.StatusChanged)
		if told := m.told.String(); strings.Contains(told, m.path("a")) || !strings.Contains(told, "file:"+m.path("b")+" delete") {
			t.Errorf("told:\n%s", told)
		}
		some := m.snapshot(t)
		is(t, m.works(t, "rollback", Blueprint{}, Rollback("z", "w", "x")), engine.StatusChanged)
		sameLines(t, "taken back", m.snapshot(t), all)
		is(t, install(taskOf("x", over, file("a"), file("b"))), engine.StatusSame)
		is(t, remove(), engine.StatusChanged)
		sameLines(t, "removed by its new name", m.snapshot(t), before)

		counter, entry, pace := m.path("../entries"), 1, 1
		if testing.Short() {
			pace = 4
		}
		for ; ; entry += pace {
			m.arrange(t)
			is(t, install(taskOf("x", over, file("a"), file("b"))), engine.StatusChanged)
			m.write(t, counter, "0\n", 0o644)
			m.killedWhen(t, fmt.Sprintf(`n=$(cat '%s'); echo $((n + 1)) >'%s'; [ "$n" -eq %d ]`, counter, counter, entry))
			died := install(renamed(over, file("a"), file("c"))).Status != engine.StatusChanged
			m.survives(t)
			if !died {
				if entry < 8 {
					t.Errorf("it was killed at %d entries of the journal alone", entry)
				}
				return
			}
			if entry%2 == 0 {
				is(t, install(renamed(over, file("a"), file("c"))), engine.StatusChanged, engine.StatusSame) // it had ended but for its end
				sameLines(t, fmt.Sprintf("killed at entry %d, then again", entry), m.snapshot(t), some)
			}
			is(t, remove(), engine.StatusChanged)
			sameLines(t, fmt.Sprintf("killed at entry %d, then removed", entry), m.snapshot(t), before)
			if t.Failed() {
				return
			}
		}
	})
}

// What another project noted of a task of the former name is not the task's, where the task has noted
// something of its own.
func TestARenamedTaskOfAnotherProject(t *testing.T) {
	onMachine(t, func(m *machine) {
		m.arrange(t)
		file := func(name string) resource.File { return resource.File{Path: m.path(name), Content: name} }
		install := func(task recipe.Task) engine.Finished {
			return m.works(t, "install", Blueprint{Tasks: []recipe.Task{task}}, Install)
		}
		m.remembering.From = "other/hosts.yaml web1"
		is(t, install(taskOf("x", file("a"), file("b"))), engine.StatusChanged)
		m.remembering.From = "shop/hosts.yaml web1"
		is(t, install(taskOf("z", file("a"), file("c"))), engine.StatusChanged)
		is(t, install(renamed(file("a"), file("c"))), engine.StatusSame)
		is(t, install(renamed(file("d"))), engine.StatusChanged)
		if m.read(t, "a") != "a" || m.read(t, "b") != "b" || m.read(t, "c") != "" {
			t.Errorf("a is %q, b %q, c %q", m.read(t, "a"), m.read(t, "b"), m.read(t, "c"))
		}
		m.remembering.TakeOver = true
		is(t, install(renamed(file("d"))), engine.StatusChanged)
		if m.read(t, "a") != "" || m.read(t, "b") != "" || m.read(t, "d") != "d" {
			t.Errorf("taken over: a is %q, b %q, d %q", m.read(t, "a"), m.read(t, "b"), m.read(t, "d"))
		}
		if text, err := os.ReadFile(recipe.MemoryPath("x")); err != nil || strings.Count(string(text), "\n") != 1 {
			t.Errorf("of x is noted: %s, %v", text, err)
		}
	})
}
