package engine

import (
	"context"
	"errors"
	"fmt"

	"provision/internal/recipe"
)

// Prober answers questions about a host, all in one round trip.
type Prober interface {
	Probe(ctx context.Context, probes []recipe.Probe) (recipe.Answer, error)
}

// Session is a run under the host's lock: it does steps and journals them.
type Session interface {
	// Do does steps one after the other, up to the first that fails: a *StepError.
	Do(ctx context.Context, steps []recipe.Numbered, observe Observer) error
	// Finish closes the journal and lets go of the lock.
	Finish(ctx context.Context, outcome string) error
}

// StepError is a step that failed, with all that it printed.
type StepError struct {
	Step   recipe.Numbered
	Status int
	Output string
}

// Error implements error.
func (e *StepError) Error() string {
	return fmt.Sprintf("%s: failed with status %d", e.Step.Step.Title(), e.Status)
}

// ErrStale says that the host changed between the plan and the run: nothing was done.
var ErrStale = errors.New("the host changed since the plan was made")

// ErrInterrupted says that a run was asked to stop, and did between two steps.
var ErrInterrupted = errors.New("interrupted")

// ErrNotConverged says that after all steps the host is still not what the recipe wants.
var ErrNotConverged = errors.New("did not converge")
