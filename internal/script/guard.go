package script

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"provision/internal/recipe"
)

// orDash keeps an empty word from vanishing among others.
func orDash(word string) string {
	if word == "" {
		return "-"
	}
	return word
}

// covered notes, before a step on a file, which undoing takes it back, and whom that concerns too.
func covered(step recipe.Numbered) string {
	var s strings.Builder
	for _, unit := range step.Guards {
		neighbours := slices.DeleteFunc(slices.Clone(step.Neighbours), func(other string) bool { return other == unit })
		fmt.Fprintf(&s, "covered %s\n", QuoteAll(append([]string{unit, fmt.Sprint(step.Number)}, neighbours...)...))
	}
	return s.String()
}

// Verdict is the script that asks, outside of a run and without its lock, what became of a
// guarded change of that run: it prints open, confirmed, undone or unknown. With the number of
// the step that made the change live it confirms it, when that step has succeeded.
func Verdict(run, unit string, step int) string {
	return source("say", "prelude", "guard") + "run=$state/runs/" + Quote(run) + "\nverdict " + Quote(unit) + fmt.Sprintf(" %d\n", step)
}

// CutOff is the outcome of a run whose guarded change was confirmed and cut its connection:
// another one went on.
const CutOff = "cut off"

// TakeOver is the script that ends a run whose connection was cut: what is under way on the
// host comes to its end, and the lock is free then. It fails with 75 when that takes longer
// than patience.
func TakeOver(run string, patience time.Duration) string {
	record := Record{Event: "finish", Outcome: CutOff}
	return source("prelude") + "run=$state/runs/" + Quote(run) + fmt.Sprintf("\npatience=%d\nrecord=%s\n", seconds(patience), Quote(record.Line())) + source("takeover")
}
