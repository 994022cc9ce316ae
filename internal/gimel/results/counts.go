package results

import (
	"cmp"
	"slices"

	"provision/internal/gimel/event"
	"provision/internal/gimel/statistics"
	"provision/internal/gimel/store"
)

// Goals are the declared goals, those that were when participants came, and
// those counted, sorted.
func Goals(e *store.Experiment) []string {
	goals := slices.Clone(e.Goals)
	if e.Before != nil {
		goals = append(goals, e.Before.Goals...)
	}
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
		reached := e.Counter(goal, label)
		variants = append(variants, statistics.Variant{
			Label:     label,
			Weight:    weight,
			Trials:    e.Count(event.Participate, label),
			Successes: reached.Count,
			Values:    reached.Values.Of,
			Sum:       reached.Values.Sum,
			Squares:   reached.Values.Squares,
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
