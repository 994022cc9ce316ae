package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"provision/internal/recipe"
)

// Verdict is what became of a guarded change.
type Verdict string

// The verdicts. Exactly one of confirming and undoing wins, on the host.
const (
	VerdictOpen      Verdict = "open"      // neither, yet
	VerdictConfirmed Verdict = "confirmed" // it stays
	VerdictUndone    Verdict = "undone"    // the host is as before
	VerdictUnknown   Verdict = "unknown"   // nothing is armed, and the journal says nothing
)

// UnconfirmedError says that a guarded change may have cut the connection, failed, or was
// interrupted, so that the host undid it, or will.
type UnconfirmedError struct {
	Unit   string
	Err    error // the step that failed, or why nobody confirmed it
	Undone bool  // the host has said so: it is as before
	Asked  bool  // to confirm it, and the answer was not waited for
}

// Error implements error.
func (e *UnconfirmedError) Error() string {
	text := e.Unit + ": " + e.Err.Error() + "; "
	switch {
	case e.Undone:
		return text + "the host has undone the change, and is as before"
	case e.Asked:
		return text + "unless it was confirmed just then, the host undoes the change by itself"
	}
	return text + "the host undoes the change by itself, which was not seen from here"
}

// Unwrap returns the reason.
func (e *UnconfirmedError) Unwrap() error { return e.Err }

// ErrCut says that a guarded change has cut the connection of the session, and stays, for
// new connections can be made: another session can go on.
var ErrCut = errors.New("the change cut the connection that it was made over")

// ErrTooLate says that the host undid a change that was about to be confirmed: nothing was
// wrong with it but that its controller, or the host, was slow.
var ErrTooLate = errors.New("it was not confirmed in time")

const (
	// undoSlack is what the engine allows beyond UndoAfter until a host says that it undid.
	undoSlack = 45 * time.Second
	// askPause lies between two tries of a new connection.
	askPause = time.Second
	// answerWithin is how long a session may take for a small step when its connection may be
	// cut. It is what lies between ConfirmWithin and UndoAfter.
	answerWithin = recipe.UndoAfter - recipe.ConfirmWithin
	// watchEvery is how often new connections are tried while a change is made that may have
	// cut the one that it is made over.
	watchEvery = 5 * time.Second
)

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

// liveStep returns the last of steps that makes a guarded change live, 0 when there is none.
func liveStep(steps []recipe.Numbered) (unit string, number int) {
	for _, step := range slices.Backward(steps) {
		if control, ok := step.Step.(recipe.ControlUnit); ok && control.Guarded {
			return control.Unit, step.Number
		}
	}
	return "", 0
}

// doGuarded is session.Do. Where a step makes a guarded change live, new connections are
// tried beside it when it takes long: the connection may be cut, and no answer come.
func (a *application) doGuarded(ctx context.Context, steps []recipe.Numbered, then []recipe.Probe, observe Observer) (recipe.Facts, error) {
	unit, number := liveStep(steps)
	if number == 0 || !slices.Contains(a.armed, unit) {
		return a.session.Do(ctx, steps, then, observe)
	}
	watched, decided := context.WithCancelCause(ctx)
	defer decided(nil)
	tried := make(chan error, 1)
	go func() { tried <- a.watch(watched, unit, number, decided) }()
	found, err := a.session.Do(watched, steps, then, observe)
	if err != nil && errors.Is(context.Cause(watched), ErrCut) {
		err = ErrCut
	}
	decided(nil)
	a.shut = <-tried
	return found, err
}

