package resource

import "provision/internal/recipe"

// join makes one change of several, which are made one after the other. The first that has a diff
// shows it.
func join(changes ...recipe.Change) recipe.Change {
	var all recipe.Change
	for _, change := range changes {
		switch {
		case change.Empty():
			continue
		case all.Empty():
			all.Kind, all.Summary = change.Kind, change.Summary
		case all.Kind != change.Kind:
			all.Kind = recipe.Update
		}
		all.Deltas = append(all.Deltas, change.Deltas...)
		all.Steps = append(all.Steps, change.Steps...)
		if all.Diff == nil {
			all.Diff = change.Diff
		}
	}
	return all
}
