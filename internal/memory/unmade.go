package memory

import (
	"slices"

	"provision/internal/recipe"
	"provision/internal/resource"
)

// This file says what of a memory is certain that a run wrote which did not come to its end: what it
// noted first of all and never came to make may have been made by others since.

// Doubts asks what of an unfinished memory was begun to be made, and what is there.
func (m Memory) Doubts() []recipe.Probe {
	if !m.Unfinished {
		return nil
	}
	probes := []recipe.Probe{{Key: recipe.TouchedKey(m.Task)}}
	for _, trace := range m.Traces {
		if gone := m.unsure(trace); gone != nil {
			probes = append(probes, gone.Probes()...)
		}
	}
	return probes
}

// unsure is what would take away a thing that is ours if it was made, nil for another.
func (m Memory) unsure(t recipe.Trace) recipe.Resource {
	if path, _ := resource.At(t); path == "" || t.Gone || t.Before == nil || !t.Before.Nothing {
		return nil
	}
	gone, _ := resource.Leaving{Traces: m.Traces, Purge: true}.Resource(t)
	return gone
}

// Certain returns the memory without what no run began to make; where something is there in its
// place, it is not known whose it is.
func (m Memory) Certain(facts recipe.Facts) Memory {
	if !m.Unfinished {
		return m
	}
	var certain []recipe.Trace
	for _, trace := range m.Traces {
		path, _ := resource.At(trace) // which a run keeps before it makes a thing there
		if gone := m.unsure(trace); gone != nil && !slices.Contains(facts.Touched(m.Task), path) {
			if change, err := gone.Diff(facts); err == nil && change.Empty() {
				m.doubted = true
				continue
			}
			trace.Before, m.doubted = nil, true
		}
		certain = append(certain, trace)
	}
	m.Traces = certain
	return m
}
