package server

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"provision/internal/gimel/dashboard"
	"provision/internal/gimel/event"
	"provision/internal/gimel/store"
)

// changes are what the API and the dashboard's forms do to experiments, each
// with a line in the experiment's log.
type changes struct{ *Server }

var _ dashboard.Changes = changes{}

// Declare declares an experiment. One that is declared as it was gets no line:
// a page's deploy may declare it each time.
func (c changes) Declare(ctx context.Context, d store.Declaration) error {
	_, err := c.declare(ctx, d)
	return err
}

func (c changes) declare(ctx context.Context, d store.Declaration) (created bool, err error) {
	if err := c.check(d); err != nil {
		return false, dashboard.Mistake(err.Error())
	}
	before, err := c.Store.Experiment(ctx, d.Namespace, d.Experiment)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return false, err
	}
	if created, err = c.Store.Declare(ctx, d); err != nil {
		return created, err
	}
	now := words(d)
	if before != nil && before.Declared && words(before.Declaration()) == now {
		return created, nil
	}
	return created, c.note(ctx, d.Namespace, d.Experiment, "Declared: "+now)
}

// SetState archives an experiment or lets it run again.
func (c changes) SetState(ctx context.Context, namespace, name, state string) error {
	if err := c.Store.SetState(ctx, namespace, name, state); err != nil {
		return err
	}
	if state == store.Archived {
		return c.note(ctx, namespace, name, "Archived")
	}
	return c.note(ctx, namespace, name, "Runs again")
}

// Annotate changes an experiment's notes. A decision is logged with its day.
func (c changes) Annotate(ctx context.Context, namespace, name string, a store.Annotation) error {
	for _, field := range []struct {
		name string
		text *string
	}{{"hypothesis", a.Hypothesis}, {"owner", a.Owner}, {"decision", a.Decision}, {"entry", &a.Entry}} {
		if field.text != nil {
			if problem := checkNote(*field.text); problem != "" {
				return dashboard.Mistake(field.name + ": " + problem)
			}
		}
	}
	decided, err := c.decides(ctx, namespace, name, a.Decision)
	if err != nil {
		return err
	}
	if err := c.Store.Annotate(ctx, namespace, name, a); err != nil || !decided {
		return err
	}
	return c.note(ctx, namespace, name, "Decided: "+*a.Decision)
}

// decides says whether this is another decision than the one that is noted.
func (c changes) decides(ctx context.Context, namespace, name string, decision *string) (bool, error) {
	if decision == nil || *decision == "" {
		return false, nil
	}
	experiment, err := c.Store.Experiment(ctx, namespace, name)
	if err != nil {
		return false, err
	}
	notes, err := c.Store.Notes(ctx, experiment)
	return notes.Decision != *decision, err
}

// Delete removes an experiment with all it counted.
func (c changes) Delete(ctx context.Context, namespace, name string) error {
	return c.Store.Delete(ctx, namespace, name)
}

func (c changes) note(ctx context.Context, namespace, name, entry string) error {
	return c.Store.Annotate(ctx, namespace, name, store.Annotation{Entry: entry})
}

// longestNote is in bytes.
const longestNote = 4000

func checkNote(text string) string {
	if len(text) > longestNote {
		return fmt.Sprintf("is longer than %d bytes", longestNote)
	}
	if !utf8.ValidString(text) || strings.ContainsFunc(text, func(char rune) bool { return char != '\n' && !unicode.IsPrint(char) }) {
		return "has characters that cannot be shown"
	}
	return ""
}

// words is a declaration in a line.
func words(d store.Declaration) string {
	var parts, variants []string
	for _, variant := range d.Variants {
		variants = append(variants, fmt.Sprintf("%s (%g)", variant.Label, variant.Weight))
	}
	if len(variants) > 0 {
		parts = append(parts, "variants "+strings.Join(variants, ", "))
	}
	if goals := slices.Clone(d.Goals); len(goals) > 0 {
		slices.Sort(goals[1:]) // the first decides; the others have no order
		for i, goal := range goals {
			if kind := d.Kinds[goal]; kind != "" && kind != event.Unique {
				goals[i] += fmt.Sprintf(" (%s)", kind)
			}
			if most, bounded := d.Max[goal]; bounded {
				goals[i] += fmt.Sprintf(" up to %g", most)
			}
			if d.Keyed[goal] {
				goals[i] += " by key"
			}
		}
		parts = append(parts, "goals "+strings.Join(goals, ", "))
	}
	if d.Planned > 0 {
		parts = append(parts, fmt.Sprintf("%d participants in each", d.Planned))
	}
	if len(parts) == 0 {
		return "by name alone"
	}
	return strings.Join(parts, "; ")
}
