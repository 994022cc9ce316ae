package run

import (
	"context"
	"errors"
	"time"

	"provision/internal/engine"
	"provision/internal/journal"
	"provision/internal/recipe"
	"provision/internal/remote"
)

// This file does what a plan says on one host, under its lock.

// Outcomes of a run in the host's journal, beside the statuses that are not good.
const (
	converged = "converged" // it came to a good end
	undone    = "undone"    // a guarded change of it was, and is as before
)

// change does the plan under the host's lock. A host that is drained for it is proved there, too.
func (j *job) change(ctx context.Context) (proved bool, err error) {
	header := j.settings.Header
	if len(header.Tasks) == 0 {
		header.Tasks = j.tasks()
	}
	header.Plan = j.made.Hash()
	if _, err := j.begin(ctx, header); err != nil {
		return false, err
	}
	if err = j.drain(ctx); err == nil {
		err = j.makeSo(ctx, header)
	}
	outcome := outcomeOf(err)
	if j.drained {
		proved, err = true, j.proveDrained(ctx, err)
	}
	return proved, j.end(ctx, outcome, err)
}

// makeSo does the plan in the run that has begun, and in others that go on with it where a connection is cut.
func (j *job) makeSo(ctx context.Context, header journal.Header) error {
	session := j.host.session
	result, err := j.applyIn(ctx, session, session.Found.Facts)
	if errors.Is(err, engine.ErrStale) && j.settings.Unasked {
		result, err = j.applyAnew(ctx, session)
	}
	j.result.Changed, j.result.Same = len(result.Changed), result.Same
	for cuts := 0; errors.Is(err, engine.ErrCut) && cuts < mostCuts; cuts++ {
		if session, err = j.goOn(ctx, header); err != nil {
			return err
		}
		if err = j.drain(ctx); err != nil { // the lock was nobody's for a moment: another run may have brought it back
			return err
		}
		result, err = j.applyIn(ctx, session, session.Found.Facts)
		j.result.Same = result.Same - j.result.Changed
		j.result.Changed += len(result.Changed)
	}
	return err
}

// applyIn does the plan in a session, under whose lock the host has answered so.
func (j *job) applyIn(ctx context.Context, session *journal.Session, found recipe.Facts) (engine.Result, error) {
	run := engine.Run{Host: j.host, Session: session, Wanted: j.wanted, Plan: j.made, Observe: j.observe, Stop: j.settings.Stop}
	return run.Apply(ctx, found)
}

// outcomeOf is what the host's journal has of the end of a run.
func outcomeOf(err error) string {
	var unconfirmed *engine.UnconfirmedError
	switch {
	case err == nil:
		return converged
	case errors.As(err, &unconfirmed) && unconfirmed.Undone:
		return undone
	}
	return string(status(err, engine.StatusFailed))
}

// end ends the run that did the plan.
func (j *job) end(ctx context.Context, outcome string, err error) error {
	var unconfirmed *engine.UnconfirmedError
	if errors.As(err, &unconfirmed) {
		leave(ctx, j.host.session, outcome)
		return err
	}
	if errors.Is(err, remote.ErrLost) {
		j.lookAgain(ctx)
	}
	return errors.Join(err, j.host.session.Finish(ctx, outcome))
}

// begin starts the run on the host, under its lock. Who stops does not wait until another's run
// lets go of it.
func (j *job) begin(ctx context.Context, header journal.Header) (*journal.Session, error) {
	begun := make(chan struct{})
	defer close(begun)
	ctx, giveUp := context.WithCancelCause(ctx) // else it is the session's, to its end
	go func() {
		select {
		case <-j.settings.Stop:
			giveUp(engine.ErrInterrupted)
		case <-begun:
		}
	}()
	first := j.wanted.Probes()
	if len(j.Blueprint.Drains) > 0 {
		first = append(first, serving())
	}
	session, err := j.host.begin(ctx, header, j.settings.Patience, first, j.observe)
	if err != nil {
		return nil, err
	}
	if len(j.Blueprint.Drains) > 0 && header.GoesOn == "" { // a run that ended since the plan may have left it drained
		j.made.Drained, j.made.DrainedSince = false, ""
		j.Blueprint.serves(&j.made, session.Found.Facts)
	}
	j.boot = session.Boot
	j.host.session = session
	j.host.run, j.host.anyway = session.Run, true // under the lock nobody else is at work
	j.observe(engine.Applying{Run: session.Run})
	return session, nil
}

// applyAnew plans once more, now under the host's lock, and applies that: nobody was asked
// about the first plan, so nobody has to be asked again. It happens after a wait for the
// lock, as when the apt-get of a run that died was still at work.
func (j *job) applyAnew(ctx context.Context, session *journal.Session) (engine.Result, error) {
	j.observe(engine.Note{Text: "the host changed since it was asked: planned again"})
	wanted, made, err := j.host.plan(ctx, j.Blueprint, j.probes)
	if err != nil {
		return engine.Result{}, err
	}
	made.Drained, made.DrainedSince = j.made.Drained, j.made.DrainedSince // by now it is drained by this run
	j.wanted, j.made = wanted, made
	j.observe(engine.PlanMade{Plan: made})
	if err := session.Replanned(ctx, made.Hash()); err != nil {
		return engine.Result{}, err
	}
	answer, err := session.Probe(ctx, wanted.Probes())
	if err != nil {
		return engine.Result{}, err
	}
	return j.applyIn(ctx, session, answer.Facts)
}

// leaveWithin bounds the end of a run whose connection may be cut.
const leaveWithin = 10 * time.Second

// leave ends a run whose guarded change was not confirmed. On a connection that was cut there
// is nobody to end it for: the host lets go of it by itself, and may have.
func leave(ctx context.Context, session engine.Session, outcome string) {
	ctx, cancel := context.WithTimeout(ctx, leaveWithin)
	defer cancel()
	_ = session.Finish(ctx, outcome)
}
