package run

import (
	"context"
	"errors"

	"provision/internal/engine"
	"provision/internal/journal"
	"provision/internal/memory"
	"provision/internal/recipe"
	"provision/internal/remote"
)

// status says how the work on a host ended, from the error that ended it.
func status(err error, otherwise engine.Status) engine.Status {
	var unconfirmed *engine.UnconfirmedError
	var notBegun notBegunError
	switch {
	case err == nil:
		return otherwise
	case errors.As(err, &notBegun):
		return engine.StatusNotBegun
	case errors.Is(err, engine.ErrInterrupted):
		return engine.StatusInterrupted
	case errors.As(err, &unconfirmed): // whatever became of the connection
		return engine.StatusFailed
	case errors.Is(err, context.Canceled):
		return engine.StatusInterrupted
	case errors.Is(err, journal.ErrLocked):
		return engine.StatusLocked
	case errors.Is(err, engine.ErrStale):
		return engine.StatusStale
	case errors.Is(err, engine.ErrNotConverged):
		return engine.StatusNotConverged
	case errors.Is(err, remote.ErrConfig):
		return engine.StatusRefused
	case errors.Is(err, remote.ErrUnreachable), errors.Is(err, remote.ErrHostKeyUnknown),
		errors.Is(err, remote.ErrHostKeyChanged), errors.Is(err, remote.ErrAuthentication), errors.Is(err, remote.ErrLost):
		return engine.StatusUnreachable
	}
	return engine.StatusFailed
}

// hint is what to type next after an error of the work on a host.
func (t Target) hint(err error) string {
	if t.Hint != nil && err != nil {
		if hint := t.Hint(err); hint != "" {
			return hint
		}
	}
	return Hint(err, t.Name)
}

// Hint is the command to type next, or what to look at, after an error of the work on a host.
func Hint(err error, host string) string {
	var own interface{ Hint() string }
	if errors.As(err, &own) && own.Hint() != "" {
		return own.Hint()
	}
	var unconfirmed *engine.UnconfirmedError
	if errors.As(err, &unconfirmed) && !unconfirmed.Undone && !errors.Is(err, engine.ErrInterrupted) {
		return "reach the host by another way; it undoes the change to " + unconfirmed.Unit + " by itself, at the latest when it is rebooted"
	}
	if errors.Is(err, engine.ErrTooLate) {
		return "run the same command again"
	}
	if errors.As(err, &unconfirmed) && !errors.Is(err, engine.ErrInterrupted) {
		return "mend the configuration, then run the same command again"
	}
	if text := remote.Hint(err); text != "" {
		return text
	}
	var restored *engine.RestoredError
	switch {
	case errors.As(err, &restored):
		return "mend the configuration, then run the same command again"
	case rehearsed(err).Unit != "":
		mend := "mend the configuration"
		if rehearsed(err).Mend != "" {
			mend = rehearsed(err).Mend + "; or " + mend
		}
		return rehearsed(err).Unit + " goes on with what it has: " + mend + ", then run the same command again"
	case errors.Is(err, engine.ErrUnforeseen):
		return "it is as it was found: look at it there, then run the same command again"
	case errors.Is(err, engine.ErrStale):
		return "look at the new plan, then run the same command again"
	case errors.Is(err, engine.ErrInterrupted):
		return "run the same command again: it goes on where this one stopped"
	case errors.Is(err, journal.ErrLocked):
		return "wait for it, or give --lock-timeout more time"
	case errors.Is(err, remote.ErrLost):
		return "run the same command again: it asks the host what was done and goes on"
	case errors.Is(err, ErrNotRemembered):
		return "provision journal -H " + host + " shows what was done there; an install that changes something notes what the task wants"
	case errors.Is(err, memory.ErrNewer):
		return "use the version of provision that the other one has"
	case errors.Is(err, ErrUnsupported):
		return "no task is proved there; exec, put and get work: provision exec -H " + host + " -- COMMAND"
	case errors.Is(err, engine.ErrNotConverged):
		return "provision journal -H " + host + " shows what was done"
	}
	return ""
}

// rehearsed is the trial that new configuration did not pass, before any of it went live: none for
// another error.
func rehearsed(err error) recipe.Rehearse {
	var failed *engine.StepError
	if errors.As(err, &failed) {
		if rehearsal, ok := failed.Step.Step.(recipe.Rehearse); ok {
			return rehearsal
		}
	}
	return recipe.Rehearse{}
}
