package engine

import (
	"context"
	"slices"

	"provision/internal/recipe"
)

// Replacement is a step of an earlier run on a file.
type Replacement struct {
	Resource string
	Back     recipe.Restore
}

// replaced is a file that a service may get back, and whom its resource notifies.
type replaced struct {
	back     recipe.Restore
	notifies []recipe.Notification
}

// restorable is what a change that failed goes back to.
type restorable struct {
	units   []string        // the services that ran before it
	files   []replaced      // newest first
	settled map[string]bool // the units for which nothing of earlier runs waits then
}

// restorable says which of the services whose change failed ran before it, and so have
// something to go back to, and the files that were replaced since, newest first: by this run;
// and by earlier ones that died or failed before a service loaded them, for what waits from
// then on is part of the same change.
func (a *application) restorable(ctx context.Context, candidates []string) restorable {
	back := restorable{settled: map[string]bool{}}
	for _, done := range slices.Backward(a.done) {
		if path := recipe.PathOf(done.Step); path != "" {
			back.files = append(back.files, replaced{recipe.Restore{Number: done.Number, Path: path, Secret: recipe.SecretOf(done.Step)}, done.notifies})
		}
	}
	for _, unit := range candidates {
		ran := a.initial.Unit(unit).Running()
		if a.initial.Pending(unit).Action != "" {
			earlier, loaded, err := a.host.Unloaded(ctx, unit)
			if err != nil {
				a.observe(Note{Text: unit + ": what earlier runs changed is not known, and stays: " + err.Error()})
			}
			ran, back.settled[unit] = ran || loaded, loaded
			for _, replacement := range earlier {
				if notified := a.notified(replacement.Resource); ran && notifies(notified, unit) {
					back.files = append(back.files, replaced{replacement.Back, notified})
				}
			}
		}
		if ran {
			back.units = append(back.units, unit)
		}
	}
	return back
}

// goes reports whether a file goes back.
func (r restorable) goes(file replaced) bool {
	return slices.ContainsFunc(r.units, func(unit string) bool { return notifies(file.notifies, unit) })
}

// told are the units that were told of what goes back; of them those remain that were told of what does not.
func (r restorable) told() (told []string, remains map[string]bool) {
	remains = map[string]bool{}
	for _, file := range r.files {
		back := r.goes(file)
		for _, n := range file.notifies {
			if back && !slices.Contains(told, n.Unit) {
				told = append(told, n.Unit)
			}
			remains[n.Unit] = remains[n.Unit] || !back
		}
	}
	return told, remains
}

// notified are the notifications of a resource of the recipe.
func (a *application) notified(resource string) []recipe.Notification {
	for _, item := range a.wanted.Items {
		if item.Resource.ID() == resource {
			return item.Notifies
		}
	}
	return nil
}
