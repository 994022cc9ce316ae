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
	// PlannedTrials is the number of participants each variant is to reach;
	// 0 when nobody planned one.
	PlannedTrials int64
	// Started is the first day with a count; zero when unknown (imported data).
	Started  time.Time
	Archived bool
	// Declared is false for an experiment that was accepted because a page
	// sent it; its weights are then assumed to be equal.
	Declared bool
	// Primary is the goal that decides; "" where none was declared.
	Primary string
	// Ramped is true where the weights were changed under traffic, Estimated
	// where the counts are (see statistics.Design).
	Ramped, Estimated bool
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
}

// Day is what was counted on one day, not the running total.
type Day struct {
	Date time.Time
	// Variants are matched with the goal's by Label; Weight is ignored.
	Variants []statistics.Variant
}
