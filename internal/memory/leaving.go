package memory

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"provision/internal/recipe"
	"provision/internal/resource"
)

// Host is a host for which a plan is made: what it remembers, and what was found on it.
type Host struct {
	From     string // whose plan it is, as in Head
	TakeOver bool   // what another has noted goes too
	Adopt    bool   // what stands there and nobody noted is not ours
	Purge    bool   // packages, accounts and secrets that came for a task go with it
	Memories map[string]Memory
	Others   []Wants      // what tasks want that are not of the run, also of which nothing is noted
	Unknown  []string     // tasks that are not of the run, and of which it is not known what they want
	Facts    recipe.Facts // with the heads of the memories of the tasks
}

// ReadMemories parses what a host has noted.
func ReadMemories(texts recipe.Memories) (map[string]Memory, error) {
	all := map[string]Memory{}
	for task, text := range texts {
		m, err := Parse(task, text)
		if err != nil {
			return nil, err
		}
		all[task] = m
	}
	return all, nil
}

// plan is what becomes of the memories.
type plan struct {
	Host
	tasks   []Wants
	wanted  map[string]bool // by identity, what a task of the run wants
	leaving []recipe.Trace  // in the order in which it was wanted
	owners  map[string]string
	former  []string // names that tasks of the run had, and of which something was noted
	told    []string
	taken   map[string]recipe.Trace // by identity, of what is no longer wanted: what has taken its place
}

// Plan returns the recipe with all that is no longer wanted taken away, and the tasks' memories
// noted; and what a person should know of it.
func (h Host) Plan(wanted recipe.Recipe, tasks []Wants) (recipe.Recipe, []string, error) {
	tasks = slices.Clone(tasks)
	p := plan{Host: h, tasks: tasks, wanted: map[string]bool{}, owners: map[string]string{}, taken: map[string]recipe.Trace{}}
	for _, task := range tasks {
		for _, trace := range task.Traces {
			p.wanted[trace.Identity()] = true
		}
	}
	renamed, err := p.rename()
	if err != nil {
		return recipe.Recipe{}, nil, err
	}
	if err := p.refuseInside(wanted); err != nil {
		return recipe.Recipe{}, nil, err
	}
	noted := make([]Note, len(tasks))
	for i, task := range tasks {
		noted[i], tasks[i].Traces = p.known(task)
	}
	var notes []recipe.Item
	for i, task := range tasks {
		by, err := task.broughtBy(p.Facts)
		if err != nil {
			return recipe.Recipe{}, nil, err
		}
		notes = append(notes, recipe.Item{Resource: p.note(noted[i], task, by), Task: task.Task})
	}
	for _, note := range renamed {
		note.Run = p.run()
		note.Others = others(p.Facts, note.Run)
		notes = append(notes, recipe.Item{Resource: note, Task: note.Now})
	}
	first, then := p.removal(wanted)
	wanted = p.concealed(wanted)
	joined, err := recipe.Join(first, wanted, then)
	if err != nil {
		return recipe.Recipe{}, nil, err
	}
	joined.Items = append(joined.Items, notes...)
	return joined, p.told, nil
}

// known is the memory of a task before what leaves is known, and what it wants with what stood there
// before.
func (p *plan) known(task Wants) (Note, []recipe.Trace) {
	old := p.old(task.Task)
	note := Note{Task: task.Task, Found: p.Facts.Memory(task.Task).Head, Run: p.run()}
	note.Others = others(p.Facts, note.Run)
	traces := make([]recipe.Trace, len(task.Traces))
	earlier, unknown := p.earlier(task) && !p.Adopt, 0
	if earlier && len(task.Traces) == 0 {
		p.told = append(p.told, task.Task+": an older provision worked on it here, and nothing is noted: what it brought stays")
	}
	for i, trace := range task.Traces {
		before, known := p.before(trace.Identity(), old)
		if !known {
			var keep bool
			before, keep = p.stood(trace, task.things[trace.Identity()], earlier || withoutGroups(trace, old))
			if before == nil && earlier {
				unknown++
			}
			if keep {
				note.Originals = append(note.Originals, trace.Name)
			} else if p.lost(trace, task.things[trace.Identity()]) {
				p.told = append(p.told, trace.Name+": what stands there cannot come back: no copy is kept of what may be secret")
			}
		}
		trace.Before = before
		traces[i] = trace
	}
	if unknown > 0 {
		p.told = append(p.told, fmt.Sprintf("%s: an older provision worked on it here, so of %d things it is not known whether they stood there before: they stay when they are no longer wanted (--adopt: they are brought back then as they are now)", task.Task, unknown))
	}
	return note, traces
}

