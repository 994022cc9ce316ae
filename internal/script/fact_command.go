package script

import (
	"fmt"
	"strconv"
	"time"

	"provision/internal/recipe"
)

// guardsWithin is how long all guards of a host may take together: they are questions, and
// whoever asked waits for the plan.
const guardsWithin = time.Minute

// commandRows run guards.
func commandRows() []row {
	return []row{{
		name: "commands", kind: recipe.KindCommand, absent: recipe.Command{Exit: -1}, asks: ofKind(recipe.KindCommand),
		source: []string{"ask/command"}, width: 3,
		call: func(asked []recipe.Probe) string {
			text := source("ask/guard")
			for _, probe := range asked {
				text += "ask_guard " + QuoteAll(probe.Key.Name, probe.Script) + "\n"
			}
			return fmt.Sprintf("ask_guards %d %s\n", seconds(guardsWithin), Quote(text+"exit 0\n"))
		},
		read: func(a *answer, record []string, _ []recipe.Probe) error {
			if record[1] == late {
				return fmt.Errorf("the guard of %q does not end: all of a host's have %s", record[0], guardsWithin)
			}
			exit, err := strconv.Atoi(record[1])
			if err != nil {
				return fmt.Errorf("command %s: %w", record[0], err)
			}
			a.set(recipe.CommandKey(record[0]), recipe.Command{Exit: exit, Output: record[2]})
			return nil
		},
	}}
}
