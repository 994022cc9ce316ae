package inventory

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// resolve brings to every host what its groups and the file's vars have for it:
// vars, then groups from the outermost to the innermost, then the host's own.
func (d *decoder) resolve(inv *Inventory) {
	if !d.nest(inv) {
		return
	}
	order := slices.Clone(inv.groups)
	slices.SortStableFunc(order, func(a, b group) int { return a.depth - b.depth })
	for i := range inv.hosts {
		host := &inv.hosts[i]
		tasks := host.Tasks
		host.Tasks = nil
		var mine []group
		for _, g := range order {
			if g.members[host.Name] {
				mine = append(mine, g)
				host.Groups = append(host.Groups, g.name)
				host.Tasks = append(host.Tasks, g.tasks...)
			}
		}
		host.Tasks = unique(append(host.Tasks, tasks...))
		host.Vars = d.merge(host.Name, "variable ", inv.vars, mine, func(g group) map[string]Setting { return g.vars }, host.Vars)
		host.Login = d.merge(host.Name, "ssh: ", inv.login, mine, func(g group) map[string]Setting { return g.login }, host.Login)
	}
	d.settle(inv)
}

// nest gives each group its depth, which is the longest way to it from outside, and the
// hosts of the groups that it has.
func (d *decoder) nest(inv *Inventory) bool {
	index := map[string]int{}
	for i, g := range inv.groups {
		index[g.name] = i
	}
	outer := make([][]int, len(inv.groups))
	for i, g := range inv.groups {
		for _, child := range g.children {
			outer[index[child]] = append(outer[index[child]], i)
		}
	}
	var path []string
	var depth func(i int) int
	depth = func(i int) int {
		g := &inv.groups[i]
		if at := slices.Index(path, g.name); at >= 0 {
			if len(d.errs) == 0 {
				d.refuse(g.at, "group "+g.name, "is within itself, by way of "+strings.Join(path[at:], ", "), "remove one of their groups: entries")
			}
			return 1
		}
		if g.depth == 0 {
			path = append(path, g.name)
			deepest := 0
			for _, o := range outer[i] {
				deepest = max(deepest, depth(o))
			}
			path = path[:len(path)-1]
			g.depth = deepest + 1
		}
		return g.depth
	}
	order := make([]*group, 0, len(inv.groups))
	for i := range inv.groups {
		depth(i)
		order = append(order, &inv.groups[i])
	}
	if len(d.errs) > 0 {
		return false
	}
	// The innermost first: a group's hosts are whole when an outer one takes them.
	slices.SortStableFunc(order, func(a, b *group) int { return b.depth - a.depth })
	for _, g := range order {
		g.members = map[string]bool{}
		for _, host := range g.hosts {
			g.members[host] = true
		}
		for _, child := range g.children {
			maps.Copy(g.members, inv.groups[index[child]].members)
		}
	}
	return true
}

// merge lays a host's settings over those of its groups, outermost first, and these over
// those of all hosts. Two groups of one depth that do not agree are refused, unless
// something nearer to the host decides.
func (d *decoder) merge(host, what string, all map[string]Setting, groups []group, of func(group) map[string]Setting, own map[string]Setting) map[string]Setting {
	merged := maps.Clone(all)
	if merged == nil {
		merged = map[string]Setting{}
	}
	from := map[string]group{}
	type clash struct{ first, second group }
	clashes := map[string]clash{}
	for _, g := range groups {
		for key, setting := range of(g) {
			before, set := from[key]
			switch {
			case !set || before.depth < g.depth:
				delete(clashes, key)
			case !reflect.DeepEqual(of(before)[key].Value, setting.Value):
				clashes[key] = clash{before, g}
			}
			from[key], merged[key] = g, setting
		}
	}
	for _, key := range slices.Sorted(maps.Keys(clashes)) {
		if _, decided := own[key]; decided {
			continue
		}
		c := clashes[key]
		d.refuse(of(c.second)[key].Position, what+key,
			fmt.Sprintf("group %s and group %s (%s) do not agree on it for host %s", c.second.name, c.first.name, of(c.first)[key].Position, host),
			"set it under the host itself, or put one group into the other: the inner one wins")
	}
	maps.Copy(merged, own)
	return merged
}

// unique returns the names without those that were there before.
func unique(names []string) []string {
	var once []string
	for _, name := range names {
		if !slices.Contains(once, name) {
			once = append(once, name)
		}
	}
	return once
}
