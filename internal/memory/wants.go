package memory

import (
	"slices"

	"provision/internal/recipe"
)

// Wants is what a task wants of a host, as far as it is remembered.
type Wants struct {
	Task   string
	Traces []recipe.Trace
	things map[string]thing // by identity
}

// thing is a resource of which a trace is noted.
type thing interface {
	recipe.Resource
	recipe.Remembered
}

// Of returns what a task's own recipe wants. A thing that is in it twice has its first place.
func Of(task string, wanted recipe.Recipe) Wants {
	w := Wants{Task: task, things: map[string]thing{}}
	for _, item := range wanted.Items {
		w.add(item)
		if several, ok := item.Resource.(interface{ Besides() []recipe.Resource }); ok {
			for _, part := range several.Besides() {
				w.add(recipe.Item{Resource: part})
			}
		}
	}
	return w
}

func (w *Wants) add(item recipe.Item) {
	remembered, ok := item.Resource.(thing)
	if !ok {
		return
	}
	trace := remembered.Trace()
	identity := trace.Identity()
	if w.things[identity] != nil {
		at := slices.IndexFunc(w.Traces, func(t recipe.Trace) bool { return t.Identity() == identity })
		w.Traces[at].Notifies = append(w.Traces[at].Notifies, item.Notifies...)
		return
	}
	trace.Notifies = slices.Clone(item.Notifies)
	w.things[identity] = remembered
	w.Traces = append(w.Traces, trace)
}

// Others returns the tasks of which a host has noted something from the same place, and that are none
// of those.
func Others(facts recipe.Facts, from string, tasks []Wants) []string {
	var others []string
	for key, fact := range facts {
		found, ok := fact.Value.(recipe.Memory)
		if key.Kind != recipe.KindMemory || !ok || found.Head == "" {
			continue
		}
		head, err := parseHead(key.Name, found.Head)
		if err != nil || head.From != from || head.Wants == digest(nil) {
			continue
		}
		if !slices.ContainsFunc(tasks, func(w Wants) bool { return w.Task == head.Task }) {
			others = append(others, head.Task)
		}
	}
	slices.Sort(others)
	return others
}

// Noted reports whether a host has noted just that: what else its memory has is the past of that. A
// memory that is taken over is noted for from.
func (w Wants) Noted(found recipe.Memory, from string, takeOver bool) (bool, error) {
	if found.Head == "" {
		return false, nil
	}
	head, err := parseHead(w.Task, found.Head)
	return err == nil && !head.Unfinished && head.Wants == digest(w.Traces) && (head.From == from || !takeOver), err
}

// Has reports whether a host has what a task wants, as far as it is known: something is noted of it,
// or it came by a run that noted nothing.
func Has(task string, found recipe.Memory) (bool, error) {
	if found.Head == "" {
		return found.Earlier, nil
	}
	head, err := parseHead(task, found.Head)
	return head.Wants != digest(nil), err
}
