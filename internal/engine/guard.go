package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"provision/internal/recipe"
)

// NewProber is a Prober that can also ask over a connection of its own, made for it: the
// proof that a guarded change has not shut the controller out.
type NewProber interface {
	Prober
	ProbeAnew(ctx context.Context, probes []recipe.Probe) (recipe.Answer, error)
}

// UnconfirmedError says that a guarded change may have cut the connection, or failed, so
// that the host undid it, or will.
type UnconfirmedError struct {
	Unit   string
	Err    error // the step that failed, or why there was no new connection
	Undone bool  // seen by a new connection: the host is as before
}

// Error implements error.
func (e *UnconfirmedError) Error() string {
	problem := "no new connection could be made: "
	var failed *StepError
	if errors.As(e.Err, &failed) {
		problem = ""
	}
	text := e.Unit + ": " + problem + e.Err.Error() + "; "
	if e.Undone {
		return text + "the host has undone the change, and is as before"
	}
	return text + "the host undoes the change by itself, but could not be asked"
}

// Unwrap returns the reason.
func (e *UnconfirmedError) Unwrap() error { return e.Err }

// What the engine allows beyond UndoAfter until it has seen that a host undid a change.
const undoSlack = 45 * time.Second

// askPause lies between two tries of a new connection.
const askPause = time.Second

// guards returns the guarded units that an item is part of: those that it notifies, and
// itself.
func (a *application) guards(item recipe.Item) []string {
	var units []string
	for _, other := range a.wanted.Items {
		guarded, ok := other.Resource.(recipe.Guarded)
		if !ok || guarded.Guards() == "" {
			continue
		}
		if other.Resource.ID() == item.Resource.ID() || notifies(item.Notifies, guarded.Guards()) {
			units = append(units, guarded.Guards())
		}
	}
	return units
}

// guardOf returns the unit of a guarded service, "" of any other resource.
func guardOf(item recipe.Item) string {
	if guarded, ok := item.Resource.(recipe.Guarded); ok {
		return guarded.Guards()
	}
	return ""
}

// confirmAll confirms the armed units of a part's services, now that they have taken in
// their change.
func (a *application) confirmAll(ctx context.Context, part []Planned) error {
	for _, planned := range part {
		if unit := guardOf(planned.Item); slices.Contains(a.armed, unit) {
			if err := a.confirm(ctx, unit); err != nil {
				return err
			}
		}
	}
	return nil
}

// confirm makes a guarded change stay when a new connection can be made, and otherwise
// waits until the host has undone it.
func (a *application) confirm(ctx context.Context, unit string) error {
	a.observe(Note{Text: "a new connection has to confirm the change to " + unit})
	began := time.Now()
	err := a.askAnew(ctx, recipe.ConfirmWithin, func(recipe.Answer) bool { return true })
	if err == nil {
		// On a connection that was cut this would wait for longer than the host does.
		confirming, cancel := context.WithTimeout(ctx, recipe.UndoAfter-recipe.ConfirmWithin)
		defer cancel()
		a.number++
		steps := []recipe.Numbered{{Number: a.number, Resource: "service:" + unit, Step: recipe.Confirm{Unit: unit}}}
		if err = a.session.Do(confirming, steps, a.observe); err == nil {
			a.armed = slices.DeleteFunc(a.armed, func(other string) bool { return other == unit })
			a.observe(Note{Text: fmt.Sprintf("%s: a new connection was made after %.1f s: the change stays", unit, time.Since(began).Seconds())})
			return nil
		}
	}
	if ctx.Err() != nil {
		return err
	}
	a.observe(Note{Text: unit + ": " + err.Error() + ": waiting until the host has undone the change"})
	return a.seeUndone(ctx, unit, err, recipe.UndoAfter-time.Since(began)+undoSlack)
}

// seeUndone asks a host, over new connections, until nothing is armed for a unit.
func (a *application) seeUndone(ctx context.Context, unit string, reason error, within time.Duration) error {
	err := a.askAnew(ctx, within, func(answer recipe.Answer) bool {
		return answer.Facts.Path(recipe.Armed(unit)).Type == recipe.PathAbsent
	}, recipe.Probe{Key: recipe.PathKey(recipe.Armed(unit))})
	if err == nil {
		a.observe(a.undone(unit))
	}
	return &UnconfirmedError{Unit: unit, Err: reason, Undone: err == nil}
}

// undoNow answers a step that failed while something is armed.
func (a *application) undoNow(ctx context.Context, failure error) error {
	for _, unit := range a.armed {
		a.number++
		steps := []recipe.Numbered{{Number: a.number, Resource: "service:" + unit, Step: recipe.Undo{Unit: unit}}}
		err := a.session.Do(ctx, steps, a.observe)
		if err == nil {
			a.observe(a.undone(unit))
		}
		failure = &UnconfirmedError{Unit: unit, Err: failure, Undone: err == nil}
	}
	return failure
}

// undone tells what undoing a unit has put back.
func (a *application) undone(unit string) Restored {
	restored := Restored{Unit: unit, Runs: a.initial.Unit(unit).Running()}
	for _, done := range slices.Backward(a.done) {
		if path := recipe.PathOf(done.Step); path != "" && slices.Contains(done.Guards, unit) {
			restored.Paths = append(restored.Paths, path)
		}
	}
	return restored
}

// askAnew asks over new connections until an answer is good.
func (a *application) askAnew(ctx context.Context, within time.Duration, good func(recipe.Answer) bool, probes ...recipe.Probe) error {
	prober, ok := a.prober.(NewProber)
	if !ok {
		return errors.New("there is no way to make one")
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	last := errors.New("there was no time to make one")
	for {
		answer, err := prober.ProbeAnew(ctx, probes)
		switch {
		case err == nil && good(answer):
			return nil
		case err == nil:
			last = errors.New("the host has not undone it yet")
		case ctx.Err() == nil:
			last = err
		}
		select {
		case <-ctx.Done():
			return last
		case <-time.After(askPause):
		}
	}
}
