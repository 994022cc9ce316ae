package memory

import (
	"maps"
	"slices"

	"provision/internal/recipe"
)

// This file says what becomes of what was noted of a task under a name that it had: it is noted of the
// task from now on, so that nothing goes and comes again for a name.

// renamed are the names that a task had and of which a host has noted something that is the task's
// from now on. What is of another place than what is noted of the task itself stays, as what another
// task wants.
func (w Wants) renamed(facts recipe.Facts, takeOver bool) ([]string, error) {
	var names []string
	for _, name := range w.Formerly {
		found := facts.Memory(name)
		if found.Head == "" {
			continue
		}
		former, err := parseHead(name, found.Head)
		if err != nil {
			return nil, err
		}
		own, nothing := Head{}, digest(nil)
		if now := facts.Memory(w.Task).Head; now != "" {
			if own, err = parseHead(w.Task, now); err != nil {
				return nil, err
			}
		}
		alone := own.Task == "" || own.Wants == nothing && !own.Unfinished
		if (former.Wants != nothing || former.Unfinished) && (alone || own.From == former.From || takeOver) {
			names = append(names, name)
		}
	}
	return names, nil
}

// rename makes what was noted under former names of the tasks of the run theirs, and returns the notes
// that say so. These come last: until then both names are noted, and a run that dies loses nothing.
func (p *plan) rename() ([]Note, error) {
	memories := maps.Clone(p.Memories)
	var notes []Note
	for _, task := range p.tasks {
		names, err := task.renamed(p.Facts, p.TakeOver)
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			former := memories[name]
			memories[task.Task] = memories[task.Task].with(task.Task, former)
			delete(memories, name)
			head := p.Facts.Memory(name).Head
			p.former = append(p.former, name)
			notes = append(notes, Note{Task: name, Now: task.Task, Found: head, Before: head, Text: Memory{Head: Head{Task: name, From: former.From}}.Text()})
		}
	}
	p.Memories = memories
	return notes, nil
}

// with is a memory with what was noted under another name of the task.
func (m Memory) with(task string, former Memory) Memory {
	if len(m.Traces) == 0 && !m.Unfinished {
		m.From = former.From
	}
	all := slices.Clone(m.Traces)
	for _, trace := range former.Traces {
		if trace.Held == former.Task {
			trace.Held = task
		}
		at := slices.IndexFunc(all, func(t recipe.Trace) bool { return t.Identity() == trace.Identity() })
		switch {
		case at < 0:
			all = append(all, trace)
		case all[at].Before == nil && m.Unfinished:
			all[at].Before = trace.Before
		}
	}
	m.Task, m.Traces = task, all
	m.Unfinished = m.Unfinished || former.Unfinished
	return m
}
