package resource

import (
	"slices"
	"strings"

	"provision/internal/recipe"
)

// This file says what is in a directory that goes, or is replaced, with all that is in it.

// Inside reports whether a thing that is not wanted away is in a directory.
func Inside(directory string, t recipe.Trace) bool {
	at, _ := At(t)
	places := []string{at}
	if t.Kind == "certificate" {
		places = []string{t.Name, t.Key}
	}
	below := strings.TrimSuffix(directory, "/") + "/"
	return !t.Gone && slices.ContainsFunc(places, func(place string) bool { return strings.HasPrefix(place, below) })
}

// Sweeps returns the directory that goes with all that is in it as a trace leaves, "" for none.
func (l Leaving) Sweeps(t recipe.Trace) string {
	gone, _ := l.Resource(t)
	if directory, ok := gone.(Directory); ok && directory.Whole() {
		return directory.Path
	}
	return ""
}

// keeps reports whether something in a directory stays of what leaves: then the directory does too.
func (l Leaving) keeps(directory string) bool {
	return slices.ContainsFunc(l.Traces, func(t recipe.Trace) bool {
		if !Inside(directory, t) {
			return false
		}
		_, stays := l.Resource(t)
		return stays != ""
	})
}
