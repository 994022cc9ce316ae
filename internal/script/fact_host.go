package script

import (
	"cmp"
	"strconv"
	"strings"

	"provision/internal/recipe"
)

// hostRows ask every host for its system.
func hostRows() []row {
	return []row{{
		name: "host", source: []string{"ask/host"}, width: 7,
		call: func([]recipe.Probe) string { return "ask_host\n" },
		read: func(a *answer, record []string, _ []recipe.Probe) error {
			release, _ := strconv.Atoi(record[1])
			a.Distro, a.System = record[0], strings.TrimSpace(record[0]+" "+cmp.Or(record[1], record[2]))
			kibibytes, _ := strconv.Atoi(record[6])
			a.Platform = recipe.Platform{ // which is kept longer than the answer that it is a part of
				System:   recipe.System{Release: release, Codename: strings.Clone(record[2]), Arch: strings.Clone(record[3])},
				Hostname: strings.Clone(record[4]), CPUs: processors(record[5]), MemoryMB: kibibytes >> 10,
			}
			return nil
		},
	}}
}

// processors counts those of a list as sysfs has it, "0-3,6". A host that does not say has one.
func processors(list string) int {
	count := 0
	for part := range strings.SplitSeq(list, ",") {
		first, last, isRange := strings.Cut(part, "-")
		from, err := strconv.Atoi(first)
		to := from
		if isRange && err == nil {
			to, err = strconv.Atoi(last)
		}
		if err == nil && to >= from {
			count += to - from + 1
		}
	}
	return max(count, 1)
}
