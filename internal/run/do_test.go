package run

import (
	"errors"
	"strings"
	"testing"

	"provision/internal/engine"
	"provision/internal/recipe"
	"provision/internal/resource"
)

// runs runs an action of a task.
func (m *machine) runs(t *testing.T, action resource.Action) engine.Finished {
	t.Helper()
	return m.works(t, "do x "+action.Name, Blueprint{Action: &action, ActionOf: recipe.Task{Name: "x"}}, Do)
}

// An action gets its values whole, whatever is in them, on standard input alone; what it prints is
// told, its end is its status, and the journal has it. A rollback takes back what was before it.
func TestDo(t *testing.T) {
	onMachine(t, func(m *machine) {
		const word = `correct-horse $(touch broken) '"`
		file := resource.File{Path: m.path("a"), Content: "1\n"}
		is(t, m.does(t, file), engine.StatusChanged)
		action := resource.Action{
			Script: recipe.Script{Name: "backup", Arguments: []recipe.Variable{
				{Name: "to", Type: recipe.TypeString}, {Name: "names", Type: recipe.TypeList}, {Name: "token", Type: recipe.TypeSecret}, {Name: "code", Type: recipe.TypeInt}, {Name: "dry", Type: recipe.TypeBool},
			}, Text: `printf '%s|%s|%s|%s|%s|%s\n' "$to" "$names" "$token" "$dry" "$base" "$(cat)" >` + m.path("got") + `
{ tr '\0' '\n' </proc/$$/cmdline; tr '\0' '\n' </proc/$PPID/cmdline; env; } >` + m.path("seen") + `
echo out; echo err >&2; exit $code`},
			Given:  recipe.Values{"to": `a "b" $(c) 'd' \ ` + "`e`", "names": []string{"x y", "z"}, "token": recipe.NewSecret(word), "code": 0, "dry": true},
			Values: recipe.Values{"base": "of the task", "all": []map[string]string{{"a": "b"}}},
		}
		is(t, m.runs(t, action), engine.StatusDone)
		if want := "a \"b\" $(c) 'd' \\ `e`|x y\nz|" + word + "|true|of the task|\n"; m.read(t, "got") != want {
			t.Errorf("it got %q", m.read(t, "got"))
		}
		if seen := m.read(t, "seen"); strings.Contains(seen, "correct-horse") || !strings.Contains(seen, "PATH=") {
			t.Errorf("seen: %s", seen)
		}
		if told := m.told.String(); !strings.Contains(told, "action:backup act\n") || !strings.Contains(told, "out\nerr\n") || strings.Contains(told, "not be installed") {
			t.Errorf("told: %s", told)
		}
		if m.remembers(t, "correct-horse") {
			t.Error("the host remembers the secret")
		}
		for _, text := range []string{`"does":"do x backup"`, `names='x y, z' code=0 dry=true`} {
			if !m.remembers(t, text) {
				t.Errorf("the journal has no %s", text)
			}
		}

		action.Given["code"] = 7
		failed := m.runs(t, action)
		is(t, failed, engine.StatusFailed)
		if !errors.Is(failed.Err, ErrExit) || !strings.HasSuffix(failed.Err.Error(), "exit status 7") {
			t.Errorf("it ended with %v", failed.Err)
		}
		is(t, m.does(t), engine.StatusChanged)
		if m.read(t, "a") != "" {
			t.Error("the rollback has not taken back the run before the action")
		}
	})
}

// Of a task that a host knows nothing of that is told; a run that is to stop begins no action; of one
// whose end nobody saw it is not said that it failed.
func TestDoIsCut(t *testing.T) {
	onMachine(t, func(m *machine) {
		action := resource.Action{Script: recipe.Script{Name: "flush", Text: "echo >>" + m.path("a")}}
		is(t, m.runs(t, action), engine.StatusDone)
		if !strings.Contains(m.told.String(), "nothing of x is noted on this host") {
			t.Errorf("told: %s", m.told.String())
		}
		m.stop = make(chan struct{})
		m.before = func() { close(m.stop) }
		is(t, m.runs(t, action), engine.StatusInterrupted)
		m.stop, m.before = nil, nil
		if m.read(t, "a") != "\n" {
			t.Errorf("it ran: %q", m.read(t, "a"))
		}
		m.killedWhen(t, `[ -s `+m.path("a")+` ] && [ -e `+m.path("b")+` ]`)
		action.Text = "echo >" + m.path("b")
		lost := m.runs(t, action)
		var unseen *unseenError
		if !errors.As(lost.Err, &unseen) || !strings.Contains(lost.Hint, "provision journal") {
			t.Errorf("%s: %v, %s", lost.Status, lost.Err, lost.Hint)
		}
		m.survives(t)
		is(t, m.does(t, resource.File{Path: m.path("c"), Content: "1\n"}), engine.StatusChanged)
	})
}
