package inventory

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// ansible is an inventory of Ansible's, as its files or what a program prints have it: hosts and groups with
// their variables, of which those that say how a host is reached are kept (ansible_…). What the others are for
// only playbooks know.
//
// It becomes a tree as hosts.yaml has it, at the places of the files that were read, and goes the way of that:
// so names, addresses, ports and jumps are as strictly checked, and told with file, line and column.
type ansible struct {
	file  string
	errs  Errors
	told  []string
	limit int // names that may still be named

	hosts  map[string]*ansibleHost
	groups map[string]*ansibleGroup
	order  struct{ hosts, groups []string }
	unread map[string][]Position // variables that say something of how a host is reached, and are not read
}

type ansibleHost struct {
	name string
	at   Position
	vars map[string]*node // by the name of the variable
	file map[string]*node // of host_vars
	in   []*ansibleGroup  // that name it
}

type ansibleGroup struct {
	name     string
	at       Position
	declared bool // by a section of its own, or by its hosts
	hosts    []string
	children []string
	parents  []*ansibleGroup
	places   map[string]Position // where a child is named
	vars     map[string]*node
	file     map[string]*node // of group_vars
	depth    int
}

// Ansible's own groups: every host is in all, and those that are in no other are in ungrouped.
const (
	everyHost = "all"
	ungrouped = "ungrouped"
)

// mostAnsible is the most names of hosts that one inventory of Ansible's may have: each in each of its groups,
// with all that ranges stand for.
const mostAnsible = 200_000

func newAnsible(file string) *ansible {
	return &ansible{file: file, limit: mostAnsible, hosts: map[string]*ansibleHost{}, groups: map[string]*ansibleGroup{}, unread: map[string][]Position{}}
}

// refuse tells a mistake once, for however many hosts it counts.
func (a *ansible) refuse(at Position, what, problem, hint string) {
	if slices.ContainsFunc(a.errs, func(e *Error) bool { return e.Position == at && e.Problem == problem }) {
		return
	}
	a.errs = append(a.errs, &Error{Position: at, What: what, Problem: problem, Advice: hint})
}

func (a *ansible) host(name string, at Position) *ansibleHost {
	host, there := a.hosts[name]
	if !there {
		host = &ansibleHost{name: name, at: at, vars: map[string]*node{}, file: map[string]*node{}}
		a.hosts[name] = host
		a.order.hosts = append(a.order.hosts, name)
	}
	return host
}

func (a *ansible) group(name string, at Position) *ansibleGroup {
	group, there := a.groups[name]
	if !there {
		group = &ansibleGroup{name: name, at: at, places: map[string]Position{}, vars: map[string]*node{}, file: map[string]*node{}}
		a.groups[name] = group
		a.order.groups = append(a.order.groups, name)
	}
	return group
}

// has puts a host into a group.
func (g *ansibleGroup) has(host *ansibleHost) {
	if !slices.Contains(host.in, g) {
		g.hosts, host.in = append(g.hosts, host.name), append(host.in, g)
	}
}

// within puts a group into a group.
func (g *ansibleGroup) within(child string, at Position) {
	if !slices.Contains(g.children, child) {
		g.children = append(g.children, child)
		g.places[child] = at
	}
}

// set keeps a variable. Of two values Ansible takes the later one, without a word.
func (a *ansible) set(vars map[string]*node, what, name string, value *node) {
	if !strings.HasPrefix(name, "ansible_") {
		return
	}
	if before, there := vars[name]; there && before.text != value.text {
		a.refuse(value.at, what, fmt.Sprintf("%s stands twice, and with another value at %s", name, before.at), "remove one of the two")
		return
	}
	vars[name] = value
}

// meant is a hint with the groups that there are.
func (a *ansible) meant(name string) string {
	var there []string
	for _, g := range a.inOrder() {
		if g.declared && g.name != everyHost {
			there = append(there, g.name)
		}
	}
	return cmp.Or(didYouMean(name, there), "a group has a section or an entry of its own")
}

// tree is the inventory as hosts.yaml has it.
func (a *ansible) tree() (*node, error) {
	for _, name := range a.order.groups {
		for _, child := range a.groups[name].children {
			if g := a.groups[child]; g == nil || !g.declared {
				a.refuse(a.groups[name].places[child], "group "+name, fmt.Sprintf("has the group %q, and there is none", short(child)), a.meant(child))
			}
		}
	}
	a.deepen()
	at := Position{a.file, 1, 1}
	hosts, groups := mapNode(at), mapNode(at)
	gone := map[string]bool{}
	for _, name := range a.order.hosts {
		host := a.hosts[name]
		entry, reached := a.entry(host)
		if gone[name] = !reached; reached {
			hosts.put(name, host.at, entry)
		}
	}
	for _, g := range a.inOrder() {
		a.addGroup(groups, g, gone)
	}
	a.tellUnread()
	if err := a.errs.result(); err != nil {
		return nil, err
	}
	root := mapNode(at)
	root.put("hosts", at, hosts)
	if len(groups.pairs) > 0 {
		root.put("groups", at, groups)
	}
	return root, nil
}

// inOrder are the groups in the file's order.
func (a *ansible) inOrder() []*ansibleGroup {
	var all []*ansibleGroup
	for _, name := range a.order.groups {
		all = append(all, a.groups[name])
	}
	return all
}

