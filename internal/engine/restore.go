package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"provision/internal/recipe"
)

// rehearsals are the trials of new configuration for services that run now: the file steps
// of a part that notify a service and lie in its trees. A service that does not run yet is
// checked before its start instead.
func (a *application) rehearsals(part []Planned) []recipe.Rehearse {
	var rehearsals []recipe.Rehearse
	for _, item := range a.wanted.Items {
		rehearsed, ok := item.Resource.(recipe.Rehearsed)
		if !ok {
			continue
		}
		rehearsal := rehearsed.Rehearsal()
		if rehearsal.Check == "" || len(rehearsal.Trees) == 0 || !a.before.Unit(rehearsal.Unit).Running() {
			continue
		}
		for _, planned := range part {
			if !notifies(planned.Item.Notifies, rehearsal.Unit) {
				continue
			}
			for _, step := range planned.Change.Steps {
				if within(recipe.PathOf(step), rehearsal.Trees) {
					rehearsal.Steps = append(rehearsal.Steps, step)
				}
			}
		}
		if len(rehearsal.Steps) > 0 {
			rehearsals = append(rehearsals, rehearsal)
		}
	}
	return rehearsals
}

func notifies(notifications []recipe.Notification, unit string) bool {
	for _, n := range notifications {
		if n.Unit == unit {
			return true
		}
	}
	return false
}

func within(path string, trees []string) bool {
	for _, tree := range trees {
		if strings.HasPrefix(path, tree+"/") {
			return true
		}
	}
	return false
}

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

// putBack answers a failed step. When a service that ran before does not survive its
// change, the files that it was told of get their old content, newest first, and it is
// started with them again.
func (a *application) putBack(ctx context.Context, failure error) error {
	var failed *StepError
	if !errors.As(failure, &failed) {
		return failure
	}
	control, ok := failed.Step.Step.(recipe.ControlUnit)
	if !ok || !control.Found.Running() {
		return failure
	}
	restored := Restored{Unit: control.Unit}
	var steps []recipe.Numbered
	add := func(step recipe.Step) {
		a.number++
		steps = append(steps, recipe.Numbered{Number: a.number, Resource: failed.Step.Resource, Step: step})
	}
	for i := len(a.done) - 1; i >= 0; i-- {
		path := recipe.PathOf(a.done[i].Step)
		if path != "" && notifies(a.done[i].notifies, control.Unit) {
			restored.Paths = append(restored.Paths, path)
			add(recipe.Restore{Number: a.done[i].Number, Path: path})
		}
	}
	if len(restored.Paths) == 0 {
		return failure
	}
	again := control
	again.Check = ""
	again.Verb = recipe.VerbRestart
	add(again)
	add(recipe.Clear{Unit: control.Unit})
	err := a.session.Do(ctx, steps, a.observe)
	restored.Runs = err == nil
	a.observe(restored)
	if err != nil {
		err = fmt.Errorf("%s does not run with its old files either: %w", control.Unit, err)
	}
	return &RestoredError{Failed: failed, Restored: restored, Err: err}
}
