package memory

import (
	"fmt"
	"strings"

	"provision/internal/recipe"
)

// Note is a host's memory of a task, as a resource: it is written before the first change, with what
// the task wanted until then and what it wants now, and at the end with that alone. So a run that
// dies leaves nothing that no memory names.
type Note struct {
	Task      string
	Found     string // the head that the plan was made from, "" for none
	Before    string // the text before the first change
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
	found := facts.Memory(n.Task).Head
	switch found {
	case headOf(n.Text):
		return recipe.Change{}, nil
	case n.Found, headOf(n.Before):
	default:
		return recipe.Change{}, fmt.Errorf("another run has noted what %s wants: %w", n.Task, recipe.ErrStale)
	}
	change := recipe.Change{Kind: recipe.Update, Summary: fmt.Sprintf("%d things noted", n.Things), Steps: []recipe.Step{recipe.Remember{Task: n.Task, Text: n.Text}}}
	switch {
	case n.Things == 0:
		change.Kind, change.Summary = recipe.Delete, "nothing is noted any more"
	case n.Found == "":
		change.Kind = recipe.Create
	}
	return change, nil
}

func headOf(text string) string {
	head, _, _ := strings.Cut(text, "\n")
	return head
}
