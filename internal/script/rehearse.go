package script

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"provision/internal/recipe"
)

// rehearsal is the script of a rehearsal: copies of the trees, the steps in them, the check. The
// steps are told as they will be; a rehearsal keeps and notes nothing (see sh/rehearse.sh).
func rehearsal(step recipe.Rehearse) string {
	var s strings.Builder
	for i, tree := range step.Trees {
		if treeOf(step.Trees, tree) != "" {
			continue // copied with the one that it lies in; a mount of its own could not be removed
		}
		words := append([]string{fmt.Sprint(i), tree}, touched(tree, step.Steps)...)
		s.WriteString("mirror " + QuoteAll(words...) + "\n")
	}
	for i, file := range step.Steps {
		changed := recipe.PathOf(file)
		s.WriteString("inside " + QuoteAll(treeOf(step.Trees, changed), path.Dir(changed)) + "\n" + told(file).line(i+1))
	}
	return s.String() + "validate " + Quote(step.Check) + "\n"
}

// touched returns the names in a directory at or below which steps change something.
func touched(tree string, steps []recipe.Step) []string {
	var names []string
	for _, step := range steps {
		if rest, ok := strings.CutPrefix(recipe.PathOf(step), tree+"/"); ok {
			name, _, _ := strings.Cut(rest, "/")
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// treeOf returns the outermost of trees that a path lies in, "" when it lies in none.
func treeOf(trees []string, path string) string {
	outermost := ""
	for _, tree := range trees {
		if strings.HasPrefix(path, tree+"/") && (outermost == "" || len(tree) < len(outermost)) {
			outermost = tree
		}
	}
	return outermost
}
