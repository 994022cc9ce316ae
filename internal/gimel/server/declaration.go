package server

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"provision/internal/gimel/event"
	"provision/internal/gimel/store"
)

// declarationBody is what PUT takes.
type declarationBody struct {
	Variants []struct {
		Label  string   `json:"label"`
		Weight *float64 `json:"weight"` // absent: 1
	} `json:"variants"`
	Goals         []string              `json:"goals"`
	Kinds         map[string]event.Kind `json:"kinds"` // absent: event.Unique
	Max           map[string]float64    `json:"max"`
	Keyed         []string              `json:"keyed"`
	PlannedTrials int64                 `json:"planned_trials"`
}

func (b declarationBody) of(namespace, name string) store.Declaration {
	d := store.Declaration{Namespace: namespace, Experiment: name, Goals: b.Goals, Kinds: b.Kinds, Max: b.Max, Planned: b.PlannedTrials}
	for _, goal := range b.Keyed {
		if d.Keyed == nil {
			d.Keyed = map[string]bool{}
		}
		d.Keyed[goal] = true
	}
	for _, variant := range b.Variants {
		weight := 1.0
		if variant.Weight != nil {
			weight = *variant.Weight
		}
		d.Variants = append(d.Variants, store.Variant{Label: variant.Label, Weight: weight})
	}
	return d
}

// check says what is wrong with a declaration.
func (s *Server) check(d store.Declaration) error {
	if d.Planned < 0 {
		return errors.New("planned_trials: is negative")
	}
	labels := map[string]bool{}
	for i, variant := range d.Variants {
		if reason := event.CheckName(variant.Label, s.Limits.Name); reason != "" {
			return fmt.Errorf("variants[%d].label: %s", i, reason)
		}
		if labels[variant.Label] {
			return fmt.Errorf("variants[%d].label: %q is there twice", i, variant.Label)
		}
		labels[variant.Label] = true
		if !variant.Possible() {
			return fmt.Errorf("variants[%d].weight: must be from %g to %.0f", i, store.MinWeight, store.MaxWeight)
		}
	}
	for i, goal := range d.Goals {
		if reason := event.CheckName(goal, s.Limits.Name); reason != "" {
			return fmt.Errorf("goals[%d]: %s", i, reason)
		}
		if goal == event.Participate {
			return fmt.Errorf("goals[%d]: participate is no goal", i)
		}
		if slices.Contains(d.Goals[:i], goal) { // its second place would be its only one
			return fmt.Errorf("goals[%d]: %q is there twice", i, goal)
		}
	}
	return cmp.Or(s.checkKinds(d), s.checkMax(d), s.checkKeyed(d))
}

func (s *Server) checkKinds(d store.Declaration) error {
	for goal, kind := range d.Kinds {
		switch {
		case !slices.Contains(d.Goals, goal):
			return fmt.Errorf("kinds: %q is not among the goals", goal)
		case !event.IsKind(kind):
			return fmt.Errorf("kinds: %q of %q is none of unique, count, value", kind, goal)
		case kind == event.Value && s.Store.Counting() == store.HLL:
			return fmt.Errorf("kinds: the values of %q cannot be added up where the counting is hll", goal)
		}
	}
	return nil
}

func (s *Server) checkMax(d store.Declaration) error {
	for goal, most := range d.Max {
		switch {
		case d.Kinds[goal] != event.Value && d.Kinds[goal] != event.Count:
			return fmt.Errorf("max: %q is no goal of the kind value or count", goal)
		case !(most > 0 && most <= event.MaxAmount):
			return fmt.Errorf("max: that of %q must be above 0, and at most %.0f", goal, event.MaxAmount)
		case s.Store.Counting() == store.HLL:
			return fmt.Errorf("max: the visitors of %q are not told apart where the counting is hll", goal)
		}
	}
	return nil
}

func (s *Server) checkKeyed(d store.Declaration) error {
	for goal := range d.Keyed {
		switch {
		case !slices.Contains(d.Goals, goal):
			return fmt.Errorf("keyed: %q is not among the goals", goal)
		case s.Store.Counting() == store.HLL:
			return fmt.Errorf("keyed: events of %q are not told apart where the counting is hll", goal)
		}
	}
	return nil
}
