package inventory

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// The keys of an ssh: mapping: how a host is logged in to, beside its address.
const (
	loginUser     = "user"
	loginPort     = "port"
	loginJump     = "jump"     // [user@]host[:port], several with commas; none is none
	loginIdentity = "identity" // a private key's file
)

// LoginKeys are the keys of an ssh: mapping, in their order.
func LoginKeys() []string { return []string{loginUser, loginPort, loginJump, loginIdentity} }

// login reads an ssh: mapping. Its settings are inherited as vars are.
func (d *decoder) login(n *node, what string) map[string]Setting {
	settings := map[string]Setting{}
	what += "ssh"
	if n == nil || !d.mapping(n, what, LoginKeys()) {
		return settings
	}
	for _, entry := range n.pairs {
		key, value := entry.key.text, entry.value
		before := len(d.errs)
		setting := Setting{Position: value.at}
		switch what := what + ": " + key; key {
		case loginPort:
			setting.Value = d.loginPort(what, value)
		case loginUser, loginJump, loginIdentity:
			if d.text(value, what) {
				setting.Value = d.loginText(what, key, value)
			}
		}
		if len(d.errs) == before {
			settings[key] = setting
		}
	}
	return settings
}

func (d *decoder) loginPort(what string, n *node) int {
	if n.kind != kindInt || n.whole < 1 || n.whole > 65535 {
		d.refuse(n.at, what, "want a port, found "+n.describe(), "a number from 1 to 65535, without quotes")
	}
	return int(n.whole)
}

func (d *decoder) loginText(what, key string, n *node) string {
	switch key {
	case loginUser:
		if !userName.MatchString(n.text) || strings.HasPrefix(n.text, "-") {
			d.refuse(n.at, what, fmt.Sprintf("%q is not a user name", short(n.text)), "letters, digits, _ . and - only; any other goes into ~/.ssh/config: User")
		}
	case loginJump:
		for hop := range strings.SplitSeq(n.text, ",") {
			if _, err := ParseHost(strings.TrimSpace(hop)); err != nil && n.text != "none" {
				d.refuse(n.at, what, strings.TrimPrefix(err.Error(), "host "), hintOf(err))
			}
		}
	case loginIdentity:
		switch {
		case n.text == "" || strings.ContainsAny(n.text, "\n\x00"):
			d.refuse(n.at, what, "is no file", "the private key's, as for ssh -i")
		case !filepath.IsAbs(n.text) && !strings.HasPrefix(n.text, "~/"):
			return filepath.Join(filepath.Dir(n.at.File), n.text) // beside hosts.yaml
		}
	}
	return n.text
}

// settle completes a host's address with what its groups say, and refuses what no ssh could
// follow.
func (d *decoder) settle(inv *Inventory) {
	places := map[string]Host{}
	for i := range inv.hosts {
		host := &inv.hosts[i]
		if user, set := host.Login[loginUser]; set && host.Address.User == "" {
			host.Address.User = user.Value.(string)
		}
		if port, set := host.Login[loginPort]; set && host.Address.Port == 0 {
			host.Address.Port = port.Value.(int)
		}
		if other, twice := places[host.way()]; twice {
			d.refuse(host.at, "host "+host.Name, "has the same address and port as "+other.Name, "remove one of the two; groups give a host several tasks")
		}
		places[host.way()] = *host
	}
	for _, host := range inv.hosts {
		d.jumpsEnd(inv, host)
	}
}

// way is what two entries that are one host have in common: behind two jump hosts the same
// address is two hosts.
func (h Host) way() string { return h.Address.Place() + " " + h.Jump() }

// jumpsEnd refuses a host whose jump host is reached through itself.
func (d *decoder) jumpsEnd(inv *Inventory, host Host) {
	passed := []string{host.Name}
	for at := host; at.Jump() != ""; {
		next, known := inv.JumpHost(at.Jump())
		if !known {
			return // ssh_config's own, or several, which say their own way
		}
		circle := slices.Contains(passed, next.Name)
		passed = append(passed, next.Name)
		if circle && next.Name != host.Name {
			return // told of those who are in it
		}
		if circle {
			d.refuse(host.Login[loginJump].Position, "host "+host.Name+": ssh: jump",
				"goes in a circle: "+strings.Join(passed, " through "), "write ssh: {jump: none} under the host "+next.Name)
			return
		}
		at = next
	}
}

// Jump is the way to a host, as ssh's ProxyJump: "none" is a straight one, and "" what
// ssh_config says.
func (h Host) Jump() string {
	jump, _ := h.Login[loginJump].Value.(string)
	return jump
}

// Identity is the file of a private key for a host, "" when none is named.
func (h Host) Identity() string {
	file, _ := h.Login[loginIdentity].Value.(string)
	return file
}

// JumpHost returns the host of the inventory that a jump, [user@]host[:port], names, with the
// user and the port that stand there.
func (inv *Inventory) JumpHost(jump string) (Host, bool) {
	address, err := ParseHost(strings.TrimSpace(jump))
	if err != nil {
		return Host{}, false
	}
	for _, host := range inv.hosts {
		if host.Name == address.Host {
			return host.as(address), true
		}
	}
	return Host{}, false
}
