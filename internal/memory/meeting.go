package memory

import (
	"cmp"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"provision/internal/recipe"
	"provision/internal/resource"
)

// This file says what becomes of a thing that a task wants no longer, while one is wanted that meets
// it at its path: the file that a line was of, or another line that stands in its place; or that is in
// the directory that would go with all that is in it.

// wants yields what is wanted at the end of the run, by the tasks of it and by all others that the
// host remembers or the inventory gives it, each with its task.
func (p *plan) wants() iter.Seq2[string, recipe.Trace] {
	return func(yield func(string, recipe.Trace) bool) {
		for _, task := range p.tasks {
			for _, trace := range task.Traces {
				if !yield(task.Task, trace) {
					return
				}
			}
		}
		for _, task := range slices.Sorted(maps.Keys(p.Memories)) {
			if slices.ContainsFunc(p.tasks, func(w Wants) bool { return w.Task == task }) {
				continue
			}
			for _, trace := range p.Memories[task].Traces {
				if trace.Held == "" && !yield(task, trace) {
					return
				}
			}
		}
		for _, task := range p.Others {
			for _, trace := range task.Traces {
				if !yield(task.Task, trace) {
					return
				}
			}
		}
	}
}

// stillWanted reports whether any task wants a thing.
func (p *plan) stillWanted(trace recipe.Trace) bool {
	for _, other := range p.wants() {
		if other.Identity() == trace.Identity() {
			return true
		}
	}
	return false
}

// stood is what stood in the place of a thing that is wanted for the first time, where that is known;
// original, that the host has to keep it. What a part of a file takes the place of has stood there in
// its stead; what is in a file that is replaced as a whole comes back with it, unless nobody wants it then.
// After an older version, which noted nothing, what is there just as it is wanted may be of that.
func (p *plan) stood(trace recipe.Trace, wanted thing, older bool) (before *recipe.Before, original bool) {
	_, whole := resource.At(trace)
	var earlier []recipe.Trace
	secret := trace.Secret
	for _, task := range slices.Sorted(maps.Keys(p.Memories)) {
		for _, old := range p.Memories[task].Traces {
			_, all := resource.At(old)
			if all || !resource.Meet(trace, old) {
				continue
			}
			_, taken := p.taken[old.Identity()]
			if !whole && (taken || p.stillWanted(old) || resource.Stays(old, trace)) {
				continue
			}
			p.taken[old.Identity()] = trace
			secret = secret || old.Secret
			old.Notifies = nil
			earlier = append(earlier, old)
		}
	}
	stood := wanted.Stood(p.Facts)
	if older && len(earlier) == 0 && !stood.Nothing {
		if change, err := wanted.Diff(p.Facts); err != nil || change.Empty() {
			return nil, false
		}
	}
	if !whole && len(earlier) > 0 {
		before = resource.Inherits(wanted, earlier, p.Facts)
	} else {
		before = &stood
	}
	if !whole {
		if before != nil && before.Nothing {
			before.NoFile = before.NoFile || p.alone(trace)
		}
		return before, false
	}
	if !stood.Nothing {
		stood.Parts = earlier
	}
	return before, !secret && !stood.Nothing
}

// alone reports whether the file of a part was not there before another of its parts was wanted.
func (p *plan) alone(trace recipe.Trace) bool {
	path, _ := resource.At(trace)
	for _, m := range p.Memories {
		if slices.ContainsFunc(m.Traces, func(t recipe.Trace) bool {
			at, whole := resource.At(t)
			return path != "" && at == path && !whole && t.Before != nil && t.Before.NoFile
		}) {
			return true
		}
	}
	return false
}

// past is what is noted of a task, and no longer wanted by it; held, what of it has to stay for what
// meets it.
func (p *plan) past(task string, old Memory, traces []recipe.Trace) (past, held []recipe.Trace) {
	for _, trace := range old.Traces {
		if _, still := find(traces, trace.Identity()); still {
			continue
		}
		by, other, meets := p.metBy(task, trace)
		heir, taken := p.taken[trace.Identity()]
		_, whole := resource.At(trace)
		switch {
		case !meets:
			trace.Held = ""
			past = append(past, trace)
		case taken:
			if rest, ok := resource.Rest(trace, heir); ok && !p.stillWanted(rest) {
				past = append(past, rest)
			}
		case by == task && resource.Stays(trace, other) && !trace.Gone:
			p.told = append(p.told, fmt.Sprintf("%s: line %s of %s stays: it stood there before, or may have", task, trace.Line, trace.Name))
		case nothingOfOurs(trace), by == task && !whole:
		default:
			if by != task || resource.Inside(trace.Name, other) {
				p.told = append(p.told, fmt.Sprintf("%s: %s %s stays: %s wants %s %s", task, trace.Kind, trace.Name, by, other.Kind, other.Name))
			}
			trace.Held = by
			held = append(held, trace)
		}
	}
	return past, held
}

// metBy is what meets a thing that nobody wants, and the task that wants it: first of all this one.
func (p *plan) metBy(task string, trace recipe.Trace) (by string, other recipe.Trace, meets bool) {
	if p.stillWanted(trace) {
		return "", other, false
	}
	swept := resource.Leaving{Purge: p.Purge}.Sweeps(trace)
	for who, wanted := range p.wants() {
		inside := swept != "" && resource.Inside(swept, wanted)
		if (inside || resource.Meet(wanted, trace)) && (!meets || who == task && by != task) {
			by, other, meets = who, wanted, true
		}
	}
	return by, other, meets
}

// nothingOfOurs reports whether a path was wanted away that was not there.
func nothingOfOurs(t recipe.Trace) bool {
	_, whole := resource.At(t)
	return whole && t.Gone && (t.Before == nil || t.Before.Nothing)
}

// together leaves out of what leaves what goes with another: a part of a file with the file, which
// becomes what it was before the part. Of what was in that, only what somebody wants stays.
func (p *plan) together(leaving []recipe.Trace) []recipe.Trace {
	files := map[string]bool{}
	for _, trace := range leaving {
		if path, whole := resource.At(trace); whole && trace.Before != nil && !nothingOfOurs(trace) {
			files[path] = true
		}
	}
	var left []recipe.Trace
	for _, trace := range leaving {
		path, whole := resource.At(trace)
		switch {
		case path != "" && !whole && files[path]:
			continue
		case nothingOfOurs(trace):
			continue
		case trace.Before != nil && len(trace.Before.Parts) > 0:
			before := *trace.Before
			before.Parts = slices.DeleteFunc(slices.Clone(before.Parts), p.stillWanted)
			trace.Before = &before
		}
		left = append(left, trace)
	}
	return left
}

// inward puts what is in a directory behind it, so that it leaves before it, whichever of two tasks
// wanted it first.
func inward(leaving []recipe.Trace) []recipe.Trace {
	ordered := slices.Clone(leaving)
	var directories []recipe.Trace
	for _, trace := range leaving {
		if trace.Kind == "directory" || trace.Kind == "tree" {
			directories = append(directories, trace)
		}
	}
	slices.SortStableFunc(directories, func(a, b recipe.Trace) int { // the innermost first
		return cmp.Compare(strings.Count(b.Name, "/"), strings.Count(a.Name, "/"))
	})
	for _, directory := range directories {
		at := slices.IndexFunc(ordered, func(t recipe.Trace) bool { return t.Identity() == directory.Identity() })
		first := slices.IndexFunc(ordered, func(t recipe.Trace) bool { return resource.Inside(directory.Name, t) })
		if first >= 0 && first < at {
			ordered = slices.Insert(slices.Delete(ordered, at, at+1), first, directory)
		}
	}
	return ordered
}
