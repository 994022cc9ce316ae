package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"provision/internal/model"
	"provision/internal/recipe"
	"provision/internal/run"
	"provision/tasks"
)

const examplesFolder = "../../tasks/examples/"

// exampleWork is what a run would do to the hosts of a task's example.
func exampleWork(t *testing.T, task recipe.Task) []run.Work {
	t.Helper()
	t.Setenv("HOME", t.TempDir())
	shown := console{os.Stdin, os.Stdout, os.Stderr}
	f := newFlags(shown)
	f.selection.inventory = examplesFolder + task.Name + "/hosts.yaml"
	f.selection.limit = []string{"all"}
	e, err := f.work(shown, nil)
	if err != nil {
		t.Fatalf("%s: %v", task.Name, err)
	}
	return e.work
}

// Each task that ships has an example that can be read and built for both releases, as its own tasks can; and
// on a bare host that is modelled it does all that it plans, of which a second plan leaves nothing. In a
// terminal it is as wide as all else.
func TestTaskExamples(t *testing.T) {
	for _, task := range tasks.All() {
		t.Run(task.Name, func(t *testing.T) {
			for line := range strings.Lines(task.Example) {
				if len(line) > 77 {
					t.Errorf("%d columns: %s", len(line), line)
				}
			}
			checkExample(t, task)
			installed := false
			for _, work := range exampleWork(t, task) {
				installed = installed || has(work.Blueprint.Tasks, task.Name)
				for _, platform := range recipe.Platforms() {
					wanted, err := work.Blueprint.Recipe(platform)
					if err != nil {
						t.Fatal(err)
					}
					plan, err := model.NewDebian(platform).Converge(wanted) // which fails when the second plan is not empty
					if err != nil || plan.Empty() {
						t.Errorf("%s, Debian %d: %d changes, %v", work.Target.Name, platform.Release, len(plan.Changes()), err)
					}
				}
			}
			if !installed {
				t.Error("no host of it has the task")
			}
		})
	}
}

// checkExample reads all of an example and builds it, as check does.
func checkExample(t *testing.T, task recipe.Task) {
	t.Helper()
	out, err := os.Create(filepath.Join(t.TempDir(), "printed"))
	if err != nil {
		t.Fatal(err)
	}
	shown := console{os.Stdin, out, out}
	f := newFlags(shown)
	f.selection.inventory = examplesFolder + task.Name + "/hosts.yaml"
	if err := f.checkAll(shown); err != nil {
		printed, _ := os.ReadFile(out.Name())
		t.Errorf("%v\n%s", err, printed)
	}
}
