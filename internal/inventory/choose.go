package inventory

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
)

// Select returns the hosts that a limit names, in the order of what names them first, and those that one
// name stands for in the inventory's order; each once. Every
// element is a list with commas of names, groups, patterns (web*, of hosts and groups),
// all, and exclusions of any of these (!web3). Without a limit, or with exclusions alone,
// it starts from all. What matches nothing is an *Error.
func (inv *Inventory) Select(limit []string) ([]Host, error) {
	chosen, excluded := map[string]bool{}, map[string]bool{}
	rank, started := map[string]int{}, false // rank is by the term that names a host first
	terms, err := Expand(limit)
	if err != nil {
		return nil, err
	}
	for at, part := range terms {
		term, not := strings.CutPrefix(part, "!")
		names, err := inv.match(term)
		if err != nil {
			return nil, err
		}
		into := chosen
		if not {
			into = excluded
		}
		started = started || !not
		for _, name := range names {
			if !not && !into[name] {
				rank[name] = at
			}
			into[name] = true
		}
	}
	var hosts []Host
	for _, host := range inv.hosts {
		if (chosen[host.Name] || !started && !host.Added) && !excluded[host.Name] {
			hosts = append(hosts, host)
		}
	}
	slices.SortStableFunc(hosts, func(a, b Host) int { return cmp.Compare(rank[a.Name], rank[b.Name]) })
	if len(hosts) > 0 {
		return hosts, nil
	}
	if len(inv.hosts) == 0 {
		return nil, &Error{What: "inventory", Problem: "has no hosts", Advice: "name one: -H user@host"}
	}
	return nil, &Error{What: fmt.Sprintf("limit %q", short(strings.Join(limit, ","))), Problem: "matches no host", Advice: "its exclusions leave nothing"}
}

// match returns the names of the hosts that one term of a limit stands for.
func (inv *Inventory) match(term string) ([]string, error) {
	refuse := func(problem, hint string) ([]string, error) {
		return nil, &Error{What: fmt.Sprintf("limit %q", term), Problem: problem, Advice: hint}
	}
	pattern := strings.ContainsAny(term, "*?[\\")
	if _, err := path.Match(term, ""); err != nil {
		return refuse("is not a pattern", "* is any text, ? one letter, [ab] one of these")
	}
	all := term == "all" || term == "*" // the lab's hosts are asked for by their names
	fits := func(name string) bool {
		if name == term {
			return true
		}
		matched, _ := path.Match(term, name)
		return pattern && matched
	}
	var names, candidates []string
	for _, host := range inv.hosts {
		candidates = append(candidates, host.Name)
		if all && !host.Added || !all && fits(host.Name) {
			names = append(names, host.Name)
		}
	}
	empty := ""
	for _, g := range inv.groups {
		candidates = append(candidates, g.name)
		if !all && fits(g.name) {
			names = append(names, slices.Sorted(maps.Keys(g.members))...)
			empty = g.name
		}
	}
	switch {
	case len(names) > 0:
		return names, nil
	case term == "":
		return refuse("is empty", "write names with commas between them: -l web1,web2")
	case empty != "":
		return refuse(fmt.Sprintf("group %s has no hosts", empty), "add some under its hosts: in the inventory")
	case all:
		return refuse("there are no hosts in an inventory", "-H user@host is for one without; provision list tells what is read")
	case pattern:
		return refuse("matches no host and no group", "put it in quotes, so that the shell leaves it alone; provision list shows the hosts")
	}
	hint := didYouMean(term, append(candidates, "all"))
	if strings.ContainsAny(term, "@:") {
		hint = "an address goes with -H: -H " + term
	}
	return refuse("there is no such host or group", hint)
}

// AdHoc returns the hosts of -H, in the order given. Every element is a list with commas
// of ParseHost's form. A host of the inventory is meant by its name, and has its entry;
// a user or a port in front of it or behind takes the place of the entry's. The same host
// twice is refused.
func (inv *Inventory) AdHoc(specs []string) ([]Host, error) {
	var hosts []Host
	given := map[string]string{}
	all, err := Expand(specs)
	if err != nil {
		return nil, err
	}
	for _, spec := range all {
		address, err := ParseHost(spec)
		if err != nil {
			return nil, err
		}
		host, err := inv.adHoc(spec, address)
		if err != nil {
			return nil, err
		}
		before, twice := given[host.Name]
		if !twice {
			before, twice = given[host.way()]
		}
		if twice {
			return nil, &Error{What: fmt.Sprintf("host %q", spec), Problem: fmt.Sprintf("is given twice, first as %q", before), Advice: "name each host once"}
		}
		given[host.Name], given[host.way()] = spec, spec
		hosts = append(hosts, host)
	}
	if len(hosts) == 0 {
		return nil, &Error{What: "host", Problem: "none is given", Advice: "-H user@host"}
	}
	return hosts, nil
}

func (inv *Inventory) adHoc(spec string, address Address) (Host, error) {
	for _, host := range inv.hosts {
		if host.Name != address.Host {
			continue
		}
		return host.as(address), nil
	}
	if spec == "all" || slices.Contains(inv.Groups(), spec) {
		return Host{}, &Error{What: fmt.Sprintf("host %q", spec), Problem: "is a group", Advice: "groups go with -l: -l " + spec}
	}
	name := address
	name.User = ""
	vars := maps.Clone(inv.vars)
	if vars == nil {
		vars = map[string]Setting{}
	}
	return Host{Name: name.String(), Address: address, Vars: vars, secrets: inv.secrets}, nil
}

// as is the host with the user and the port that were given with its name.
func (h Host) as(given Address) Host {
	if given.User != "" {
		h.Address.User = given.User
	}
	if given.Port != 0 {
		h.Address.Port = given.Port
	}
	return h
}

// With returns an inventory that also has these hosts, in a group of this name: the lab's.
// They have the vars that are for all hosts, but are not in the group all. What the file
// has under the same name wins: a host's entry, or the group with the hosts named there. A host of the file
// with the address of one of these is reached as that one is.
func (inv *Inventory) With(name string, hosts ...Host) *Inventory {
	more := *inv
	more.hosts, more.groups = slices.Clone(inv.hosts), slices.Clone(inv.groups)
	there := map[string]bool{}
	for _, host := range inv.hosts {
		there[host.Name] = true
	}
	for i, host := range more.hosts {
		more.hosts[i].AsAdded = host.Address.Host != "" && slices.ContainsFunc(hosts, func(added Host) bool { return added.Address.Host == host.Address.Host })
	}
	taken := there[name] || slices.Contains(inv.Groups(), name)
	added := group{name: name, depth: 1, members: map[string]bool{}}
	for _, host := range hosts {
		added.members[host.Name] = true
		if there[host.Name] || slices.Contains(inv.Groups(), host.Name) {
			continue
		}
		vars := map[string]Setting{}
		maps.Copy(vars, inv.vars)
		maps.Copy(vars, host.Vars)
		host.Vars, host.secrets, host.Added = vars, inv.secrets, true
		if !taken {
			host.Groups = append(slices.Clone(host.Groups), name)
		}
		more.hosts = append(more.hosts, host)
	}
	if !taken && len(hosts) > 0 {
		more.groups = append(more.groups, added)
	}
	return &more
}
