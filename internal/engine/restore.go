package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"provision/internal/recipe"
)

// RestoredError says that a service did not survive a change, and what was put back.
type RestoredError struct {
	Failed   *StepError
	Restored Restored
	Err      error // why putting back failed too, nil when it did not
}

// Error implements error.
func (e *RestoredError) Error() string {
	text := e.Failed.Error()
	if e.Err != nil {
		return text + "; putting back " + strings.Join(e.Restored.Paths, ", ") + ": " + e.Err.Error()
	}
	return text + "; put back " + strings.Join(e.Restored.Paths, ", ") + ", and " + e.Restored.Unit + " runs as before"
}

// Unwrap returns the failed step.
func (e *RestoredError) Unwrap() error { return e.Failed }

// recover answers a step that failed: its services get their files back, and what is armed
// is undone.
func (a *application) recover(ctx context.Context, failed *StepError, failure error, part part) error {
	failure = a.takeBack(ctx, failed, failure, part)
	return a.undoNow(ctx, failure, undoSlack)
}

// takeBack puts back what a failed step was part of. What was started before it is watched first,
// as if nothing had failed: one that did not survive either is put back too.
func (a *application) takeBack(ctx context.Context, failed *StepError, failure error, part part) error {
	also := a.act(ctx, a.unwatched(part, failed), a.following(part))
	var other *StepError
	if errors.As(also, &other) {
		also = a.takeBack(ctx, other, also, part)
	}
	failure = a.putBack(ctx, failed, failure)
	if also != nil {
		return fmt.Errorf("%w; and %w", failure, also)
	}
	return failure
}

// putBack gives the services whose change failed their old files, newest first: the failed
// step may be the restart that they did not survive, their check, or one of their files, as
// on a full disk. A service that loaded nothing yet is left alone; one that did loads its
// old files. So does another service that was told of the same files.
func (a *application) putBack(ctx context.Context, failed *StepError, failure error) error {
	old := a.restorable(ctx, a.failedUnits(failed))
	restored := Restored{Unit: strings.Join(old.units, ", ")}
	var steps []recipe.Numbered
	add := func(step recipe.Step) {
		a.number++
		steps = append(steps, recipe.Numbered{Number: a.number, Resource: failed.Step.Resource, Step: step})
	}
	for _, file := range old.files {
		if !old.goes(file) {
			continue
		}
		add(file.back)
		if !slices.Contains(restored.Paths, file.back.Path) {
			restored.Paths = append(restored.Paths, file.back.Path)
		}
	}
	if len(steps) == 0 {
		return failure
	}
	told, remains := old.told()
	for _, unit := range told {
		if recipe.IsHandler(unit) && a.ran(unit) { // with the new files
			add(recipe.Notify{Notification: recipe.Notification{Unit: unit, Action: recipe.Run}})
			a.observe(Note{Text: recipe.Notified(unit) + ": has run with what is put back: the next run runs it again"})
			continue
		}
		// What waited before this run, or waits for what stays, goes on waiting.
		waits := a.initial.Pending(unit).Action != "" && !old.settled[unit]
		if _, loaded := a.lastLoad(unit, failed); !loaded && !waits && !remains[unit] {
			add(recipe.Clear{Unit: unit})
			a.old = append(a.old, unit)
		}
	}
	err := a.act(ctx, steps, a.observe)
	for _, unit := range told {
		if control, loaded := a.lastLoad(unit, failed); loaded && err == nil {
			if err = a.loadOld(ctx, control); err == nil && !remains[unit] {
				a.old = append(a.old, unit)
			}
		}
	}
	restored.Runs = err == nil
	a.result.Changed = slices.DeleteFunc(a.result.Changed, func(changed Planned) bool {
		return slices.ContainsFunc(changed.Change.Steps, func(step recipe.Step) bool {
			return slices.Contains(restored.Paths, recipe.PathOf(step))
		})
	})
	a.observe(restored)
	if err != nil {
		err = fmt.Errorf("%s does not run with its old files either: %w", restored.Unit, err)
	}
	return &RestoredError{Failed: failed, Restored: restored, Err: err}
}

// failedUnits returns the services whose change a failed step was part of. One that is guarded
// is not among them: it is undone as a whole.
func (a *application) failedUnits(failed *StepError) []string {
	var units []string
	switch step := failed.Step.Step.(type) {
	case recipe.ControlUnit:
		units = append(units, step.Unit)
	case recipe.Watch:
		units = append(units, step.Unit)
	case recipe.Rehearse:
		units = append(units, step.Unit)
	default:
		for _, item := range a.wanted.Items {
			for _, n := range item.Notifies {
				if item.Resource.ID() == failed.Step.Resource {
					units = append(units, n.Unit)
				}
			}
		}
	}
	return slices.DeleteFunc(units, func(unit string) bool { return slices.Contains(a.armed, unit) })
}

// ran reports whether a command took in its change in this run.
func (a *application) ran(handler string) bool {
	return slices.ContainsFunc(a.done, func(done doneStep) bool {
		cleared, ok := done.Step.(recipe.Clear)
		return ok && cleared.Unit == handler
	})
}

// lastLoad returns the last step by which a unit loaded its files in this run, or tried to.
func (a *application) lastLoad(unit string, failed *StepError) (recipe.ControlUnit, bool) {
	loads := func(step recipe.Step) (recipe.ControlUnit, bool) {
		control, ok := step.(recipe.ControlUnit)
		return control, ok && control.Unit == unit && control.Verb.Loads()
	}
	if control, ok := loads(failed.Step.Step); ok {
		return control, failed.Status != recipe.CheckFailed
	}
	for _, done := range slices.Backward(a.done) {
		if control, ok := loads(done.Step); ok {
			return control, true
		}
	}
	return recipe.ControlUnit{}, false
}

// loadOld makes a service load its old files as it loaded the new ones: one that still
// runs, for only its reload failed, is not restarted without need.
func (a *application) loadOld(ctx context.Context, control recipe.ControlUnit) error {
	control.Check, control.Back, control.Watched = "", true, false
	try := func() error {
		steps := []recipe.Numbered{
			{Number: a.number + 1, Resource: "service:" + control.Unit, Step: control},
			{Number: a.number + 2, Resource: "service:" + control.Unit, Step: recipe.Clear{Unit: control.Unit}},
		}
		a.number += len(steps)
		return a.act(ctx, steps, a.observe)
	}
	if control.Verb == recipe.VerbReload {
		if err := try(); err == nil {
			return nil
		}
	}
	control.Verb = recipe.VerbRestart
	return try()
}
