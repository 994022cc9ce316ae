package inventory

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

// YAML writes the hosts and groups as a hosts.yaml has them, with how each host is reached, and without tasks and
// variables: for an inventory that came from elsewhere, which has none.
func (inv *Inventory) YAML() []byte {
	var text strings.Builder
	if len(inv.groups) > 0 {
		text.WriteString("groups:\n")
	}
	for _, g := range inv.groups {
		var parts []string
		if len(g.hosts) > 0 {
			parts = append(parts, "hosts: "+flowList(g.hosts))
		}
		if len(g.children) > 0 {
			parts = append(parts, "groups: "+flowList(g.children))
		}
		fmt.Fprintf(&text, "  %s: {%s}\n", scalar(g.name), strings.Join(parts, ", "))
	}
	if len(inv.groups) > 0 {
		text.WriteString("\n")
	}
	text.WriteString("hosts:\n")
	for _, host := range inv.hosts {
		if host.Added {
			continue
		}
		var parts, login []string
		if address := (Address{Host: host.Address.Host}).String(); address != host.Name {
			parts = append(parts, "address: "+scalar(address))
		}
		for _, key := range LoginKeys() {
			if setting, set := host.Login[key]; set {
				value := fmt.Sprint(setting.Value)
				if key != loginPort {
					value = scalar(value)
				}
				login = append(login, key+": "+value)
			}
		}
		if len(login) > 0 {
			parts = append(parts, "ssh: {"+strings.Join(login, ", ")+"}")
		}
		line := "  " + scalar(host.Name) + ":"
		if len(parts) > 0 {
			line += " {" + strings.Join(parts, ", ") + "}"
		}
		text.WriteString(line + "\n")
	}
	return []byte(text.String())
}

func flowList(names []string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = scalar(name)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

// bareScalar is what needs no quotes anywhere in YAML.
var bareScalar = regexp.MustCompile(`^[A-Za-z_/~][A-Za-z0-9_./@~-]*$`)

func scalar(text string) string {
	if bareScalar.MatchString(text) && !oldBoolean.MatchString(text) && text != "null" && text != "~" {
		return text
	}
	quoted, _ := json.Marshal(text) // a string of JSON's is one of YAML's; nothing here fails
	return string(quoted)
}

// OfNames is an inventory of hosts of which nothing but the name is known, as of ssh_config, which says how each
// is reached. It has neither groups nor tasks. A name that no inventory can have is told.
func OfNames(from string, names []string) (*Inventory, error) {
	inv := &Inventory{}
	at := Position{File: from}
	for _, name := range names {
		address, err := ParseHost(name)
		if err != nil || address != (Address{Host: name}) || !groupName.MatchString(name) || name == everyHost {
			inv.Told = append(inv.Told, fmt.Sprintf("%s: host %q is left out: is not a name", from, short(name)))
			continue
		}
		inv.hosts = append(inv.hosts, Host{Name: name, Address: address, Vars: map[string]Setting{}, Login: map[string]Setting{}, at: at})
	}
	if len(inv.hosts) == 0 {
		return nil, &Error{Position: at, Problem: "names no host", Advice: "Host NAME, without a pattern, is one: man ssh_config"}
	}
	return inv, nil
}