// earlier reports whether a version that noted nothing worked on a task.
func (p *plan) earlier(task Wants) bool {
	return slices.ContainsFunc(task.names(), func(name string) bool { return p.Facts.Memory(name).Earlier })
}

// lost reports whether a file is replaced of which no copy is kept, for what is in it may be secret.
func (p *plan) lost(trace recipe.Trace, wanted thing) bool {
	if _, whole := resource.At(trace); !whole || p.Facts.Path(trace.Name).Type != recipe.PathFile {
		return false
	}
	if made, ok := wanted.(resource.Made); ok {
		return made.Comes(p.Facts)
	}
	change, err := wanted.Diff(p.Facts)
	return err == nil && change.Diff != nil && !change.Empty()
}

// withoutGroups reports whether a membership is of a user whose groups may not be noted yet.
func withoutGroups(t recipe.Trace, old Memory) bool {
	_, noted := find(old.Traces, "user:"+t.Name)
	return noted && t.Kind == "membership"
}

// old is what was noted of a task.
func (p *plan) old(task string) Memory { return p.Memories[task] }

// note completes the memory of a task. What the task wants no longer leaves, unless another task
// wants it.
func (p *plan) note(note Note, task Wants, by []string) Note {
	old, traces := p.old(task.Task), task.Traces
	past, held := p.past(task.Task, old, traces)
	head := Head{Task: task.Task, From: p.From, By: by}
	if len(old.Traces) > 0 && !p.TakeOver {
		head.From = old.From // who adds something does not take over
	}
	keeps := traces
	if withheld := p.leave(task.Task, old, past); withheld {
		keeps = slices.Concat(traces, past)
	}
	keeps = slices.Concat(keeps, held)
	during := Memory{Head: head, Traces: slices.Concat(traces, past, held)}
	during.Unfinished, during.Again = true, old.Again != old.doubted
	note.Before = during.Text()
	note.Text, note.Things = Memory{Head: head, Traces: keeps}.Text(), len(keeps)
	return note
}

// before is what stood in the place of a thing, where some memory knows it.
func (p *plan) before(identity string, own Memory) (*recipe.Before, bool) {
	if trace, ok := find(own.Traces, identity); ok && (trace.Before != nil || !own.Unfinished) {
		return trace.Before, true
	}
	for _, other := range p.Memories {
		if trace, ok := find(other.Traces, identity); ok && (trace.Before != nil || !other.Unfinished) {
			return trace.Before, true
		}
	}
	return nil, false
}

// leave adds what leaves of a task's past; withheld says that it does not, for it is another's.
func (p *plan) leave(task string, old Memory, past []recipe.Trace) (withheld bool) {
	var leaving []recipe.Trace
	for _, trace := range past {
		identity := trace.Identity()
		if _, twice := find(p.leaving, identity); !twice && !p.wanted[identity] && !p.elsewhere(identity) {
			leaving = append(leaving, trace)
		}
	}
	if len(leaving) > 0 && len(p.Unknown) > 0 && !p.TakeOver {
		p.told = append(p.told, fmt.Sprintf("%s: %v: what it no longer wants stays, unless you say --take-over: %s", task, &UnknownError{p.Unknown}, names(leaving)))
		return true
	}
	if len(leaving) > 0 && old.From != p.From && !p.TakeOver {
		p.told = append(p.told, fmt.Sprintf("%s: is of %s, and this run is of %s: what it no longer wants stays, unless you say --take-over: %s",
			task, old.From, p.From, names(leaving)))
		return true
	}
	for _, trace := range leaving {
		p.owners[trace.Identity()] = task
	}
	p.leaving = append(p.leaving, leaving...)
	return false
}

// elsewhere reports whether a task that is not of the run wants a thing.
func (p *plan) elsewhere(identity string) bool {
	_, ok := p.other(identity)
	return ok
}

func (p *plan) other(identity string) (recipe.Trace, bool) {
	for task, other := range p.Memories {
		if slices.ContainsFunc(p.tasks, func(w Wants) bool { return w.Task == task }) {
			continue
		}
		if trace, ok := find(other.Traces, identity); ok {
			return trace, true
		}
	}
	for _, other := range p.Others {
		if trace, ok := find(other.Traces, identity); ok {
			return trace, true
		}
	}
	return recipe.Trace{}, false
}

// removal is what takes away what leaves.
type removal struct {
	answered  map[string]bool // units that have somebody who takes in what changes
	first     recipe.Recipe   // services that have to stop before others can listen where they do
	files     recipe.Recipe   // and all else that is ours alone, in reverse order
	standing  recipe.Recipe   // services that go on
	last      recipe.Recipe   // packages and accounts
	stay      []string
	forgotten []string // of that, what a purge would take
}

