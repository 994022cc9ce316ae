package results

import (
	"errors"
	"time"

	"provision/internal/gimel/event"
	"provision/internal/gimel/statistics"
	"provision/internal/gimel/store"
)

// ErrNotFound is returned, wrapped or bare, where the namespace has no
// experiment of that name.
var ErrNotFound = errors.New("experiment not found")

// Summary is an experiment as a list shows it.
type Summary struct {
	Namespace string
	Name      string
	Life      string // tells experiments of one name apart, of which one was deleted
	// Variants carries each variant's declared weight and participants
	// (Trials); Successes is ignored here.
	Variants []statistics.Variant
	// Goals are the names of the goals seen or declared, Kinds those declared to
	// be other than unique.
	Goals []string
	Kinds map[string]event.Kind
	// PlannedTrials is the number of participants each variant is to reach, as it
	// was planned before participants came; 0 when nobody planned one.
	PlannedTrials int64
	// Started is the first day with a count; zero when unknown (imported data).
	Started  time.Time
	Archived bool
	// Declared is false for an experiment that was accepted because a page
	// sent it; its weights are then assumed to be equal.
	Declared bool
	// Primary is the goal that decides; "" where none was declared before
	// participants came.
	Primary string
	// Before is what was declared when participants came; nil where that is what
	// is declared now. Was are the kinds that goals had then.
	Before *store.Before
	Was    map[string]event.Kind
	// Ramped is true where the weights were changed under traffic, Estimated
	// where the counts are (see statistics.Design).
	Ramped, Estimated bool
	// Problem is why it cannot be read; then there is its name alone.
	Problem error
}

// Detail is one experiment in full.
type Detail struct {
	Summary
	// Results holds one entry for each goal.
	Results []Goal
	// Declaration is what was declared; empty where nobody did.
	Declaration store.Declaration
	// Notes and Crossing are read for one experiment alone, not for a list.
	Notes    store.Notes
	Crossing store.Crossing
}

// Goal is one goal's counts. Every goal repeats the variants' participants as
// Trials, so that it can be analysed on its own.
type Goal struct {
	Name string
	Kind statistics.Kind
	// Variants in order; the first is the control.
	Variants []statistics.Variant
	// Days in any order; days without a count may be missing, and their sum
	// may stay below the totals (imported data has no days).
	Days []Day
	// Max is the largest value, or how often a visitor is counted at most; 0 is
	// no bound. Over is how many events were dropped for being above it.
	Max  float64
	Over int64
	// Keyed says that only events with a key reach it.
	Keyed bool
}

// Day is what was counted on one day, not the running total.
type Day struct {
	Date time.Time
	// Variants are matched with the goal's by Label; Weight is ignored.
	Variants []statistics.Variant
}
