package recipe

import (
	"fmt"
	"path"
	"slices"
)

// Whole is implemented by a resource that may be a directory with all that is in it: what else is put
// into it goes when it changes.
type Whole interface {
	Placed
	Whole() bool
}

// validateInside refuses what is wanted in a directory that is wanted as a whole, or made there: it would
// go with that directory's next change, of which the plan could say nothing. And nothing is in a file.
func (r Recipe) validateInside() error {
	wholes := map[string]Item{}
	for _, item := range r.Items {
		if whole, ok := item.Resource.(Whole); ok && whole.Whole() || item.isFile() {
			for _, place := range item.places() {
				wholes[place] = item
			}
		}
	}
	for _, item := range r.Items {
		for _, place := range append(item.places(), item.makes()...) {
			for above := path.Dir(place); len(wholes) > 0 && above != path.Dir(above); above = path.Dir(above) {
				if whole, ok := wholes[above]; ok && !(whole.gone() && item.gone()) {
					return inside(above, whole, item)
				}
			}
		}
	}
	return nil
}

// places are the paths at which an item decides what stands: of a certificate also its key's.
func (i Item) places() []string {
	if several, ok := i.Resource.(interface{ Places() []string }); ok {
		return several.Places()
	}
	if placed, ok := i.Resource.(Placed); ok {
		return []string{placed.Place()}
	}
	return nil
}

// gone reports whether an item is wanted away.
func (i Item) gone() bool {
	remembered, ok := i.Resource.(Remembered)
	return ok && remembered.Trace().Gone
}

// isFile reports whether an item wants a file, in which there is no place for another.
func (i Item) isFile() bool {
	remembered, ok := i.Resource.(Remembered)
	return ok && !i.gone() && slices.Contains([]string{"file", "secret", "certificate"}, remembered.Trace().Kind)
}

// inside is an error at the place of what is in a directory, or of that, which has one.
func inside(directory string, whole, item Item) error {
	how := "as a whole: it would go with the next change of that"
	if whole.gone() {
		how = "away with all that is in it"
	}
	if whole.isFile() {
		how = "as a file"
	}
	problem := fmt.Errorf("%s: %s wants it in %s, which %s wants %s", item.Resource.ID(), item.Task, directory, whole.Task, how)
	here, there := item, whole
	if here.At.File == "" {
		here, there = whole, item
	}
	if here.At.File == "" {
		return problem
	}
	advice := "name a place beside " + directory
	if at := there.At.Short(); at != "" {
		advice += ": the other is at " + at
	}
	return here.refuse(problem, advice)
}
