package script

import (
	"strconv"

	"provision/internal/recipe"
)

// hostRows ask every host for its system.
func hostRows() []row {
	return []row{{
		name: "host", source: []string{"ask/host"}, width: 5,
		call: func([]recipe.Probe) string { return "ask_host\n" },
		read: func(a *answer, record []string, _ []recipe.Probe) error {
			release, _ := strconv.Atoi(record[1])
			a.Distro = record[0]
			a.Platform = recipe.Platform{Release: release, Codename: record[2], Arch: record[3], Hostname: record[4]}
			return nil
		},
	}}
}
