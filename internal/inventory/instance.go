package inventory

import (
	"fmt"
	"slices"
	"strings"

	"provision/internal/recipe"
)

// misnamed refuses variables of an instance that no host has, where hosts have others of the task: the
// task's own values would count without a word.
func (d *decoder) misnamed(inv *Inventory) {
	has := map[string][]string{} // by task, its instances
	note := func(tasks []string) {
		for _, name := range tasks {
			if base, instance := recipe.SplitInstance(name); instance != "" && !slices.Contains(has[base], name) {
				has[base] = append(has[base], name)
			}
		}
	}
	all := []map[string]Setting{inv.vars}
	for _, g := range inv.groups {
		note(g.tasks)
		all = append(all, g.vars)
	}
	for _, host := range inv.hosts {
		note(host.Tasks)
		all = append(all, host.Vars)
	}
	told := map[Position]bool{}
	for _, vars := range all {
		for key, setting := range vars {
			name, _, _ := strings.Cut(key, ".")
			base, instance := recipe.SplitInstance(name)
			if instance == "" || len(has[base]) == 0 || slices.Contains(has[base], name) || told[setting.Position] {
				continue
			}
			told[setting.Position] = true
			d.refuse(setting.Position, "variable "+key, fmt.Sprintf("no host has %s", name), didYouMean(name, has[base]))
		}
	}
}
