package engine

import (
	"slices"
	"strings"

	"provision/internal/recipe"
)

// rehearsals are the trials of new configuration for services that run now: the file steps
// of a part that notify a service and lie in its trees. A service that does not run yet is
// checked before its start instead.
func rehearsals(wanted recipe.Recipe, part []Planned, facts recipe.Facts) []recipe.Rehearse {
	var all []recipe.Rehearse
	for _, item := range wanted.Items {
		rehearsed, ok := item.Resource.(recipe.Rehearsed)
		if !ok {
			continue
		}
		rehearsal := rehearsed.Rehearsal()
		if rehearsal.Check == "" || len(rehearsal.Trees) == 0 || !facts.Unit(rehearsal.Unit).Running() {
			continue
		}
		changed := false
		for _, planned := range part {
			told := notifies(planned.Item.Notifies, rehearsal.Unit)
			for _, step := range planned.Change.Steps {
				_, directory := step.(recipe.MakeDirectory) // in which what notifies may be
				if (told || directory) && within(recipe.PathOf(step), rehearsal.Trees) {
					rehearsal.Steps = append(rehearsal.Steps, step)
					changed = changed || told
				}
			}
		}
		if changed {
			all = append(all, rehearsal)
		}
	}
	return all
}

// Rehearsals are those that a plan can make, on a host where these facts were found: of
// services whose check leaves nothing, and whose new configuration is files alone. What a
// command or a package brings of it is there only once it was run.
func (p Plan) Rehearsals(wanted recipe.Recipe, found recipe.Facts) []recipe.Rehearse {
	return slices.DeleteFunc(rehearsals(wanted, p.Changes(), found), func(r recipe.Rehearse) bool {
		return !r.Dry || slices.ContainsFunc(p.Changes(), func(planned Planned) bool {
			return notifies(planned.Item.Notifies, r.Unit) && !onlyFiles(planned.Change)
		})
	})
}

// onlyFiles reports whether a change is known, and all of it steps on files whose content is.
func onlyFiles(change recipe.Change) bool {
	if change.Until != "" {
		return false
	}
	return !slices.ContainsFunc(change.Steps, func(step recipe.Step) bool {
		switch step := step.(type) {
		case recipe.WriteFile:
			return len(step.Fill) > 0
		case recipe.MakeDirectory, recipe.MakeLink, recipe.SetAttributes, recipe.Remove, recipe.Notify, recipe.Remember:
			return false
		}
		return true
	})
}

func notifies(notifications []recipe.Notification, unit string) bool {
	return slices.ContainsFunc(notifications, func(n recipe.Notification) bool { return n.Unit == unit })
}

func within(path string, trees []string) bool {
	return slices.ContainsFunc(trees, func(tree string) bool { return strings.HasPrefix(path, tree+"/") })
}
