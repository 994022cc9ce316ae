package recipe

import (
	"fmt"
	"strings"
)

// ChangeKind is the sort of a change, as a plan marks it.
type ChangeKind string

// The sorts of changes. NoChange is the zero value.
const (
	NoChange ChangeKind = ""
	Create   ChangeKind = "create"
	Update   ChangeKind = "update"
	Delete   ChangeKind = "delete"
	Act      ChangeKind = "act" // something is run: a restart, a migration
	// What stands there is not known before an earlier step is done; what will stand is, and the
	// apply makes just that, or finds it right.
	Becomes ChangeKind = "becomes"
	MayBe   ChangeKind = "maybe" // only the host can tell, after an earlier step
)

// Delta is one attribute that differs: mode, owner, target, state.
type Delta struct{ Name, Before, After string }

// FileDiff is a file whose content differs. Before is filled in by the engine, which
// asks the host for it only when there is something to show.
type FileDiff struct {
	Path   string
	Exists bool // there is a file now
	Before []byte
	After  []byte
	// The size of a side that is too long to be brought from the host, without its bytes.
	BeforeSize, AfterSize int64
	Secret                bool // differs, and neither side is shown
}

// Sizes are those of the two sides; large says that one of them is too long to be shown.
func (d FileDiff) Sizes() (before, after int64, large bool) {
	return max(d.BeforeSize, int64(len(d.Before))), max(d.AfterSize, int64(len(d.After))), d.BeforeSize+d.AfterSize > 0
}

// Change is what a resource wants changed: nothing when Kind is NoChange.
type Change struct {
	Kind    ChangeKind
	Summary string // why and what, in a few words: "content differs", "not installed"
	Deltas  []Delta
	Diff    *FileDiff
	Until   string // of MayBe and Becomes: what has to happen first
	Steps   []Step
}

// Empty reports whether there is nothing to do.
func (c Change) Empty() bool { return c.Kind == NoChange }

// Effects returns what all of the change's steps do to the facts.
func (c Change) Effects() []Effect {
	var effects []Effect
	for _, step := range c.Steps {
		effects = append(effects, step.Effects()...)
	}
	return effects
}

// Differs says what differs in a few words, in brackets behind a space, "" where there is nothing to say.
func (c Change) Differs() string {
	var words []string
	for _, delta := range c.Deltas {
		words = append(words, fmt.Sprintf("%s is %s, want %s", delta.Name, delta.Before, delta.After))
	}
	if c.Summary != "" {
		words = append(words, c.Summary)
	}
	if len(words) == 0 {
		return ""
	}
	return " (" + strings.Join(words, "; ") + ")"
}
