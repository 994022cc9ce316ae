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
	lost  []string // hosts that are refused: whoever names one is not told that it is not there
}

func (d *decoder) refuse(at Position, what, problem, hint string) {
	d.errs = append(d.errs, &Error{Position: at, What: what, Problem: problem, Advice: hint})
}

var groupName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}$`)

// inventory reads the file's top level.
func (d *decoder) inventory(file string, root *node) *Inventory {
	inv := &Inventory{}
	if root == nil || root.kind == kindNull {
		d.refuse(Position{File: file, Line: 1, Column: 1}, "", "the inventory is empty", "provision list nginx shows one to start from")
		return inv
	}
	if !d.mapping(root, "inventory", []string{"recipients", "vars", "ssh", "groups", "hosts"}) {
		return inv
	}
	if n := root.get("recipients"); n != nil {
		inv.recipients = d.recipients(n)
	}
	inv.vars, inv.login = of("all hosts", d.vars(root.get("vars"))), of("all hosts", d.login(root.get("ssh"), ""))
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

// of says of settings whose they are.
func of(what string, settings map[string]Setting) map[string]Setting {
	for key, setting := range settings {
		setting.Of = what
		settings[key] = setting
	}
	return settings
}

func (d *decoder) hosts(inv *Inventory, hosts *node) {
	if len(hosts.pairs) == 0 {
		d.refuse(hosts.at, "hosts", "the inventory is empty", "add a line for each host")
	}
	there := map[string]Position{}
	for _, entry := range hosts.pairs {
		names, problem, hint := expand(entry.key.text)
		if problem != "" {
			d.refuse(entry.key.at, fmt.Sprintf("host %q", entry.key.text), problem, hint)
			continue
		}
		made := d.entry(entry, names)
		if len(made) == 0 {
			d.lost = append(d.lost, names...)
		}
		for _, host := range made {
			if first, twice := there[host.Name]; twice {
				d.refuse(entry.key.at, "host "+host.Name, fmt.Sprintf("stands twice, first at %s", first), "a range and a host have no name in common: what is of one host alone goes into a group")
			}
			there[host.Name] = entry.key.at
			inv.hosts = append(inv.hosts, host)
		}
	}
}

// entry reads the hosts of one line: one, or those of a range.
func (d *decoder) entry(entry pair, names []string) []Host {
	what, at := "host "+entry.key.text, entry.key.at
	address, err := ParseHost(names[0])
	switch {
	case names[0] == "all":
		d.refuse(at, what, "all is the group of every host", "give the host another name")
		return nil
	case err != nil:
		d.address(at, err)
		return nil
	case address != Address{Host: names[0]} || !groupName.MatchString(names[0]):
		d.refuse(at, fmt.Sprintf("host %q", entry.key.text), "is an address, not a name", "give it a name, and under it: address: "+entry.key.text)
		return nil
	}
	shared := Host{at: at, Vars: map[string]Setting{}}
	addresses := names
	if n := entry.value; n.kind != kindNull && d.mapping(n, what, []string{"address", "ssh", "tasks", "vars"}) {
		if a := n.get("address"); a != nil && d.text(a, what+": address") {
			shared.at = a.at
			if addresses = d.addresses(a, what, len(names)); addresses == nil {
				return nil
			}
		}
		shared.Tasks, shared.Vars, shared.Login = d.tasks(n.get("tasks")), of(what, d.vars(n.get("vars"))), of(what, d.login(n.get("ssh"), what+": "))
	}
	var hosts []Host
	for i, name := range names {
		host := shared
		host.Name = name
		if host.Address, err = ParseHost(addresses[i]); err != nil {
			d.address(shared.at, err)
			return nil
		}
		hosts = append(hosts, host)
	}
	d.oneLogin(what, hosts)
	return hosts
}

// addresses returns the addresses of so many hosts.
func (d *decoder) addresses(n *node, what string, hosts int) []string {
	found, problem, hint := expand(n.text)
	switch {
	case problem == "" && len(found) == hosts:
		return found
	case problem != "":
	case len(found) == 1:
		problem, hint = fmt.Sprintf("is one, and the hosts are %d", hosts), "the address needs a range too, as the name"
	default:
		problem, hint = fmt.Sprintf("are %d, and the hosts are %d", len(found), hosts), "both need ranges of the same length"
	}
	d.refuse(n.at, what+": address", problem, hint)
	return nil
}

// oneLogin refuses a user or a port that stands in the address and beside it.
func (d *decoder) oneLogin(what string, hosts []Host) {
	if len(hosts) == 0 {
		return
	}
	address := hosts[0].Address
	for key, inAddress := range map[string]bool{loginUser: address.User != "", loginPort: address.Port != 0} {
		if setting, set := hosts[0].Login[key]; set && inAddress {
			d.refuse(setting.Position, what+": ssh: "+key, "the address has it too", "write it once")
		}
	}
}

func (d *decoder) groups(inv *Inventory, groups *node) {
	var names []string
	hosts := d.lost
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
		if n := entry.value; d.mapping(n, what, []string{"hosts", "groups", "ssh", "tasks", "vars"}) {
			g.hosts = d.names(n.get("hosts"), what+": hosts", "host", among("host", hosts))
			g.children = d.names(n.get("groups"), what+": groups", "group", among("group", names))
			g.tasks, g.login, g.vars = d.tasks(n.get("tasks")), of(what, d.login(n.get("ssh"), what+": ")), of(what, d.vars(n.get("vars")))
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
	return d.names(n, "tasks", "task", func(name string) (problem, hint string) {
		_, problem, hint = d.known.task(name)
		return problem, hint
	})
}

// among refuses a name that is none of those that there are.
func among(sort string, known []string) func(string) (problem, hint string) {
	there := map[string]bool{}
	for _, name := range known {
		there[name] = true
	}
	return func(name string) (problem, hint string) {
		if there[name] {
			return "", ""
		}
		return fmt.Sprintf("there is no %s %q", sort, short(name)), didYouMean(name, known)
	}
}

// names reads a list of names, each there once, and none that is refused.
func (d *decoder) names(n *node, what, sort string, refused func(name string) (problem, hint string)) []string {
	if n == nil || !d.want(n, kindList, what, fmt.Sprintf("a list of %ss", sort)) {
		return nil
	}
	var names []string
	seen := map[string]bool{}
	for _, item := range n.items {
		if !d.text(item, what) {
			continue
		}
		meant, problem, hint := expand(item.text)
		if problem != "" {
			d.refuse(item.at, what, fmt.Sprintf("%q %s", item.text, problem), hint)
		}
		for _, name := range meant {
			problem, hint := refused(name)
			switch {
			case seen[name]:
				d.refuse(item.at, what, fmt.Sprintf("%s %q stands twice in the list", sort, name), "remove one of the two")
			case problem != "":
				d.refuse(item.at, what, problem, hint)
			default:
				names = append(names, name)
				seen[name] = true
			}
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
		if slices.Contains(keys, "address") || slices.Contains(keys, loginJump) {
			hint = hostHint(entry.key.text, hint)
		}
		d.refuse(entry.key.at, what, fmt.Sprintf("unknown key %q", entry.key.text), hint)
	}
	return true
}

// hostHint returns a better hint for what other tools have under a host.
func hostHint(key, otherwise string) string {
	switch key {
	case "host", "hostname", "ansible_host":
		return "write address: user@host:port"
	case "user", "port", "ansible_user", "ansible_port":
		return "write address: user@host:port, or ssh: {user: …, port: …}"
	case "identity", "identity_file", "key", "jump", "proxy_jump", "bastion", "ansible_ssh_private_key_file":
		return "write ssh: {identity: FILE, jump: user@host:port}"
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