// removal takes away what leaves, in reverse order; then services that stay take it in; then packages
// and accounts go.
func (p *plan) removal(wanted recipe.Recipe) (first, then recipe.Recipe) {
	p.leaving = inward(p.together(p.leaving))
	r := removal{answered: map[string]bool{}}
	taken := map[recipe.Key]bool{} // ports that the recipe's services listen at
	for _, probe := range wanted.Probes() {
		r.answered[probe.Key.Name] = r.answered[probe.Key.Name] || probe.Key.Kind == recipe.KindPending
		taken[probe.Key] = probe.Key.Kind == recipe.KindListener
	}
	leaving := resource.Leaving{Traces: p.leaving, Purge: p.Purge, Spares: p.packages()}
	for _, trace := range slices.Backward(p.leaving) {
		gone, stays := leaving.Resource(trace)
		if stays != "" {
			r.stay = append(r.stay, stays)
		}
		if resource.OnPurge(trace) && !p.Purge {
			r.forgotten = append(r.forgotten, cmp.Or(stays, trace.Kind+" "+trace.Name))
		}
		item := recipe.Item{Resource: gone, Task: p.owner(trace.Identity())}
		for _, n := range trace.Notifies {
			if gone != nil && p.answers(&r, n.Unit, leaving) {
				item.Notifies = append(item.Notifies, n)
			}
		}
		switch gone := gone.(type) {
		case nil:
		case resource.Standing: // it comes when something notifies it
			if gone.Disable {
				p.answers(&r, trace.Name, leaving)
			}
		case resource.Service:
			makesRoom := slices.ContainsFunc(recipe.Endpoints(trace.Listens), func(e recipe.Endpoint) bool { return taken[recipe.ListenerKey(e.Port)] })
			if makesRoom {
				r.first.Items = append(r.first.Items, item)
				continue
			}
			r.files.Items = append(r.files.Items, item)
		case resource.Package, resource.User, resource.Group:
			r.last.Items = append(r.last.Items, item)
		default:
			r.files.Items = append(r.files.Items, item)
		}
	}
	if len(r.stay) > 0 {
		slices.Reverse(r.stay)
		p.told = append(p.told, "stays: "+strings.Join(r.stay, ", "))
	}
	if len(r.forgotten) > 0 {
		slices.Reverse(r.forgotten)
		p.told = append(p.told, "not noted any more after this, so a later --purge does not take it: "+strings.Join(r.forgotten, ", "))
	}
	then = r.files
	then.Include(r.standing)
	then.Include(r.last)
	return r.first, then
}

// packages are the names of those that are wanted at the end of the run.
func (p *plan) packages() []string {
	var names []string
	for _, trace := range p.wants() {
		if trace.Kind == "package" && !trace.Gone {
			names = append(names, trace.Name)
		}
	}
	return names
}

// answers reports whether a unit can be notified: it takes in what changes in the recipe, or as a
// service that goes on.
func (p *plan) answers(r *removal, unit string, leaving resource.Leaving) bool {
	if r.answered[unit] {
		return true
	}
	service, ok := p.standing(unit, leaving)
	if ok {
		r.answered[unit] = true
		r.standing.Items = append(r.standing.Items, recipe.Item{Resource: service, Task: p.owner("service:" + unit)})
	}
	return ok
}

// standing is a service that takes in that files of its configuration go: one that leaves and stood
// there before, or one of another task.
func (p *plan) standing(unit string, leaving resource.Leaving) (resource.Standing, bool) {
	trace, ok := find(p.leaving, "service:"+unit)
	if ok {
		gone, _ := leaving.Resource(trace)
		service, stands := gone.(resource.Standing)
		return service, stands
	}
	if trace, ok = p.other("service:" + unit); !ok || trace.Gone {
		return resource.Standing{}, false
	}
	return resource.Stands(trace), true
}

func (p *plan) owner(identity string) string {
	if task, ok := p.owners[identity]; ok {
		return task
	}
	return p.tasks[0].Task
}

// run are the tasks of the run, also by names that they had.
func (p *plan) run() []string {
	names := slices.Clone(p.former)
	for _, task := range p.tasks {
		names = append(names, task.Task)
	}
	return names
}

// names are those of what leaves.
func names(leaving []recipe.Trace) string {
	var all []string
	for _, trace := range leaving {
		all = append(all, trace.Kind+" "+trace.Name)
	}
	return strings.Join(all, ", ")
}
