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
	return prepared(step) + "validate " + Quote(step.Check) + "\n"
}

// Untried is the exit status of a DryRehearsal that could not be made on the host.
const Untried = 71

// DryRehearsal is a question to a host: would the new configuration of a service pass its check?
// It is tried as a rehearsal is, with the copies in memory, where nothing else can be written. It
// answers with the check's status, and what it says.
func DryRehearsal(step recipe.Rehearse) string {
	var s strings.Builder
	s.WriteString("unshare -m true 2>/dev/null || exit 71\nunshare -m --propagation private sh 2>&1 <<'DRY REHEARSAL'\n")
	s.WriteString(source("prelude", "way", "place", "kept", "swap", "files", "command", "units", "rehearse"))
	s.WriteString("set -e\ntrap 'exit 71' EXIT\nrehearsing=yes runid=plan salt=$$\nin_memory\nsealed\n")
	for i, directory := range step.Scratch {
		s.WriteString("scratch " + QuoteAll(fmt.Sprint(i), directory) + "\n")
	}
	s.WriteString(prepared(step) + "set +e\ntrap - EXIT\ntried " + Quote(step.Check) + "\nDRY REHEARSAL\n")
	return s.String()
}

// prepared puts copies of the trees in their places and does the steps there.
func prepared(step recipe.Rehearse) string {
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
	return s.String()
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
