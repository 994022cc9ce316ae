package inventory

import (
	"fmt"
	"slices"
	"strings"
)

// ofYAML reads an inventory in Ansible's YAML form: groups by name, each with hosts, vars and children.
func (a *ansible) ofYAML(root *node) {
	for _, entry := range root.pairs {
		a.yamlGroup(entry)
	}
}

func (a *ansible) yamlGroup(entry pair) *ansibleGroup {
	name, n := entry.key.text, entry.value
	g := a.group(name, entry.key.at)
	g.declared = true
	what := "group " + name
	if n.kind == kindNull {
		return g
	}
	if !a.mapping(n, what) {
		return g
	}
	keys := []string{"hosts", "children", "vars"}
	for _, part := range n.pairs {
		switch part.key.text {
		case "hosts":
			a.yamlHosts(g, part.value)
		case "vars":
			if part.value.kind == kindNull || a.mapping(part.value, what+": vars") {
				for _, one := range part.value.pairs {
					a.set(g.vars, what, one.key.text, one.value)
				}
			}
		case "children":
			if part.value.kind == kindNull || a.mapping(part.value, what+": children") {
				for _, child := range part.value.pairs {
					g.within(child.key.text, child.key.at)
					a.yamlGroup(child)
				}
			}
		default:
			hint := didYouMean(part.key.text, keys)
			if hint == "" {
				hint = "one of " + strings.Join(keys, ", ")
			}
			a.refuse(part.key.at, what, fmt.Sprintf("unknown key %q", short(part.key.text)), hint)
		}
	}
	return g
}

func (a *ansible) yamlHosts(g *ansibleGroup, hosts *node) {
	if hosts.kind == kindNull || !a.mapping(hosts, "group "+g.name+": hosts") {
		return
	}
	for _, entry := range hosts.pairs {
		names, port, ok := a.names(entry.key.text, entry.key.at)
		if !ok || entry.value.kind != kindNull && !a.mapping(entry.value, "host "+entry.key.text) {
			continue
		}
		for _, name := range names {
			host := a.host(name, entry.key.at)
			g.has(host)
			if port != "" {
				a.set(host.vars, "host "+name, "ansible_port", literal(port, entry.key.at))
			}
			for _, one := range entry.value.pairs {
				a.set(host.vars, "host "+name, one.key.text, one.value)
			}
		}
	}
}

func (a *ansible) mapping(n *node, what string) bool {
	if n.kind == kindMapping {
		return true
	}
	hint := "a line for each, as NAME: with what belongs to it below"
	if n.alias {
		hint = writtenOut(a.file)
	}
	if n.vaulted() {
		hint = "ansible-vault encrypt_string encrypts a value, and leaves the rest to be read"
	}
	a.refuse(n.at, what, "want a mapping, found "+n.describe(), hint)
	return false
}

// dynamic reads what a program prints for --list: groups by name, each with lists of its hosts and of the groups
// in it, or a list of hosts alone; and the variables of hosts under _meta.
func (a *ansible) dynamic(root *node) {
	for _, entry := range root.pairs {
		name, n := entry.key.text, entry.value
		if name == "_meta" {
			continue
		}
		g := a.group(name, entry.key.at)
		g.declared = true
		what := "group " + name
		if n.kind == kindList { // the oldest form
			a.dynamicHosts(g, n, what)
			continue
		}
		if !a.mapping(n, what) {
			continue
		}
		for _, part := range n.pairs {
			switch part.key.text {
			case "hosts":
				a.dynamicHosts(g, part.value, what+": hosts")
			case "children":
				for _, child := range a.texts(part.value, what+": children") {
					g.within(child.text, child.at)
				}
			case "vars":
				if a.mapping(part.value, what+": vars") {
					for _, one := range part.value.pairs {
						a.set(g.vars, what, one.key.text, one.value)
					}
				}
			}
		}
	}
	meta := root.get("_meta")
	if meta == nil || meta.get("hostvars") == nil {
		a.refuse(root.at, "", "no _meta with hostvars: it would have to be run once more for each host", `print "_meta": {"hostvars": {…}} too, {} where hosts have no variables`)
		return
	}
	hostvars := meta.get("hostvars")
	if !a.mapping(hostvars, "_meta: hostvars") {
		return
	}
	for _, entry := range hostvars.pairs {
		host, there := a.hosts[entry.key.text]
		if !there {
			continue // of hosts that are in no group Ansible makes nothing
		}
		if a.mapping(entry.value, "host "+host.name) {
			for _, one := range entry.value.pairs {
				a.set(host.vars, "host "+host.name, one.key.text, one.value)
			}
		}
	}
}

func (a *ansible) dynamicHosts(g *ansibleGroup, n *node, what string) {
	for _, one := range a.texts(n, what) {
		if a.limit--; a.limit < 0 {
			a.refuse(one.at, what, fmt.Sprintf("more than %d names", mostAnsible), "this is hardly what was meant")
			return
		}
		g.has(a.host(one.text, one.at))
	}
}

// texts are the elements of a list of names.
func (a *ansible) texts(n *node, what string) []*node {
	switch {
	case n.kind == kindNull:
		return nil
	case n.kind != kindList:
		a.refuse(n.at, what, "want a list, found "+n.describe(), "a list of names")
		return nil
	}
	return slices.DeleteFunc(slices.Clone(n.items), func(one *node) bool {
		if one.kind != kindString {
			a.refuse(one.at, what, "want a name, found "+one.describe(), "a list of names")
		}
		return one.kind != kindString
	})
}
