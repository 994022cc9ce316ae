package run

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"provision/internal/engine"
	"provision/internal/recipe"
	"provision/internal/resource"
)

// family are tasks of which shop and blog need nginx, and that needs tls: each wants a file of its name.
type family struct {
	*machine
	all []recipe.Task
}

func newFamily(m *machine) family {
	f := family{machine: m}
	for _, row := range []struct {
		name  string
		needs []string
	}{{"tls", nil}, {"nginx", []string{"tls"}}, {"blog", []string{"nginx"}}, {"shop", []string{"nginx"}}} {
		task := taskOf(row.name, resource.File{Path: m.path(row.name), Content: row.name})
		task.Needs = row.needs
		f.all = append(f.all, task)
	}
	return f
}

func (f family) tasks(names ...string) []recipe.Task {
	return slices.DeleteFunc(slices.Clone(f.all), func(task recipe.Task) bool { return !slices.Contains(names, task.Name) })
}

// installs runs tasks, of which some are given for themselves.
func (f family) installs(t *testing.T, given string, names ...string) engine.Finished {
	t.Helper()
	return f.works(t, "install", Blueprint{Tasks: f.tasks(names...), Given: strings.Fields(given)}, Install)
}

func (f family) removes(t *testing.T, given string, name string) engine.Finished {
	t.Helper()
	return f.works(t, "remove", Blueprint{Removes: f.tasks(name), Given: strings.Fields(given), All: f.all}, Install)
}

// left fails unless just these tasks are there.
func (f family) left(t *testing.T, when, names, told string) {
	t.Helper()
	var there []string
	for _, task := range f.all {
		if f.read(t, task.Name) == task.Name {
			there = append(there, task.Name)
		}
	}
	if got := strings.Join(there, " "); got != names || !strings.Contains(f.told.String(), told) {
		t.Errorf("%s: %q is there, want %q; told, want %q:\n%s", when, got, names, told, f.told.String())
	}
}

// A task that came for others alone goes with the last of them; one that came for itself, or of which
// that is not known, or that the inventory gives the host, stays, and that is told.
func TestWhatCameForATaskGoesWithIt(t *testing.T) {
	onMachine(t, func(m *machine) {
		f := newFamily(m)
		m.arrange(t)
		is(t, f.installs(t, "shop", "tls", "nginx", "shop"), engine.StatusChanged)
		is(t, f.installs(t, "shop", "tls", "nginx", "shop"), engine.StatusSame)
		is(t, f.removes(t, "", "shop"), engine.StatusChanged)
		f.left(t, "alone", "", "nginx goes too: it came for shop alone\ntls goes too: it came for nginx alone\n")
		is(t, m.works(t, "rollback", Blueprint{}, Rollback("nginx")), engine.StatusChanged)
		f.left(t, "taken back", "tls nginx shop", "")
		is(t, f.removes(t, "nginx tls", "shop"), engine.StatusChanged)
		f.left(t, "given by the inventory", "tls nginx", "nginx stays: the inventory gives it to the host\n")

		m.arrange(t)
		is(t, f.installs(t, "shop", "tls", "nginx", "shop"), engine.StatusChanged)
		is(t, f.installs(t, "blog", "tls", "nginx", "blog"), engine.StatusChanged)
		is(t, f.removes(t, "", "shop"), engine.StatusChanged)
		f.left(t, "also for blog", "tls nginx blog", "nginx stays: blog needs it\n")
		is(t, f.removes(t, "", "blog"), engine.StatusChanged)
		f.left(t, "the last", "", "nginx goes too: it came for blog, shop alone\n")

		m.arrange(t)
		is(t, f.installs(t, "nginx", "tls", "nginx"), engine.StatusChanged)
		is(t, f.installs(t, "shop", "tls", "nginx", "shop"), engine.StatusChanged)
		is(t, f.removes(t, "", "shop"), engine.StatusChanged)
		f.left(t, "for itself", "tls nginx", "nginx stays: it is not noted that it came for others alone (provision remove nginx")

		// By its own name it is given from now on, though nothing else changes.
		m.arrange(t)
		is(t, f.installs(t, "shop", "tls", "nginx", "shop"), engine.StatusChanged)
		is(t, f.installs(t, "nginx", "tls", "nginx"), engine.StatusChanged)
		if told := m.told.String(); told != "memory:nginx update\n" {
			t.Errorf("told:\n%s", told)
		}
		is(t, f.removes(t, "", "shop"), engine.StatusChanged)
		f.left(t, "given later", "tls nginx", "nginx stays")

		// For another project it is another's.
		m.arrange(t)
		m.remembering.From = "other"
		is(t, f.installs(t, "shop", "tls", "nginx", "shop"), engine.StatusChanged)
		m.remembering.From, m.remembering.TakeOver = "ours", false
		is(t, f.installs(t, "blog", "tls", "nginx", "blog"), engine.StatusChanged)
		is(t, f.removes(t, "", "blog"), engine.StatusChanged)
		f.left(t, "another's", "tls nginx shop", "nginx stays: shop needs it\n")
	})
}

// A removal dies at any moment: the next one takes the rest along too.
func TestARemovalThatDiedTakesTheRestAlong(t *testing.T) {
	onMachine(t, func(m *machine) {
		f := newFamily(m)
		m.arrange(t)
		before := m.snapshot(t)
		counter, entry, pace := m.path("../entries"), 1, 1
		if testing.Short() {
			entry, pace = 3, 4
		}
		for ; ; entry += pace {
			m.arrange(t)
			is(t, f.installs(t, "shop", "tls", "nginx", "shop"), engine.StatusChanged)
			m.write(t, counter, "0\n", 0o644)
			m.killedWhen(t, fmt.Sprintf(`n=$(cat '%s'); echo $((n + 1)) >'%s'; [ "$n" -eq %d ]`, counter, counter, entry))
			died := f.removes(t, "", "shop").Status != engine.StatusChanged
			m.survives(t)
			if !died {
				if entry < 8 {
					t.Errorf("it was killed at %d entries of the journal alone", entry)
				}
				return
			}
			is(t, f.removes(t, "", "shop"), engine.StatusChanged, engine.StatusSame) // it had ended but for its end
			sameLines(t, fmt.Sprintf("killed at entry %d, then removed", entry), m.snapshot(t), before)
		}
	})
}
