// Package results shapes what the store has counted for the dashboard, the API
// and the original's clients.
package results

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"provision/internal/gimel/dashboard"
	"provision/internal/gimel/event"
	"provision/internal/gimel/statistics"
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

// Reader is a dashboard.Source over a store.
type Reader struct{ Store Store }

var _ dashboard.Source = Reader{}

// Experiments lists a namespace's experiments by name.
func (r Reader) Experiments(ctx context.Context, namespace string) ([]dashboard.Summary, error) {
	experiments, err := r.Store.Experiments(ctx, namespace)
	if err != nil {
		return nil, err
	}
	summaries := []dashboard.Summary{}
	for _, experiment := range experiments {
		summaries = append(summaries, r.summarize(experiment))
	}
	return summaries, nil
}

// Experiment returns one experiment, or dashboard.ErrNotFound.
func (r Reader) Experiment(ctx context.Context, namespace, name string) (dashboard.Detail, error) {
	experiment, err := r.Store.Experiment(ctx, namespace, name)
	if errors.Is(err, store.ErrNotFound) {
		return dashboard.Detail{}, fmt.Errorf("%s: %w", name, dashboard.ErrNotFound)
	}
	if err != nil {
		return dashboard.Detail{}, err
	}
	counted, err := r.Store.Days(ctx, experiment)
	if err != nil {
		return dashboard.Detail{}, err
	}
	byDay := group(counted)
	detail := dashboard.Detail{Summary: r.summarize(experiment)}
	for _, goal := range detail.Goals {
		result := dashboard.Goal{Name: goal, Variants: Counts(experiment, goal)}
		for day, count := range byDay {
			date, err := time.Parse(time.DateOnly, day)
			if err != nil {
				return dashboard.Detail{}, fmt.Errorf("day of %s: %w", name, err)
			}
			variants := slices.Clone(result.Variants)
			for i, variant := range variants {
				variants[i].Trials = count[pair{event.Participate, variant.Label}]
				variants[i].Successes = count[pair{goal, variant.Label}]
			}
			result.Days = append(result.Days, dashboard.Day{Date: date, Variants: variants})
		}
		slices.SortFunc(result.Days, func(a, b dashboard.Day) int { return a.Date.Compare(b.Date) })
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

func (r Reader) summarize(e *store.Experiment) dashboard.Summary {
	return dashboard.Summary{
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

// Goals are the declared goals and those counted, sorted.
func Goals(e *store.Experiment) []string {
	goals := slices.Clone(e.Goals)
	for _, counter := range e.Counters {
		if counter.Event != event.Participate {
			goals = append(goals, counter.Event)
		}
	}
	slices.Sort(goals)
	return slices.Compact(goals)
}

// Counts gives the variants of an experiment with their participants and those
// who reached the goal: the declared ones in their order, then the others.
// Undeclared ones are sorted, a "control" or "original" first, and weigh
// nothing, which the statistics take for equal weights; but those that hardly
// anybody has are strays, at the end and without a share: one forged request
// must not make the control, nor break the split.
func Counts(e *store.Experiment, goal string) []statistics.Variant {
	var variants []statistics.Variant
	known := map[string]bool{}
	add := func(label string, weight float64) {
		if known[label] {
			return
		}
		known[label] = true
		variants = append(variants, statistics.Variant{
			Label:     label,
			Weight:    weight,
			Trials:    e.Count(event.Participate, label),
			Successes: e.Count(goal, label),
		})
	}
	for _, variant := range e.Variants {
		add(variant.Label, variant.Weight)
	}
	counters := slices.Clone(e.Counters)
	isStray := strays(e)
	slices.SortStableFunc(counters, func(a, b store.Counter) int {
		return cmp.Or(cmp.Compare(rank(a.Variant, isStray), rank(b.Variant, isStray)), cmp.Compare(a.Variant, b.Variant))
	})
	for _, counter := range counters {
		weight := 0.0
		if len(e.Variants) == 0 && len(isStray) > 0 && !isStray[counter.Variant] {
			weight = 1
		}
		add(counter.Variant, weight)
	}
	return variants
}

// strayShare is how many times fewer participants than the largest variant has
// make an undeclared one a stray.
const strayShare = 20

// strays are the variants of an undeclared experiment that hardly anybody has.
func strays(e *store.Experiment) map[string]bool {
	if len(e.Variants) > 0 {
		return nil
	}
	var largest int64
	for _, counter := range e.Counters {
		if counter.Event == event.Participate {
			largest = max(largest, counter.Count)
		}
	}
	found := map[string]bool{}
	for _, counter := range e.Counters {
		if e.Count(event.Participate, counter.Variant)*strayShare < largest {
			found[counter.Variant] = true
		}
	}
	return found
}

func rank(label string, isStray map[string]bool) int {
	switch {
	case isStray[label]:
		return 2
	case label == "control" || label == "original":
		return 0
	}
	return 1
}
