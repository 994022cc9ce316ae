package engine

import (
	"reflect"
	"slices"

	"provision/internal/recipe"
)

// announced reports whether all that fresh would do was in the plan that was shown. It may
// do less: what a run that died had begun may have come to its end since.
func announced(shown, fresh Plan) bool {
	before := map[string]Planned{}
	for _, planned := range shown.Changes() {
		before[planned.Item.Resource.ID()] = planned
	}
	for _, planned := range fresh.Changes() {
		earlier, there := before[planned.Item.Resource.ID()]
		change := earlier.Change
		switch {
		case !there:
			return false
		case change.Kind == recipe.MayBe:
			continue // what it would be was left open
		case change.Kind == recipe.Becomes && !becomesSo(earlier, planned):
			return false
		case change.Kind == recipe.Becomes:
			continue
		case planned.Change.Until != "":
			return false
		}
		for _, step := range planned.Change.Steps {
			if recipe.NoteOf(step) != "" {
				continue // before the first change, which may be another by now
			}
			if !slices.ContainsFunc(change.Steps, func(s recipe.Step) bool { return reflect.DeepEqual(act(s), act(step)) }) {
				return false
			}
		}
	}
	return true
}

// act is a step without what was found before it.
func act(step recipe.Step) recipe.Step {
	if unfounded, ok := step.(recipe.Unfounded); ok {
		return unfounded.WithoutFound()
	}
	return step
}