// watch ends a session's step when a new connection says that it is done, and the session
// does not. The error says why no new connection could be made before that.
func (a *application) watch(ctx context.Context, unit string, step int, decided context.CancelCauseFunc) error {
	var shut error
	for verdict := VerdictOpen; ; {
		select {
		case <-ctx.Done():
			return shut
		case <-time.After(watchEvery):
		}
		if verdict != VerdictOpen { // and there was time for the session to say so
			decided(ErrCut)
			return shut
		}
		trying, cancel := context.WithTimeout(ctx, recipe.ConfirmWithin)
		got, err := a.host.Verdict(trying, unit, step)
		cancel()
		switch {
		case err == nil && got == VerdictOpen:
			shut = nil
		case err == nil:
			verdict = got
		case ctx.Err() == nil:
			shut = err
		}
	}
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

// confirm makes a guarded change that is live stay, over a new connection, and otherwise sees
// it undone.
func (a *application) confirm(ctx context.Context, unit string) error {
	if err := a.decide(ctx, unit, a.number); err != nil {
		return err
	}
	answering, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	a.number++
	err := a.act(answering, []recipe.Numbered{{Number: a.number, Resource: "service:" + unit, Step: recipe.Confirm{Unit: unit}}}, a.observe)
	var failed *StepError
	if err == nil || errors.As(err, &failed) || ctx.Err() != nil {
		return err
	}
	return fmt.Errorf("%w: %w", ErrCut, err)
}

// lost answers a session that was lost, or is stuck, while something is armed. When a step
// was under way that makes a change live, that may be what cut the connection: then it stays
// all the same when a new one can be made, and that step and the rest of its part are done
// when the host says so. Anything less is nothing to confirm.
func (a *application) lost(ctx context.Context, failure error, part part) error {
	unit, step := liveStep(part.steps)
	switch {
	case ctx.Err() != nil:
		return &UnconfirmedError{Unit: a.armed[0], Err: fmt.Errorf("%w: %w", ErrInterrupted, failure), Asked: step > 0}
	case !slices.Contains(a.armed, unit), errors.Is(failure, ErrStuck):
		_, err := a.undo(ctx, a.armed[0], failure, recipe.UndoAfter+undoSlack)
		return err
	}
	if err := a.decide(ctx, unit, step); err != nil {
		return err
	}
	for _, step := range part.steps {
		if !slices.ContainsFunc(a.done, func(done doneStep) bool { return done.Number == step.Number }) {
			a.stepDone(step.Number, part)
		}
	}
	if errors.Is(failure, ErrCut) {
		return failure
	}
	return fmt.Errorf("%w: %w", ErrCut, failure)
}

// decide waits until a guarded change is confirmed, over a new connection, or else undone:
// then it is an error.
func (a *application) decide(ctx context.Context, unit string, step int) error {
	a.observe(Note{Text: "a new connection has to confirm the change to " + unit})
	began := time.Now()
	waiting, cancel := untilStopped(ctx, recipe.ConfirmWithin, a.stop)
	verdict, reason := a.await(waiting, unit, step)
	cancel()
	switch {
	case verdict == VerdictConfirmed:
		return a.stays(unit, began)
	case verdict == VerdictUndone:
		a.observe(a.undone(unit))
		a.leaveNeighbours(unit)
		reason = ErrTooLate
		if a.shut != nil { // and the session was heard of again when it was undone
			reason = fmt.Errorf("no new connection could be made: %w", a.shut)
		}
		return &UnconfirmedError{Unit: unit, Err: reason, Undone: true}
	case ctx.Err() != nil:
		return &UnconfirmedError{Unit: unit, Err: ErrInterrupted, Asked: true}
	case verdict == VerdictUnknown:
		return fmt.Errorf("%s: nothing is armed any more, and the host's journal does not say whether the change stays", unit)
	case !errors.Is(reason, ErrInterrupted):
		reason = fmt.Errorf("no new connection could be made: %w", reason)
	}
	verdict, err := a.undo(ctx, unit, reason, recipe.UndoAfter-time.Since(began)+undoSlack)
	if verdict == VerdictConfirmed { // the answer to that was lost
		return a.stays(unit, began)
	}
	return err
}

// stays tells that a change was confirmed.
func (a *application) stays(unit string, began time.Time) error {
	a.disarmed(unit)
	a.observe(Note{Text: fmt.Sprintf("%s: a new connection was made after %.1f s: the change stays", unit, time.Since(began).Seconds())})
	return nil
}

func (a *application) disarmed(unit string) {
	a.armed = slices.DeleteFunc(a.armed, func(other string) bool { return other == unit })
}

// undo has a change undone by the session, when that still answers, and otherwise asks the
// host, over new connections, until it says that it did so by itself.
func (a *application) undo(ctx context.Context, unit string, reason error, within time.Duration) (Verdict, error) {
	err := a.undoNow(ctx, reason, answerWithin)
	var unconfirmed *UnconfirmedError
	if errors.As(err, &unconfirmed) && unconfirmed.Undone {
		return VerdictUndone, err
	}
	a.observe(Note{Text: unit + ": " + reason.Error() + ": waiting until the host has undone the change"})
	waiting, cancel := context.WithTimeout(ctx, within) // also when stopped: undoing is what that asks for
	verdict, _ := a.await(waiting, unit, 0)
	cancel()
	switch {
	case verdict == VerdictUndone:
		a.observe(a.undone(unit))
		a.leaveNeighbours(unit)
	case ctx.Err() != nil && !errors.Is(reason, ErrInterrupted):
		reason = fmt.Errorf("%w: %w", ErrInterrupted, reason)
	}
	return verdict, &UnconfirmedError{Unit: unit, Err: reason, Undone: verdict == VerdictUndone}
}

// undoNow answers a step that failed, or Ctrl-C, while something is armed.
func (a *application) undoNow(ctx context.Context, failure error, within time.Duration) error {
	var undone []string
	for _, unit := range slices.Clone(a.armed) {
		undoing, cancel := context.WithTimeout(ctx, within)
		a.number++
		steps := []recipe.Numbered{{Number: a.number, Resource: "service:" + unit, Step: recipe.Undo{Unit: unit}}}
		err := a.act(undoing, steps, a.observe)
		cancel()
		if err == nil {
			a.observe(a.undone(unit))
			undone = append(undone, unit)
		}
		failure = &UnconfirmedError{Unit: unit, Err: failure, Undone: err == nil}
	}
	for _, unit := range undone {
		if err := a.loadNeighbours(ctx, unit); err != nil {
			failure = fmt.Errorf("%w; %w", failure, err)
		}
	}
	return failure
}

// interrupted ends a run between two steps: what is armed is undone.
func (a *application) interrupted(ctx context.Context) error {
	return a.undoNow(ctx, ErrInterrupted, undoSlack)
}

// undone tells what undoing a unit has put back, which is no change any more.
func (a *application) undone(unit string) Restored {
	restored := Restored{Unit: unit, Runs: a.initial.Unit(unit).Running(), Undone: true}
	for _, done := range slices.Backward(a.done) {
		if path := recipe.PathOf(done.Step); path != "" && slices.Contains(done.Guards, unit) {
			restored.Paths = append(restored.Paths, path)
		}
	}
	a.disarmed(unit)
	a.result.Changed = slices.DeleteFunc(a.result.Changed, func(changed Planned) bool { return slices.Contains(a.guards(changed.Item), unit) })
	return restored
}

// await asks over new connections until there is a verdict. Without one the error says why.
func (a *application) await(ctx context.Context, unit string, step int) (Verdict, error) {
	last := errors.New("there was no time to make one")
	for {
		verdict, err := a.host.Verdict(ctx, unit, step)
		switch {
		case err == nil && verdict != VerdictOpen:
			return verdict, nil
		case err == nil:
			last = errors.New("the host has not said yet that the change is made")
		case ctx.Err() == nil:
			last = err
		}
		select {
		case <-ctx.Done():
			if errors.Is(context.Cause(ctx), ErrInterrupted) {
				last = ErrInterrupted
			}
			return VerdictOpen, last
		case <-time.After(askPause):
		}
	}
}

// untilStopped is a context with an end, which is ErrInterrupted when stop is closed.
func untilStopped(ctx context.Context, within time.Duration, stop <-chan struct{}) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(ctx, within)
	ctx, interrupt := context.WithCancelCause(ctx)
	go func() {
		select {
		case <-stop:
			interrupt(ErrInterrupted)
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}
