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
	"provision/internal/gimel/store"
)

// Store is what results are read from.
type Store interface {
	Experiments(ctx context.Context, namespace string) ([]*store.Experiment, error)
	Experiment(ctx context.Context, namespace, name string) (*store.Experiment, error)
	Days(ctx context.Context, e *store.Experiment) (map[store.Counter][]store.Day, error)
	TurnedAway(namespace string) int64
	Counting() store.Counting
}

// Reader reads experiments from a store.
type Reader struct{ Store Store }

// Experiments lists a namespace's experiments by name.
func (r Reader) Experiments(ctx context.Context, namespace string) ([]Summary, error) {
	experiments, err := r.Store.Experiments(ctx, namespace)
	if err != nil {
		return nil, err
	}
	summaries := []Summary{}
	for _, experiment := range experiments {
		summaries = append(summaries, r.summarize(experiment))
	}
	return summaries, nil
}

// Experiment returns one experiment, or ErrNotFound.
func (r Reader) Experiment(ctx context.Context, namespace, name string) (Detail, error) {
	experiment, err := r.Store.Experiment(ctx, namespace, name)
	if errors.Is(err, store.ErrNotFound) {
		return Detail{}, fmt.Errorf("%s: %w", name, ErrNotFound)
	}
	if err != nil {
		return Detail{}, err
	}
	counted, err := r.Store.Days(ctx, experiment)
	if err != nil {
		return Detail{}, err
	}
	byDay := group(counted)
	detail := Detail{Summary: r.summarize(experiment)}
	for _, goal := range detail.Goals {
		result := Goal{Name: goal, Variants: Counts(experiment, goal)}
		for day, count := range byDay {
			date, err := time.Parse(time.DateOnly, day)
			if err != nil {
				return Detail{}, fmt.Errorf("day of %s: %w", name, err)
			}
			variants := slices.Clone(result.Variants)
			for i, variant := range variants {
				variants[i].Trials = count[pair{event.Participate, variant.Label}]
				variants[i].Successes = count[pair{goal, variant.Label}]
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

func group(counted map[store.Counter][]store.Day) map[string]map[pair]int64 {
	byDay := map[string]map[pair]int64{}
	for counter, days := range counted {
		for _, day := range days {
			if byDay[day.Day] == nil {
				byDay[day.Day] = map[pair]int64{}
			}
			byDay[day.Day][pair{counter.Event, counter.Variant}] = day.Count
		}
	}
	return byDay
}

func (r Reader) summarize(e *store.Experiment) Summary {
	return Summary{
		Namespace:     e.Namespace,
		Name:          e.Name,
		Variants:      Counts(e, ""),
		Goals:         Goals(e),
		PlannedTrials: e.Planned,
		Started:       e.Created,
		Archived:      e.State == store.Archived,
		Declared:      e.Declared,
		Primary:       e.Primary,
		Ramped:        e.Ramped,
		Estimated:     r.Store.Counting() == store.HLL,
	}
}
