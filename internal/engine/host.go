package engine

import (
	"context"
	"errors"
	"fmt"

	"provision/internal/recipe"
)

// Host is what a run asks a host beside its session.
type Host interface {
	// Probe answers all questions in one round trip.
	Probe(ctx context.Context, probes []recipe.Probe) (recipe.Answer, error)
	// Verdict says what became of the guarded change to a unit. Given the number of the step
	// that made it live, it confirms it, when that step is done. It asks over a connection made
	// for that alone: the proof that the change has not shut the controller out.
	Verdict(ctx context.Context, unit string, step int) (Verdict, error)
	// Unloaded returns the replacements of files by earlier runs since a unit last loaded its
	// files, newest first. loaded is false when no run that is remembered made it do so.
	Unloaded(ctx context.Context, unit string) (replacements []Replacement, loaded bool, err error)
}

// Session is a run under the host's lock: it does steps and journals them.
type Session interface {
	// Do does steps one after the other, up to the first that fails: a *StepError. Where all are
	// done, it may ask then, in the same round trip, and return what the host has; nil facts are
	// that it did not ask.
	Do(ctx context.Context, steps []recipe.Numbered, then []recipe.Probe, observe Observer) (recipe.Facts, error)
	// Finish closes the journal and lets go of the lock.
	Finish(ctx context.Context, outcome string) error
}

// StepError is a step that failed, with all that it printed.
type StepError struct {
	Step   recipe.Numbered
	Status int
	Output string
	At     recipe.Position // where a task wants the step's resource
}

// Error implements error.
func (e *StepError) Error() string {
	text := fmt.Sprintf("%s: failed with status %d", e.Step.Step.Title(), e.Status)
	if at := e.At.Short(); at != "" {
		text += " (" + at + ")"
	}
	return text
}

// ErrStale says that the host changed between the plan and the run: nothing was done.
var ErrStale = recipe.ErrStale

// ErrUnforeseen says that something came to stand in a place of which the plan said what it becomes,
// and that it cannot become that: it is as it was found.
var ErrUnforeseen = errors.New("not what the plan foresaw")

// ErrStuck says that the session lives, and its host could not write down what it does: it
// does nothing more.
var ErrStuck = errors.New("the host could not go on")

// ErrInterrupted says that a run was asked to stop, and did between two steps.
var ErrInterrupted = errors.New("interrupted")

// ErrNotConverged says that after all steps the host is still not what the recipe wants.
var ErrNotConverged = errors.New("did not converge")
