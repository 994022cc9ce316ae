package script

import (
	_ "embed" // the host's side of guarded changes
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"provision/internal/recipe"
)

//go:embed sh/guard.sh
var guard string

//go:embed sh/undo.sh
var undo string

//go:embed sh/takeover.sh
var takeover string

// slowest is what a unit may take to settle, after which it fails anyway: until then a
// change that is live is undone only when the run that made it is gone.
const slowest = 3 * time.Minute

// arm writes the script that undoes, for the units that run it, and arms a unit.
func arm(step recipe.Arm) string {
	text := base64.StdEncoding.EncodeToString([]byte(strip(prelude) + strip(guard) + strip(undo)))
	return "base64 -d >\"$state/undo.new\" <<'EOF'\n" + wrap(text) + "EOF\nmv -f -T \"$state/undo.new\" \"$state/undo\"\narm " +
		QuoteAll(step.Unit, orDash(step.Found.Active), orDash(step.Found.State))
}

// orDash keeps an empty word from vanishing among others.
func orDash(word string) string {
	if word == "" {
		return "-"
	}
	return word
}

// covered notes, before a step on a file, which undoing takes it back.
func covered(step recipe.Numbered) string {
	var s strings.Builder
	for _, unit := range step.Guards {
		fmt.Fprintf(&s, "covered %s %d\n", Quote(unit), step.Number)
	}
	return s.String()
}

func countdown(unit string, after time.Duration) string {
	return fmt.Sprintf("countdown %s %d\n", Quote(unit), seconds(after))
}

// Verdict is the script that asks, outside of a run and without its lock, what became of a
// guarded change of that run: it prints open, confirmed, undone or unknown. With the number of
// the step that made the change live it confirms it, when that step has succeeded.
func Verdict(run, unit string, step int) string {
	return strip(prelude) + strip(guard) + "run=$state/runs/" + Quote(run) + "\nverdict " + Quote(unit) + fmt.Sprintf(" %d\n", step)
}

// CutOff is the outcome of a run whose guarded change was confirmed and cut its connection:
// another one went on.
const CutOff = "cut off"

// TakeOver is the script that ends a run whose connection was cut: what is under way on the
// host comes to its end, and the lock is free then. It fails with 75 when that takes longer
// than patience.
func TakeOver(run string, patience time.Duration) string {
	record := Record{Event: "finish", Outcome: CutOff}
	return strip(prelude) + "run=$state/runs/" + Quote(run) + fmt.Sprintf("\npatience=%d\nrecord=%s\n", seconds(patience), Quote(record.Line())) + strip(takeover)
}
