package script

import (
	"fmt"
	"strconv"
	"strings"

	"provision/internal/recipe"
)

// commandRows run guards.
func commandRows() []row {
	return []row{{
		name: "commands", kind: recipe.KindCommand, absent: recipe.Command{Exit: -1}, asks: ofKind(recipe.KindCommand),
		source: []string{"ask/command"}, width: 3,
		call: func(asked []recipe.Probe) string {
			var s strings.Builder
			for _, probe := range asked {
				s.WriteString("ask_command " + QuoteAll(probe.Key.Name, probe.Script) + "\n")
			}
			return s.String()
		},
		read: func(a *answer, record []string, _ []recipe.Probe) error {
			exit, err := strconv.Atoi(record[1])
			if err != nil {
				return fmt.Errorf("command %s: %w", record[0], err)
			}
			a.set(recipe.CommandKey(record[0]), recipe.Command{Exit: exit, Output: record[2]})
			return nil
		},
	}}
}
