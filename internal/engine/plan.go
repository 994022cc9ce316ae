// Package engine plans and applies recipes: it compares what is wanted with what was
// found, does the steps in order, puts back what a service does not survive, and proves
// the result. It knows no SSH and no terminal.
package engine

import (
	"fmt"
	"slices"

	"provision/internal/recipe"
)

// Planned is a resource with the change that it wants.
type Planned struct {
	Item   recipe.Item
	Change recipe.Change
}

// Plan is the picture of every change of a run on one host.
type Plan struct {
	Platform     recipe.Platform
	Died         []string  // runs that died on the host, which the next one picks up even when nothing differs
	Told         []string  // what a person should know of it
	Serves       bool      // something of a task is on the host: where that is drained, it is before a change
	Drained      bool      // a run has left it so
	DrainedSince string    // that run, "" where what it served was removed
	Items        []Planned // all of the recipe's, also those without a change
}

// Empty reports whether the host is what the recipe wants.
func (p Plan) Empty() bool { return len(p.Changes()) == 0 }

// Changes returns the items that change, or may.
func (p Plan) Changes() []Planned {
	var changes []Planned
	for _, item := range p.Items {
		if !item.Change.Empty() {
			changes = append(changes, item)
		}
	}
	return changes
}

// NewPlan compares a recipe with facts. It is pure.
func NewPlan(wanted recipe.Recipe, facts recipe.Facts) (Plan, error) { return Want(wanted).Plan(facts) }

// Plan compares what is wanted with facts. It is pure. Steps that are planned are laid over
// the facts, so that what follows is planned against the host as it will be; of what only
// the host can tell after a step, it is said what will stand, or that it may change.
func (w *Wanted) Plan(facts recipe.Facts) (Plan, error) {
	overlay := newOutlook(w, facts)
	plan := Plan{Items: make([]Planned, 0, len(w.Items))}
	for i, item := range w.Items {
		change, err := planItem(item, w.keys[i], overlay)
		if err != nil {
			return Plan{}, err
		}
		plan.Items = append(plan.Items, Planned{item, change})
	}
	return plan, nil
}

// planItem returns an item's change and lays its effects over the facts. One that cannot be
// made on the host as it will be is an error.
func planItem(item recipe.Item, keys []recipe.Key, overlay outlook) (recipe.Change, error) {
	if until := overlay.Unknown(keys); until != "" {
		change, err := overlay.unsettled(item, until)
		if err != nil {
			return change, err
		}
		overlay.maybe(item, until)
		return change, refused(item, overlay.Facts)
	}
	change, err := item.Resource.Diff(overlay.Facts)
	if err != nil {
		return recipe.Change{}, fmt.Errorf("%s: %w", item.Where(), err)
	}
	if change.Empty() {
		return change, nil
	}
	if err := refused(item, overlay.Facts); err != nil {
		return recipe.Change{}, err
	}
	change.Steps = slices.Concat(forewords(item, overlay), notes(item, overlay), change.Steps)
	overlay.lay(change.Effects())
	if unconfined, ok := item.Resource.(recipe.Unconfined); ok {
		overlay.unconfine(unconfined.Unconfined())
	}
	return change, nil
}

// refused is the reason why an item's change cannot be made.
func refused(item recipe.Item, facts recipe.Facts) error {
	if refuser, ok := item.Resource.(recipe.Refuser); ok {
		return refuser.Refuse(facts)
	}
	return nil
}

// forewords are the steps that go before the first change.
func forewords(item recipe.Item, overlay outlook) []recipe.Step {
	var steps []recipe.Step
	if _, itself := item.Resource.(recipe.Foreword); itself {
		return nil
	}
	for _, foreword := range overlay.first {
		steps = append(steps, foreword.Foreword(overlay.Facts)...)
	}
	return steps
}

// notes are the steps that write down, before a change, which units have to take it in.
func notes(item recipe.Item, overlay outlook) []recipe.Step {
	var steps []recipe.Step
	for _, n := range item.Notifies {
		waiting := overlay.Pending(n.Unit).Action
		if waiting == n.Action || waiting == recipe.Restart {
			continue
		}
		steps = append(steps, recipe.Notify{Notification: n})
	}
	return steps
}
