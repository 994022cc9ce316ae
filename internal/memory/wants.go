package memory

import (
	"slices"

	"provision/internal/recipe"
)

// Wants is what a task wants of a host, as far as it is remembered.
type Wants struct {
	Task     string
	Formerly []string // names that the task had
	By       []string // the tasks of the run whose need brings it; none where it is wanted for itself
	Traces   []recipe.Trace
	things   map[string]thing // by identity
	digest   string           // of the traces
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
		if inside, ok := item.Resource.(interface{ Within() []recipe.Resource }); ok {
			for _, directory := range inside.Within() {
				w.add(recipe.Item{Resource: directory})
			}
		}
		w.add(item)
		for _, part := range Besides(item.Resource) {
			w.add(recipe.Item{Resource: part})
		}
	}
	w.digest = digest(w.Traces)
	return w
}

// Besides are the things that a resource brings and that leave by themselves: what a command makes,
// an account's places in groups.
func Besides(r recipe.Resource) []recipe.Resource {
	if several, ok := r.(interface{ Besides() []recipe.Resource }); ok {
		return several.Besides()
	}
	return nil
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
		if !slices.ContainsFunc(tasks, func(w Wants) bool { return w.Task == key.Name || slices.Contains(w.Formerly, key.Name) }) {
			others = append(others, head.Task)
		}
	}
	slices.Sort(others)
	return others
}

// Noted reports whether a host has noted just that: what else its memory has is the past of that. A
// memory that is taken over is noted for from.
func (w Wants) Noted(facts recipe.Facts, from string, takeOver bool) (bool, error) {
	found := facts.Memory(w.Task)
	if found.Head == "" {
		return false, nil
	}
	head, err := parseHead(w.Task, found.Head)
	if err != nil || head.Unfinished || head.Wants != w.digest || head.From != from && takeOver {
		return false, err
	}
	if by, err := w.broughtBy(facts); err != nil || !slices.Equal(head.By, by) {
		return false, err
	}
	renamed, err := w.renamed(facts, takeOver)
	return len(renamed) == 0, err
}

// Known reports whether a host has noted anything of the task, by its name or by one that it had.
func (w Wants) Known(facts recipe.Facts) bool {
	return slices.ContainsFunc(w.names(), func(name string) bool { return facts.Memory(name).Head != "" })
}

// names are the task's, and those that it had.
func (w Wants) names() []string { return append([]string{w.Task}, w.Formerly...) }

// Has returns the names by which a host has what a task wants, as far as it is known: something is noted
// of it, or it came by a run that noted nothing; the task's, those that it had, and those of instances.
func Has(task recipe.Task, facts recipe.Facts) ([]string, error) {
	names := task.Names()
	for name := range facts.Heads() {
		if base, instance := recipe.SplitInstance(name); instance != "" && slices.Contains(task.Names(), base) {
			names = append(names, name)
		}
	}
	var has []string
	for _, name := range names {
		found := facts.Memory(name)
		head := Head{}
		if found.Head != "" {
			var err error
			if head, err = parseHead(name, found.Head); err != nil {
				return nil, err
			}
		}
		if found.Earlier && found.Head == "" || found.Head != "" && head.Wants != digest(nil) {
			has = append(has, name)
		}
	}
	slices.Sort(has)
	return has, nil
}
