package inventory

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// decoder turns a tree into an inventory and collects what it has to refuse.
type decoder struct {
	known Known
	errs  Errors
}

func (d *decoder) refuse(at Position, what, problem, hint string) {
	d.errs = append(d.errs, &Error{Position: at, What: what, Problem: problem, Advice: hint})
}

var groupName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}$`)

// inventory reads the file's top level.
func (d *decoder) inventory(file string, root *node) *Inventory {
	inv := &Inventory{}
	if root == nil || root.kind == kindNull {
		d.refuse(Position{File: file, Line: 1, Column: 1}, "", "the inventory is empty", "start from hosts.example.yaml")
		return inv
	}
	if !d.mapping(root, "inventory", []string{"recipients", "vars", "groups", "hosts"}) {
		return inv
	}
	if n := root.get("recipients"); n != nil {
		inv.recipients = d.recipients(n)
	}
	inv.vars = d.vars(root.get("vars"))
	hosts := root.get("hosts")
	switch {
	case hosts == nil:
		d.refuse(root.at, "", "no hosts", "add hosts:, and under it a line for each host")
	case d.want(hosts, kindMapping, "hosts", "a mapping with a line for each host"):
		d.hosts(inv, hosts)
	}
	if n := root.get("groups"); n != nil && d.want(n, kindMapping, "groups", "a mapping with a line for each group") {
		d.groups(inv, n)
	}
	return inv
}

func (d *decoder) hosts(inv *Inventory, hosts *node) {
	if len(hosts.pairs) == 0 {
		d.refuse(hosts.at, "hosts", "the inventory is empty", "add a line for each host")
	}
	places := map[string]Host{}
	for _, entry := range hosts.pairs {
		host := Host{Name: entry.key.text, Vars: map[string]Setting{}}
		what := "host " + host.Name
		address, err := ParseHost(host.Name)
		at := entry.key.at
		switch {
		case host.Name == "all":
			d.refuse(at, what, "all is the group of every host", "give the host another name")
			continue
		case err != nil:
			d.address(at, err)
			continue
		case address != Address{Host: host.Name} || !groupName.MatchString(host.Name):
			d.refuse(at, fmt.Sprintf("host %q", host.Name), "is an address, not a name", "give it a name, and under it: address: "+host.Name)
			continue
		}
		host.Address = address
		if n := entry.value; n.kind != kindNull && d.mapping(n, what, []string{"address", "tasks", "vars"}) {
			if a := n.get("address"); a != nil && d.text(a, what+": address") {
				at = a.at
				if host.Address, err = ParseHost(a.text); err != nil {
					d.address(at, err)
					continue
				}
			}
			host.Tasks = d.tasks(n.get("tasks"))
			host.Vars = d.vars(n.get("vars"))
		}
		if other, twice := places[host.Address.place()]; twice {
			d.refuse(at, what, "has the same address and port as "+other.Name, "remove one of the two; groups give a host several tasks")
		}
		places[host.Address.place()] = host
		inv.hosts = append(inv.hosts, host)
	}
}

func (d *decoder) groups(inv *Inventory, groups *node) {
	var hosts, names []string
	taken := map[string]bool{}
	for _, host := range inv.hosts {
		hosts = append(hosts, host.Name)
		taken[host.Name] = true
	}
	for _, entry := range groups.pairs {
		names = append(names, entry.key.text)
	}
	for _, entry := range groups.pairs {
		g := group{name: entry.key.text, at: entry.key.at}
		what := "group " + g.name
		switch {
		case g.name == "all":
			d.refuse(g.at, what, "all is there of itself, and has every host", "what is for all hosts goes under vars: at the top")
		case taken[g.name]:
			d.refuse(g.at, what, "a host has this name too: -l could not tell them apart", "rename one of the two")
		case !groupName.MatchString(g.name):
			d.refuse(g.at, fmt.Sprintf("group %q", g.name), "is not a name", "letters, digits, _ . and - only")
		}
		if n := entry.value; d.mapping(n, what, []string{"hosts", "groups", "tasks", "vars"}) {
			g.hosts = d.names(n.get("hosts"), what+": hosts", "host", hosts)
			g.children = d.names(n.get("groups"), what+": groups", "group", names)
			g.tasks = d.tasks(n.get("tasks"))
			g.vars = d.vars(n.get("vars"))
		}
		inv.groups = append(inv.groups, g)
	}
}

// address adds the place to what ParseHost refused.
func (d *decoder) address(at Position, err error) {
	if refused, ok := err.(*Error); ok {
		refused.Position = at
		d.errs = append(d.errs, refused)
	}
}

func (d *decoder) tasks(n *node) []string {
	return d.names(n, "tasks", "task", d.known.tasks())
}

// names reads a list of names, each known and there once.
func (d *decoder) names(n *node, what, sort string, known []string) []string {
	if n == nil || !d.want(n, kindList, what, fmt.Sprintf("a list of %ss", sort)) {
		return nil
	}
	there := map[string]bool{}
	for _, name := range known {
		there[name] = true
	}
	var names []string
	seen := map[string]bool{}
	for _, item := range n.items {
		switch {
		case !d.text(item, what):
		case seen[item.text]:
			d.refuse(item.at, what, fmt.Sprintf("%s %q stands twice in the list", sort, item.text), "remove one of the two")
		case !there[item.text]:
			d.refuse(item.at, what, fmt.Sprintf("there is no %s %q", sort, short(item.text)), didYouMean(item.text, known))
		default:
			names = append(names, item.text)
			seen[item.text] = true
		}
	}
	return names
}

// mapping checks that a node is a mapping with none but these keys.
func (d *decoder) mapping(n *node, what string, keys []string) bool {
	if !d.want(n, kindMapping, what, "a mapping") {
		return false
	}
	for _, entry := range n.pairs {
		if slices.Contains(keys, entry.key.text) {
			continue
		}
		hint := didYouMean(entry.key.text, keys)
		if slices.Contains(keys, "address") {
			hint = hostHint(entry.key.text, hint)
		}
		d.refuse(entry.key.at, what, fmt.Sprintf("unknown key %q", entry.key.text), hint)
	}
	return true
}

// hostHint returns a better hint for what other tools have under a host.
func hostHint(key, otherwise string) string {
	switch key {
	case "user", "port", "host", "hostname", "ansible_host", "ansible_user", "ansible_port":
		return "write address: user@host:port"
	case "password", "ssh_password", "sudo_password", "become_password":
		return "passwords do not go here: use a key, or --ask-password and --ask-sudo-password"
	}
	return otherwise
}

func (d *decoder) want(n *node, want kind, what, wanted string) bool {
	if n.kind == want {
		return true
	}
	hint := "a line for each, as KEY: VALUE"
	switch {
	case n.kind == kindNull:
		hint = "give it a value, or remove the line"
	case n.kind == kindString && want == kindList:
		hint = fmt.Sprintf("write [%s]", short(n.text))
	case n.kind != kindMapping && want == kindList:
		hint = fmt.Sprintf("write [%q]", short(n.text))
	case want == kindList:
		hint = "a line for each, with - in front"
	case n.kind == kindString && strings.HasPrefix(what, "host "):
		hint = fmt.Sprintf("write {address: %q}", short(n.text))
	}
	d.refuse(n.at, what, fmt.Sprintf("want %s, found %s", wanted, n.describe()), hint)
	return false
}

// text checks that a node is a string to every reader of YAML.
func (d *decoder) text(n *node, what string) bool {
	switch {
	case n.kind == kindString && n.plain && oldBoolean.MatchString(n.text):
		d.refuse(n.at, what, fmt.Sprintf("%s is a boolean to many readers of YAML", n.text), fmt.Sprintf("as a text it needs quotes: %q", short(n.text)))
	case n.kind == kindString:
		return true
	case n.kind == kindNull:
		d.refuse(n.at, what, "want a string, found nothing", "give it a value, or remove the line")
	case n.kind == kindList || n.kind == kindMapping:
		d.refuse(n.at, what, "want a string, found "+n.describe(), "one value, without brackets and without - in front")
	default:
		d.refuse(n.at, what, "want a string, found "+n.describe(), fmt.Sprintf("as a text it needs quotes: %q", short(n.text)))
	}
	return false
}
