package run

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"provision/internal/memory"
	"provision/internal/recipe"
)

// needing are the tasks of the blueprint whose need brings another of them; none where that one is
// wanted for itself.
func (b Blueprint) needing(task recipe.Task) []string {
	if slices.Contains(b.Given, task.Name) {
		return nil
	}
	var by []string
	for _, other := range b.Tasks {
		if slices.Contains(other.Needs, task.Name) {
			by = append(by, other.Name)
		}
	}
	return by
}

// along are the tasks that go with those that are removed, each before what it was brought by: the
// host has noted that they came for these alone. told says so, and of others that these needed why
// they stay.
func (b Blueprint) along(facts recipe.Facts) (along []recipe.Task, told []string, err error) {
	if len(b.Removes) == 0 {
		return nil, nil, nil
	}
	l := leavers{Blueprint: b, gone: map[string]bool{}}
	for _, task := range b.Removes {
		for _, name := range task.Names() {
			l.gone[name] = true
		}
	}
	if l.on, err = memory.On(facts); err != nil {
		return nil, nil, err
	}
	for found := true; found; {
		found = false
		for _, name := range slices.Sorted(maps.Keys(l.on)) {
			if l.gone[name] || !l.concerned(name) || l.why(name) != "" {
				continue
			}
			l.gone[name], found = true, true
			along = append([]recipe.Task{l.task(name)}, along...)
			told = append(told, name+" goes too: it came for "+strings.Join(l.on[name].By, ", ")+" alone")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(l.on)) {
		if !l.gone[name] && l.concerned(name) {
			told = append(told, name+" stays: "+l.why(name))
		}
	}
	return along, told, nil
}

// leavers are the tasks that leave a host.
type leavers struct {
	Blueprint
	on   map[string]memory.Head // the tasks that the host has
	gone map[string]bool
}

// concerned reports whether one that leaves needs a task, or needed it when that came.
func (l leavers) concerned(name string) bool {
	for gone := range l.gone {
		if slices.Contains(l.on[name].By, gone) || slices.Contains(l.task(gone).Needs, name) {
			return true
		}
	}
	return false
}

// why says why a task stays, "" where nothing keeps it.
func (l leavers) why(name string) string {
	var by []string
	for other := range l.on {
		needs := slices.Contains(l.task(other).Needs, name) || slices.Contains(l.on[name].By, other)
		if needs && !l.gone[other] && other != name {
			by = append(by, other)
		}
	}
	slices.Sort(by)
	switch {
	case slices.Contains(l.Given, name):
		return "the inventory gives it to the host"
	case len(by) > 0:
		return strings.Join(by, ", ") + " needs it"
	case l.on[name].From != l.From && !l.TakeOver:
		return "it is noted for " + l.on[name].From + " (--take-over takes that too)"
	case len(l.on[name].By) == 0:
		return fmt.Sprintf("it is not noted that it came for others alone (provision remove %s -l %s takes it away)", name, l.Host.Name)
	}
	return ""
}

// task is the one of a name, as far as it is known.
func (b Blueprint) task(name string) recipe.Task {
	found, there, _, _ := recipe.Find(name, func(name string) (recipe.Task, bool) {
		at := slices.IndexFunc(b.All, func(task recipe.Task) bool { return task.Name == name })
		if at < 0 {
			return recipe.Task{}, false
		}
		return b.All[at], true
	})
	if !there {
		return recipe.Task{Name: name}
	}
	return found
}

// taking is the blueprint of a removal that takes more tasks along.
func (b Blueprint) taking(along []recipe.Task) Blueprint {
	b.Removes = slices.Concat(along, b.Removes)
	b.Others = slices.DeleteFunc(slices.Clone(b.Others), func(task recipe.Task) bool {
		return slices.ContainsFunc(along, func(gone recipe.Task) bool { return gone.Name == task.Name })
	})
	return b
}

// tasks are those of the run, and those that go along with them.
func (j *job) tasks() []string {
	names := j.Blueprint.names()
	for _, item := range j.wanted.Items {
		if note, ok := item.Resource.(memory.Note); ok && note.Now == "" && !slices.Contains(names, note.Task) {
			names = append(names, note.Task)
		}
	}
	return names
}
