package memory

import (
	"fmt"
	"maps"
	"slices"

	"provision/internal/recipe"
	"provision/internal/resource"
)

// refuseInside refuses what is wanted for the first time in a directory that another task wants as a
// whole, of which the run's recipe does not know: it would go with the next change of that. What was
// noted there by an older version stays what it is.
func (p *plan) refuseInside(wanted recipe.Recipe) error {
	wholes := map[string]string{} // by path, the task that wants it
	for task, trace := range p.wants() {
		if trace.Kind == "tree" && !trace.Gone {
			wholes[trace.Name] = task
		}
	}
	directories := slices.Sorted(maps.Keys(wholes))
	for _, task := range p.tasks {
		for _, trace := range task.Traces {
			if _, noted := find(p.old(task.Task).Traces, trace.Identity()); noted {
				continue
			}
			for _, directory := range directories {
				if resource.Inside(directory, trace) {
					return inside(wanted, task.Task, trace, directory, wholes[directory])
				}
			}
		}
	}
	return nil
}

// inside is an error at the place of what is in a directory, where that has one.
func inside(wanted recipe.Recipe, task string, trace recipe.Trace, directory, by string) error {
	problem := fmt.Errorf("%s: %s %s is in %s, which %s wants here as a whole: it would go with the next change of that", task, trace.Kind, trace.Name, directory, by)
	advice := fmt.Sprintf("name a place beside %s; or provision remove %s, where nobody wants that any more", directory, by)
	at := slices.IndexFunc(wanted.Items, func(item recipe.Item) bool { return brings(item, trace) })
	if at < 0 {
		return problem
	}
	return &recipe.SourceError{At: wanted.Items[at].At, Problem: problem.Error(), Advice: advice, Cause: problem}
}

// brings reports whether a trace is of an item, or of a file that it makes.
func brings(item recipe.Item, trace recipe.Trace) bool {
	resources := []recipe.Resource{item.Resource}
	if several, ok := item.Resource.(interface{ Besides() []recipe.Resource }); ok {
		resources = append(resources, several.Besides()...)
	}
	return slices.ContainsFunc(resources, func(r recipe.Resource) bool {
		remembered, ok := r.(recipe.Remembered)
		return ok && remembered.Trace().Identity() == trace.Identity()
	})
}
