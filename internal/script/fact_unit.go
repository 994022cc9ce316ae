package script

import (
	"fmt"
	"strings"

	"provision/internal/recipe"
)

// unitRows ask systemd for units, and the host's memory for what they still have to take in.
func unitRows() []row {
	isUnit := ofKind(recipe.KindUnit)
	return []row{
		{
			name: "units", kind: recipe.KindUnit, absent: recipe.Unit{},
			asks:   func(p recipe.Probe) bool { return isUnit(p) && !isTemplate(p.Key.Name) },
			source: []string{"ask/unit"}, call: calls("ask_units"), width: 1, read: readUnits,
		},
		{
			name:   "templates",
			asks:   func(p recipe.Probe) bool { return isUnit(p) && isTemplate(p.Key.Name) },
			source: []string{"ask/template"}, call: calls("ask_templates"), width: 1, read: readTemplates,
		},
		{
			name: "pending", kind: recipe.KindPending, absent: recipe.Pending{},
			source: []string{"ask/pending"}, call: func([]recipe.Probe) string { return "ask_pending\n" }, width: 2,
			read: func(a *answer, record []string, _ []recipe.Probe) error {
				a.set(recipe.PendingKey(record[0]), recipe.Pending{Action: recipe.Action(record[1])})
				return nil
			},
		},
	}
}

// isTemplate reports whether a unit is one of which only instances run: name@.service. systemctl
// show takes its name for no unit's, and shows nothing of any other either.
func isTemplate(unit string) bool { return strings.Contains(unit, "@.") }

// readUnits reads the blocks that systemctl show prints, one a unit in the order asked.
func readUnits(a *answer, record []string, asked []recipe.Probe) error {
	text := strings.TrimSpace(record[0])
	blocks := strings.Split(text, "\n\n")
	if len(blocks) != len(asked) {
		return fmt.Errorf("systemctl: %s", text)
	}
	for i, block := range blocks {
		unit, err := readUnit(block)
		if err != nil {
			return err
		}
		a.set(asked[i].Key, unit)
	}
	return nil
}

func readUnit(block string) (recipe.Unit, error) {
	var unit recipe.Unit
	for _, line := range strings.Split(block, "\n") {
		name, value, _ := strings.Cut(line, "=")
		switch name {
		case "LoadState":
			unit.Load = value
		case "ActiveState":
			unit.Active = value
		case "UnitFileState":
			unit.State = value
		case "NeedDaemonReload":
			unit.NeedReload = value == "yes"
		}
	}
	if unit.Load == "" {
		return unit, fmt.Errorf("systemctl: %s", block)
	}
	return unit, nil
}

// readTemplates reads lines of systemctl list-unit-files: name, state and preset.
func readTemplates(a *answer, record []string, asked []recipe.Probe) error {
	for _, probe := range asked {
		a.set(probe.Key, recipe.Unit{Load: "not-found", Active: "inactive"})
	}
	for _, line := range lines(record) {
		fields := strings.Fields(line)
		if len(fields) < 2 {
			return fmt.Errorf("systemctl: %s", line)
		}
		a.set(recipe.UnitKey(fields[0]), recipe.Unit{Load: "loaded", Active: "inactive", State: fields[1]})
	}
	return nil
}
