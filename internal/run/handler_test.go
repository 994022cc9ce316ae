package run

import (
	"os"
	"strings"
	"testing"

	"provision/internal/engine"
	"provision/internal/recipe"
	"provision/internal/resource"
)

// notifying is a task whose file a command takes in.
func (m *machine) notifying(content, script string) Blueprint {
	return Blueprint{Tasks: []recipe.Task{{Name: "x", Build: func(recipe.Input) (recipe.Recipe, error) {
		const name = "index /etc/x, 100 %"
		var r recipe.Recipe
		r.Add(resource.File{Path: m.path("file"), Content: content}, recipe.RunOf(name))
		r.Add(resource.Command{Name: name, Script: script, Changes: []recipe.Key{}})
		return r, nil
	}}}}
}

// A command that is notified runs once for a change, also where the run that made it died before, or
// the command failed; and nothing is left to do then.
func TestNotifiedCommandRunsAfterARunThatDied(t *testing.T) {
	onMachine(t, func(m *machine) {
		ran := func() int { return strings.Count(m.read(t, "ran"), "ran\n") }
		install := func(content, script string) engine.Finished {
			t.Helper()
			return m.works(t, "install", m.notifying(content, script), Install)
		}
		script := "echo ran >>" + m.path("ran")
		is(t, install("a\n", script), engine.StatusChanged)
		is(t, install("a\n", script), engine.StatusSame)
		if ran() != 1 {
			t.Fatalf("it ran %d times", ran())
		}
		m.killedWhen(t, "grep -q b "+m.path("file"))
		if ended := install("b\n", script); ended.Err == nil || ran() != 1 || m.read(t, "file") != "b\n" {
			t.Fatalf("%+v; it ran %d times", ended, ran())
		}
		m.survives(t)
		is(t, install("b\n", script), engine.StatusChanged)
		is(t, install("b\n", script), engine.StatusSame)
		if ran() != 2 {
			t.Fatalf("after a run that died it ran %d times", ran())
		}
		is(t, install("c\n", "false"), engine.StatusFailed)
		is(t, install("c\n", script), engine.StatusChanged)
		is(t, install("c\n", script), engine.StatusSame)
		m.killedWhen(t, "grep -q d "+m.path("file"))
		if ended := install("d\n", script); ended.Err == nil || m.read(t, "file") != "d\n" {
			t.Fatalf("%+v", ended)
		}
		m.survives(t)
		is(t, m.removes(t, "x"), engine.StatusChanged)
		if left, err := os.ReadDir("/var/lib/provision/pending"); err != nil || len(left) > 0 || ran() != 3 {
			t.Errorf("%v; it ran %d times, left %v", err, ran(), left)
		}
	})
}
