package memory

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"provision/internal/recipe"
)

// Note is a host's memory of a task, as a resource: it is written before the first change, with what
// the task wanted until then and what it wants now, and at the end with that alone. So a run that
// dies leaves nothing that no memory names.
type Note struct {
	Task      string
	Now       string            // the name of the task by now, where that is another
	Found     string            // the head that the plan was made from, "" for none
	Run       []string          // the tasks of the run
	Others    map[string]string // the heads of all others, which the plan was made from too
	Before    string            // the text before the first change
	Text      string
	Things    int
	Originals []string // paths that become the task's
}

// ID implements recipe.Resource.
func (n Note) ID() string { return "memory:" + n.Task }

// Probes implements recipe.Resource.
func (n Note) Probes() []recipe.Probe { return []recipe.Probe{{Key: recipe.MemoryKey(n.Task)}} }

// Foreword implements recipe.Foreword.
func (n Note) Foreword(facts recipe.Facts) []recipe.Step {
	switch facts.Memory(n.Task).Head {
	case headOf(n.Before), headOf(n.Text):
		return nil
	}
	return []recipe.Step{recipe.Remember{Task: n.Task, Text: n.Before, Originals: n.Originals}}
}

// Diff implements recipe.Resource.
func (n Note) Diff(facts recipe.Facts) (recipe.Change, error) {
	if !maps.Equal(others(facts, n.Run), n.Others) {
		return recipe.Change{}, fmt.Errorf("another run has noted what another task wants: %w", recipe.ErrStale)
	}
	found := facts.Memory(n.Task).Head
	switch found {
	case headOf(n.Text):
		return recipe.Change{}, nil
	case n.Found, headOf(n.Before):
	default:
		return recipe.Change{}, fmt.Errorf("another run has noted what %s wants: %w", n.Task, recipe.ErrStale)
	}
	change := recipe.Change{Kind: recipe.Update, Summary: things(n.Things) + " noted", Steps: []recipe.Step{recipe.Remember{Task: n.Task, Text: n.Text}}}
	switch {
	case n.Now != "":
		change.Kind, change.Summary = recipe.Delete, "is noted of "+n.Now+" from now on"
	case n.Things == 0:
		change.Kind, change.Summary = recipe.Delete, "nothing is noted any more"
	case n.Found == "":
		change.Kind = recipe.Create
	}
	return change, nil
}

// others are the heads of the memories of tasks that are not of a run.
func others(facts recipe.Facts, run []string) map[string]string {
	heads := facts.Heads()
	maps.DeleteFunc(heads, func(task, _ string) bool { return slices.Contains(run, task) })
	return heads
}

func headOf(text string) string {
	head, _, _ := strings.Cut(text, "\n")
	return head
}

func things(n int) string {
	if n == 1 {
		return "1 thing"
	}
	return fmt.Sprintf("%d things", n)
}
