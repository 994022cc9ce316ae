package run

import (
	"strings"

	"provision/internal/recipe"
	"provision/internal/script"
)

// deadRuns is a question that every host is asked beside those of its recipe: a run that
// died may have done all that was planned, and still have left temporaries, a policy that
// keeps services from starting, and a change that nobody has verified. Whose lock is held
// is not dead; a step of it may go on.
func deadRuns() recipe.Probe {
	return recipe.Probe{Key: recipe.CommandKey("runs that died"), Script: `cd ` + script.State + `/runs || exit 1
set --
for run in *; do [ ! -e "$run/open" ] || set -- "$@" "$run"; done
[ $# -gt 0 ] && flock -n -s ../lock true && echo "$*"`}
}

// died returns the runs that died on the host.
func died(facts recipe.Facts) []string {
	if found := facts.Command(deadRuns().Key.Name); found.Exit == 0 {
		return strings.Fields(found.Output)
	}
	return nil
}
