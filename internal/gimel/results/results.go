// Package results shapes what the store has counted for the dashboard, the API
// and the original's clients.
package results

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"provision/internal/gimel/event"
	"provision/internal/gimel/statistics"
	"provision/internal/gimel/store"
)

// Store is what results are read from.
type Store interface {
	Experiments(ctx context.Context, namespace string) ([]*store.Experiment, error)
	Experiment(ctx context.Context, namespace, name string) (*store.Experiment, error)
	Days(ctx context.Context, of ...*store.Experiment) ([]map[store.Counter][]store.Day, error)
	Notes(ctx context.Context, e *store.Experiment) (store.Notes, error)
	Crossed(ctx context.Context, e *store.Experiment) (store.Crossing, error)
	Namespaces(ctx context.Context) ([]string, error)
	TurnedAway(namespace string) int64
	Counting() store.Counting
}

// Reader reads experiments from a store.
type Reader struct{ Store Store }

// Experiments lists a namespace's experiments by name, without their notes, and
// in as many round trips as one takes. Those without a planned size have no
// days: their verdict needs none. Of one that cannot be read there is its name and
// its Problem.
func (r Reader) Experiments(ctx context.Context, namespace string) ([]Detail, error) {
	experiments, err := r.Store.Experiments(ctx, namespace)
	if err != nil {
		return nil, err
	}
	planned := slices.DeleteFunc(slices.Clone(experiments), func(e *store.Experiment) bool { return e.Planned == 0 && e.Before == nil })
	counted, err := r.Store.Days(ctx, planned...)
	if err != nil {
		return nil, err
	}
	details := []Detail{}
	for _, experiment := range experiments {
		var days map[store.Counter][]store.Day
		if at := slices.Index(planned, experiment); at >= 0 {
			days = counted[at]
		}
		detail, err := r.detail(experiment, days)
		if err != nil {
			return nil, err
		}
		details = append(details, detail)
	}
	return details, nil
}

// Experiment returns one experiment with all that is known of it, or ErrNotFound.
func (r Reader) Experiment(ctx context.Context, namespace, name string) (Detail, error) {
	experiment, err := r.Store.Experiment(ctx, namespace, name)
	if errors.Is(err, store.ErrNotFound) {
		return Detail{}, fmt.Errorf("%s: %w", name, ErrNotFound)
	}
	if err != nil {
		return Detail{}, err
	}
	counted, err := r.Store.Days(ctx, experiment)
	if err == nil {
		err = experiment.Problem
	}
	if err != nil {
		return Detail{}, err
	}
	detail, err := r.detail(experiment, counted[0])
	if err != nil {
		return Detail{}, err
	}
	if detail.Notes, err = r.Store.Notes(ctx, experiment); err != nil {
		return Detail{}, err
	}
	detail.Crossing, err = r.Store.Crossed(ctx, experiment)
	return detail, err
}

// Namespaces lists the namespaces that have experiments.
func (r Reader) Namespaces(ctx context.Context) ([]string, error) { return r.Store.Namespaces(ctx) }

func (r Reader) detail(experiment *store.Experiment, counted map[store.Counter][]store.Day) (Detail, error) {
	byDay := group(counted)
	detail := Detail{Summary: r.summarize(experiment), Declaration: experiment.Declaration()}
	for _, goal := range detail.Goals {
		result := Goal{Name: goal, Kind: statistics.Kind(experiment.Kind(goal)), Variants: Counts(experiment, goal),
			Max: experiment.Max[goal], Over: experiment.Over[goal], Keyed: experiment.Keyed[goal]}
		for day, count := range byDay {
			date, err := time.Parse(time.DateOnly, day)
			if err != nil {
				return Detail{}, fmt.Errorf("day of %s: %w", experiment.Name, err)
			}
			variants := slices.Clone(result.Variants)
			for i, variant := range variants {
				reached := count[pair{goal, variant.Label}]
				variants[i].Trials = count[pair{event.Participate, variant.Label}].Count
				variants[i].Successes, variants[i].Values = reached.Count, reached.Count
				variants[i].Sum, variants[i].Squares = reached.Sum, reached.Squares
			}
			result.Days = append(result.Days, Day{Date: date, Variants: variants})
		}
		slices.SortFunc(result.Days, func(a, b Day) int { return a.Date.Compare(b.Date) })
		detail.Results = append(detail.Results, result)
	}
	for day := range byDay {
		if date, err := time.Parse(time.DateOnly, day); err == nil && (detail.Started.IsZero() || date.Before(detail.Started)) {
			detail.Started = date
		}
	}
	return detail, nil
}

// TurnedAway is how many events of a namespace were dropped.
func (r Reader) TurnedAway(namespace string) int64 { return r.Store.TurnedAway(namespace) }

type pair struct{ event, variant string }

func group(counted map[store.Counter][]store.Day) map[string]map[pair]store.Day {
	byDay := map[string]map[pair]store.Day{}
	for counter, days := range counted {
		for _, day := range days {
			if byDay[day.Day] == nil {
				byDay[day.Day] = map[pair]store.Day{}
			}
			byDay[day.Day][pair{counter.Event, counter.Variant}] = day
		}
	}
	return byDay
}

func (r Reader) summarize(e *store.Experiment) Summary {
	planned, primary := e.Planned, e.Primary
	if e.Before != nil {
		planned, primary = e.Before.Planned, e.Before.Primary
	}
	return Summary{
		Namespace:     e.Namespace,
		Name:          e.Name,
		Life:          e.Life(),
		Variants:      Counts(e, ""),
		Goals:         Goals(e),
		Kinds:         e.Kinds,
		PlannedTrials: planned,
		Started:       e.Created,
		Archived:      e.State == store.Archived,
		Declared:      e.Declared,
		Primary:       primary,
		Before:        e.Before,
		Was:           e.Was,
		Ramped:        e.Ramped,
		Estimated:     r.Store.Counting() == store.HLL,
		Problem:       e.Problem,
	}
}
