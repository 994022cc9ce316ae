package engine

import (
	"slices"

	"provision/internal/recipe"
)

// part is as much of a batch as is done between two looks at whether the run shall stop.
type part struct {
	changes []Planned
	steps   []recipe.Numbered
	last    []int // of each change the number of its last step
}

// split cuts a batch before and after what takes long, so that a run can be interrupted
// there, and behind a guarded service, which has to be confirmed. Small steps travel together,
// packages are one apt-get, and services are watched together.
func split(batch []Planned) (part, rest []Planned) {
	for i, planned := range batch {
		if i > 0 && (!together(batch[i-1].Change, planned.Change) || guardOf(batch[i-1].Item) != "") {
			return batch[:i], batch[i:]
		}
	}
	return batch, nil
}

// together reports whether two neighbouring changes are of one part.
func together(before, next recipe.Change) bool {
	return slow(before) == slow(next) && (!slow(next) || installs(before) && installs(next) || controls(before) && controls(next))
}

func slow(change recipe.Change) bool {
	return slices.ContainsFunc(change.Steps, func(step recipe.Step) bool { _, is := step.(recipe.Lengthy); return is })
}

func installs(change recipe.Change) bool {
	return slices.ContainsFunc(change.Steps, func(step recipe.Step) bool { _, is := step.(recipe.InstallPackages); return is })
}

func controls(change recipe.Change) bool {
	return slices.ContainsFunc(change.Steps, func(step recipe.Step) bool { _, is := step.(recipe.ControlUnit); return is })
}

// part numbers the steps of some changes: neighbouring installs become one, configuration is
// rehearsed before its first file changes, what may cut the connection is armed before its first
// step, and services are watched together.
func (a *application) part(changes []Planned) part {
	part := part{changes: changes, last: make([]int, len(changes))}
	for _, rehearsal := range rehearsals(a.wanted.Recipe, changes, a.before) {
		a.add(&part, "service:"+rehearsal.Unit, rehearsal)
	}
	var unwatched []int // changes whose service was started, and is to be watched
	watch := func() {
		for _, i := range unwatched {
			_, watches := atOnce(changes[i].Change.Steps)
			a.addAll(&part, i, watches)
		}
		unwatched = nil
	}
	for i, planned := range changes {
		if guardOf(planned.Item) != "" {
			watch() // while the connection is there
		}
		acts, watches := atOnce(planned.Change.Steps)
		a.addAll(&part, i, acts)
		if len(watches) > 0 {
			unwatched = append(unwatched, i)
		}
	}
	watch()
	return part
}

// atOnce parts the steps of a change into those that are done in their place, and the watching of
// its service with all that waits for it.
func atOnce(steps []recipe.Step) (acts, watches []recipe.Step) {
	for i, step := range steps {
		if _, ok := step.(recipe.Watch); ok {
			return steps[:i], steps[i:]
		}
	}
	return steps, nil
}

// addAll adds steps of a part's change.
func (a *application) addAll(part *part, change int, steps []recipe.Step) {
	item := part.changes[change].Item
	guards := a.guards(item)
	for _, unit := range guards {
		if !slices.Contains(a.armed, unit) {
			a.armed = append(a.armed, unit)
			a.add(part, "service:"+unit, recipe.Arm{Unit: unit, Found: a.before.Unit(unit)})
		}
	}
	for _, step := range steps {
		if note := recipe.NoteOf(step); note != "" {
			a.add(part, note, step) // it is neither put back nor undone with the item
			continue
		}
		if install, ok := step.(recipe.InstallPackages); ok && len(part.steps) > 0 {
			last := &part.steps[len(part.steps)-1]
			if before, ok := last.Step.(recipe.InstallPackages); ok {
				last.Step = before.With(install)
				continue
			}
		}
		added := a.add(part, item.Resource.ID(), step)
		if recipe.PathOf(step) != "" {
			added.Guards, added.Neighbours = guards, units(item.Notifies)
		}
	}
	part.last[change] = a.number
}

// add adds a step, with its number.
func (a *application) add(part *part, resource string, step recipe.Step) *recipe.Numbered {
	a.number++
	part.steps = append(part.steps, recipe.Numbered{Number: a.number, Resource: resource, Step: step})
	return &part.steps[len(part.steps)-1]
}

// unwatched returns the steps of a part that watch services which were started before a step
// failed, but that of the step itself.
func (a *application) unwatched(part part, failed *StepError) []recipe.Numbered {
	var steps []recipe.Numbered
	for i, planned := range part.changes {
		id := planned.Item.Resource.ID()
		started := slices.ContainsFunc(a.done, func(done doneStep) bool {
			control, ok := done.Step.(recipe.ControlUnit)
			return ok && control.Watched && done.Resource == id && done.Number >= part.steps[0].Number
		})
		if !started || id == failed.Step.Resource {
			continue
		}
		for _, step := range part.steps {
			if step.Resource == id && step.Number > failed.Step.Number && step.Number <= part.last[i] {
				steps = append(steps, step)
			}
		}
	}
	return steps
}