func (a *ansible) addGroup(groups *node, g *ansibleGroup, gone map[string]bool) {
	if g.name == everyHost {
		return
	}
	entry, hosts, children := mapNode(g.at), &node{kind: kindList, at: g.at}, &node{kind: kindList, at: g.at}
	for _, host := range g.hosts {
		if !gone[host] && (g.name != ungrouped || len(a.hosts[host].groups()) == 0) {
			hosts.items = append(hosts.items, textNode(host, a.hosts[host].at))
		}
	}
	for _, child := range g.children {
		children.items = append(children.items, textNode(child, g.places[child]))
	}
	if g.name == ungrouped && len(hosts.items) == 0 {
		return
	}
	if len(hosts.items) > 0 {
		entry.put("hosts", g.at, hosts)
	}
	if len(children.items) > 0 {
		entry.put("groups", g.at, children)
	}
	groups.put(g.name, g.at, entry)
}

// rest puts the hosts that are in no other group into ungrouped.
func (a *ansible) rest() {
	for _, name := range a.order.hosts {
		if host := a.hosts[name]; len(host.groups()) == 0 {
			g := a.group(ungrouped, host.at)
			g.declared = true
			g.has(host)
		}
	}
}

// groups are those that name a host, without Ansible's own.
func (h *ansibleHost) groups() []*ansibleGroup {
	return slices.DeleteFunc(slices.Clone(h.in), func(g *ansibleGroup) bool { return g.name == everyHost || g.name == ungrouped })
}

// deepen gives each group its depth: all is 0, and a group is one deeper than the deepest that it is in. A
// circle, which is refused later, has some depth.
func (a *ansible) deepen() {
	for _, g := range a.inOrder() {
		for _, child := range g.children {
			if inner := a.groups[child]; inner != nil && g.name != everyHost {
				inner.parents = append(inner.parents, g)
			}
		}
	}
	under := map[*ansibleGroup]bool{}
	var depth func(g *ansibleGroup) int
	depth = func(g *ansibleGroup) int {
		if g.depth > 0 || under[g] {
			return max(g.depth, 1)
		}
		under[g] = true
		deepest := 0
		for _, parent := range g.parents {
			deepest = max(deepest, depth(parent))
		}
		delete(under, g)
		g.depth = deepest + 1
		return g.depth
	}
	for _, g := range a.inOrder() {
		depth(g)
	}
	if all := a.groups[everyHost]; all != nil {
		all.depth = 0
	}
}

// of are the groups that a host is in, itself or by way of others, as Ansible lays their variables over each
// other: what comes later wins (ansible.inventory.helpers, sort_groups).
func (a *ansible) of(host *ansibleHost) []*ansibleGroup {
	all := host.groups()
	if own := a.groups[ungrouped]; own != nil && len(all) == 0 {
		all = append(all, own)
	}
	for i := 0; i < len(all); i++ {
		for _, parent := range all[i].parents {
			if !slices.Contains(all, parent) {
				all = append(all, parent)
			}
		}
	}
	if every := a.groups[everyHost]; every != nil {
		all = append(all, every)
	}
	slices.SortFunc(all, func(x, y *ansibleGroup) int {
		return cmp.Or(cmp.Compare(x.depth, y.depth), cmp.Compare(x.priority(), y.priority()), strings.Compare(x.name, y.name))
	})
	return all
}

// priority is ansible_group_priority, which only counts where the inventory itself has it.
func (g *ansibleGroup) priority() int64 {
	if value := g.vars["ansible_group_priority"]; value != nil && value.kind == kindInt {
		return value.whole
	}
	return 1
}

// varsOf are the variables that count for a host: of its groups in the inventory, of group_vars, of the host in
// the inventory, of host_vars.
func (a *ansible) varsOf(host *ansibleHost) map[string]*node {
	groups := a.of(host)
	vars := map[string]*node{}
	for _, g := range groups {
		maps.Copy(vars, g.vars)
	}
	for _, g := range groups {
		maps.Copy(vars, g.file)
	}
	maps.Copy(vars, host.vars)
	maps.Copy(vars, host.file)
	return vars
}

// note tells of a variable that is not read, wherever it stands, in one line.
func (a *ansible) note(name string, at Position) {
	if !slices.Contains(a.unread[name], at) {
		a.unread[name] = append(a.unread[name], at)
	}
}

func (a *ansible) tellUnread() {
	for _, name := range slices.Sorted(maps.Keys(a.unread)) {
		places := a.unread[name]
		slices.SortFunc(places, func(x, y Position) int {
			return cmp.Or(strings.Compare(x.File, y.File), cmp.Compare(x.Line, y.Line))
		})
		text := fmt.Sprintf("%s: %s is not read", places[0], name)
		if more := len(places) - 1; more > 0 {
			text = fmt.Sprintf("%s: %s, here and at %d more, is not read", places[0], name, more)
		}
		if why := whyUnread(name); why != "" {
			text += ": " + why
		}
		a.told = append(a.told, text)
	}
}

func mapNode(at Position) *node { return &node{kind: kindMapping, at: at, index: map[string]int{}} }

func textNode(text string, at Position) *node { return &node{kind: kindString, text: text, at: at} }

// put adds an entry to a mapping, or replaces the one that has its key.
func (n *node) put(key string, at Position, value *node) {
	if i, there := n.index[key]; there {
		n.pairs[i].value = value
		return
	}
	n.index[key] = len(n.pairs)
	n.pairs = append(n.pairs, pair{key: textNode(key, at), value: value, colon: at})
}
