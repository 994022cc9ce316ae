package run

import (
	"reflect"
	"slices"
	"sync"
	"sync/atomic"

	"provision/internal/recipe"
)

// alike keeps what was built in a run. Of a thousand hosts most want the same: where the builds for one would
// look at just what those for another have seen, what these made is the first one's too. Builds are pure, so
// it is what they would have made for it.
type alike struct {
	mu     sync.Mutex
	made   map[string][]*likeness // by what it is, and of which tasks: a name is one task in a run; of none: these are no two hosts' alike
	merges []merge
}

// likeness is something that was built, and what was looked at for that, in order.
type likeness struct {
	looks  []look
	built  *built
	shared atomic.Bool // it was another host's too
}

// look is one of a task's build.
type look struct {
	task int // of how many it is
	recipe.Look
}

// mostAlike is how many different ones are kept of the same tasks: where more hosts differ, each of them is
// built for, and where so many do and none was like another, nothing is compared any more.
const mostAlike = 16

// find returns what was built of the same inputs, nil where nothing was. What is asked with a look is noted
// as a build of its own would have it noted: that comes to the same looks as long as what it sees is the same.
func (a *alike) find(what string, inputs []recipe.Input) *built {
	a.mu.Lock()
	known := a.made[what]
	a.mu.Unlock()
	for _, likeness := range known {
		if likeness.is(inputs) {
			likeness.shared.Store(true)
			return likeness.built
		}
	}
	return nil
}

func (l *likeness) is(inputs []recipe.Input) bool {
	for _, look := range l.looks {
		if !reflect.DeepEqual(look.At(inputs[look.task]), look.Seen) {
			return false
		}
	}
	return true
}

// keep keeps what was built.
func (a *alike) keep(what string, looks []look, made *built) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.made == nil {
		a.made = map[string][]*likeness{}
	}
	known, there := a.made[what]
	switch {
	case !there || 0 < len(known) && len(known) < mostAlike:
		a.made[what] = append(known, &likeness{looks: looks, built: made})
	case !slices.ContainsFunc(known, func(l *likeness) bool { return l.shared.Load() }):
		a.made[what] = nil
	}
}

// merge is what several builds ask together.
type merge struct {
	builds        []*built
	asked, probes []recipe.Probe
}

// merged are the questions of several builds, and those that these have asked. Hosts that share all of the builds
// share the list.
func (a *alike) merged(builds []*built, asked []recipe.Probe) []recipe.Probe {
	if a == nil {
		return merge{builds: builds, asked: asked}.all()
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, known := range a.merges {
		if slices.Equal(known.builds, builds) && reflect.DeepEqual(known.asked, asked) {
			return known.probes
		}
	}
	made := merge{builds: builds, asked: asked}
	made.probes = made.all()
	if len(a.merges) < mostAlike {
		a.merges = append(a.merges, made)
	}
	return made.probes
}

func (m merge) all() []recipe.Probe {
	var probes []recipe.Probe
	for _, made := range m.builds {
		probes = append(probes, made.probes...)
	}
	return recipe.Merge(append(probes, m.asked...))
}

// once builds something of tasks, unless that was done for a host that is alike. What a deploy brings is each
// host's own.
func (b Blueprint) once(what string, tasks []recipe.Task, platform recipe.Platform, build func(Blueprint) (*built, error)) (*built, error) {
	if b.asking == nil || b.asking.alike == nil || b.Release != nil {
		return build(b)
	}
	inputs := make([]recipe.Input, len(tasks))
	for i, task := range tasks {
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
