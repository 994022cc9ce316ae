package run

import (
	"reflect"
	"slices"
	"sync"

	"provision/internal/recipe"
)

// alike keeps what was built in a run. Of a thousand hosts most want the same: where the builds for one would
// look at just what those for another have seen, what these made is the first one's too. Builds are pure, so
// it is what they would have made for it.
type alike struct {
	mu   sync.Mutex
	made map[string][]likeness // by what it is, and of which tasks
}

// likeness is something that was built, and what was looked at for that, in order.
type likeness struct {
	looks []look
	built *built
}

// look is one of a task's build.
type look struct {
	task int // of how many it is
	recipe.Look
}

// mostAlike is how many different ones are kept of the same tasks: where more hosts differ, each of them is
// built for.
const mostAlike = 16

// find returns what was built of the same inputs, nil where nothing was. What is asked with a look is noted
// as a build of its own would have it noted: that comes to the same looks as long as what it sees is the same.
func (a *alike) find(what string, inputs []recipe.Input) *built {
	a.mu.Lock()
	known := a.made[what]
	a.mu.Unlock()
	for _, likeness := range known {
		if likeness.is(inputs) {
			return likeness.built
		}
	}
	return nil
}

func (l likeness) is(inputs []recipe.Input) bool {
	for _, look := range l.looks {
		if !reflect.DeepEqual(look.At(inputs[look.task]), look.Seen) {
			return false
		}
	}
	return true
}

// keep keeps what was built, unless one of its looks was at everything.
func (a *alike) keep(what string, looks []look, made *built) {
	for _, look := range looks {
		if look.At == nil {
			return
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.made == nil {
		a.made = map[string][]likeness{}
	}
	if len(a.made[what]) < mostAlike {
		a.made[what] = append(a.made[what], likeness{looks, made})
	}
}

// once builds something of tasks, unless that was done for a host that is alike. What a deploy brings is each
// host's own.
func (b Blueprint) once(what string, tasks []recipe.Task, platform recipe.Platform, build func(Blueprint) (*built, error)) (*built, error) {
	if b.asking == nil || b.asking.alike == nil || b.Release != nil {
		return build(b)
	}
	inputs := make([]recipe.Input, len(tasks))
	for i, task := range tasks {
		if !task.Tells {
			return build(b)
		}
		inputs[i] = b.input(task, platform)
		what += " " + task.Name
	}
	if made := b.asking.alike.find(what, inputs); made != nil {
		return made, nil
	}
	var looks []look
	b.looked = func(task string) func(recipe.Look) {
		at := slices.IndexFunc(tasks, func(t recipe.Task) bool { return t.Name == task })
		return func(one recipe.Look) { looks = append(looks, look{at, one}) }
	}
	made, err := build(b)
	if err == nil {
		b.asking.alike.keep(what, looks, made)
	}
	return made, err
}
