package engine

import (
	"context"
	"fmt"
	"slices"

	"provision/internal/recipe"
)

// units are those of notifications.
func units(notifications []recipe.Notification) []string {
	var units []string
	for _, n := range notifications {
		units = append(units, n.Unit)
	}
	return units
}

// neighbours are the other units that take in the files which undoing a unit has put back. The host
// has noted a restart of each.
func (a *application) neighbours(unit string) []string {
	var neighbours []string
	for _, done := range a.done {
		for _, other := range done.Neighbours {
			if slices.Contains(done.Guards, unit) && other != unit && !slices.Contains(neighbours, other) {
				neighbours = append(neighbours, other)
			}
		}
	}
	return neighbours
}

// loadedSince returns how a unit took in its files in this run, where it runs with them still.
func (a *application) loadedSince(unit string) (recipe.ControlUnit, bool) {
	control, loaded := a.lastLoad(unit, &StepError{})
	return control, loaded && !slices.Contains(a.old, unit)
}

// leaveNeighbours says which neighbours of a unit that was undone run with the new files until the
// next run: the host has undone it where no session could do more.
func (a *application) leaveNeighbours(unit string) {
	for _, other := range a.neighbours(unit) {
		if _, loaded := a.loadedSince(other); loaded {
			a.leaveNeighbour(other)
		}
	}
}

func (a *application) leaveNeighbour(unit string) {
	a.observe(Note{Text: unit + ": runs with what is undone: the next run restarts it"})
}

// loadNeighbours has the neighbours of a unit that was undone take in their old files too, those
// that ran before. One that may cut the connection is left to the next run, which guards it.
func (a *application) loadNeighbours(ctx context.Context, unit string) error {
	for _, other := range a.neighbours(unit) {
		control, loaded := a.loadedSince(other)
		switch {
		case slices.Contains(a.old, other):
			a.number++
			steps := []recipe.Numbered{{Number: a.number, Resource: "service:" + other, Step: recipe.Clear{Unit: other}}}
			if err := a.act(ctx, steps, a.observe); err != nil {
				return err
			}
		case loaded && (control.Guarded || !a.initial.Unit(other).Running()):
			a.leaveNeighbour(other)
		case loaded:
			if err := a.loadOld(ctx, control); err != nil {
				return fmt.Errorf("%s does not run with its old files either: %w", other, err)
			}
			a.old = append(a.old, other)
		}
	}
	return nil
}
