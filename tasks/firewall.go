package tasks

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"provision/internal/recipe"
	"provision/internal/resource"
)

const (
	hostFirewallUnit  = "provision-firewall.service"
	hostFirewallFile  = "/etc/systemd/system/" + hostFirewallUnit
	hostFirewallRules = configDirectory + "/firewall.nft"
	hostFirewallParts = configDirectory + "/firewall.d" // what other tasks let in, a file each
)

// Firewall is a packet filter for the whole host, in an nftables table of its own.
func Firewall() recipe.Task {
	return recipe.Task{
		Name:    "firewall",
		Summary: "packet filter (nftables) in a table of its own: ssh, http and https stay open",
		About: "Lets in what allow names, ssh, answers, ICMP and what the host says to itself; the rest is dropped. ssh is let in at the ports that sshd has and at the one " +
			"that provision came by. It has a table of its own and leaves every other alone. A change is undone by the host itself, also after a reboot, unless provision " +
			"can make a new connection within 30 seconds. Networks of graphite.carbon_listen are let in to carbon: after a change of these install both. " +
			"With firewall.enabled=false all of it is removed.",
		Uses:      []string{"graphite"},
		Variables: firewallVariables(),
		Parts:     []recipe.Part{allowPart()},
		Build:     buildFirewall,
		Verify:    verifyFirewall,
	}
}

func firewallVariables() []recipe.Variable {
	return []recipe.Variable{
		{
			Name: "enabled", Type: recipe.TypeBool, Default: true,
			Help: "false removes the table, its unit and its files.",
		},
		{
			Name: "allow", Type: recipe.TypeList, Default: []string{"80/tcp", "443/tcp"}, Check: eachOf(allowed),
			Help: "What is let in beside ssh: a port or a range, its protocol, and from where if not from anywhere, as 443/tcp, 9000-9100/udp or \"5432/tcp from 10.1.0.0/16\".",
		},
		{
			Name: "policy", Type: recipe.TypeString, Default: "drop", Choices: []string{"drop", "reject", "accept"},
			Help: "What becomes of the rest: drop leaves it without an answer, reject refuses it at once, accept lets it in.",
		},
		{
			Name: "ssh_ports", Type: recipe.TypeList, Check: eachOf(port),
			Help: "Further ports of ssh, beside those that the host's sshd has and the one that provision came by.",
		},
	}
}

// permission is what one entry of allow lets in.
type permission struct {
	Family   string // ip, ip6, or "" for both
	Source   string // a network, "" for anywhere
	Protocol string // tcp, udp
	First    int    // of the ports
	Last     int
}

var permissionForm = regexp.MustCompile(`^([0-9]{1,5})(?:-([0-9]{1,5}))?/(tcp|udp)(?: from (\S+))?$`)

func parsePermission(text string) (permission, error) {
	part := permissionForm.FindStringSubmatch(text)
	if part == nil {
		return permission{}, fmt.Errorf("%s: must be as 443/tcp, 9000-9100/udp or 5432/tcp from 10.1.0.0/16", recipe.Quoted(text))
	}
	p := permission{Protocol: part[3], Source: part[4]}
	p.First, _ = strconv.Atoi(part[1]) // five digits at most
	p.Last, _ = strconv.Atoi(cmp.Or(part[2], part[1]))
	if p.First < 1 || max(p.First, p.Last) > 65535 {
		return p, fmt.Errorf("%q: has no port between 1 and 65535", text)
	}
	if p.First > p.Last {
		return p, fmt.Errorf("%q: ends before it begins: %d-%d?", text, p.Last, p.First)
	}
	if p.Source == "" {
		return p, nil
	}
	if prefix, err := netip.ParsePrefix(p.Source); err == nil && prefix.Bits() == 0 {
		return p, fmt.Errorf("%q: is anywhere, of one IP version: leave out from", text)
	}
	if err := network(p.Source); err != nil {
		return p, err
	}
	p.Family = "ip"
	switch address := netip.MustParsePrefix(p.Source).Addr(); {
	case address.Is4In6(): // no packet has such an address (RFC 4291, 2.5.5.2)
		return p, fmt.Errorf("%q: is IPv4 written as IPv6: write it as IPv4", text)
	case address.Is6():
		p.Family = "ip6"
	}
	return p, nil
}

func allowed(text string) error {
	_, err := parsePermission(text)
	return err
}

func port(text string) error {
	if n, err := strconv.Atoi(text); err != nil || n < 1 || n > 65535 || strconv.Itoa(n) != text {
		return fmt.Errorf("%s: must be a port between 1 and 65535", recipe.Quoted(text))
	}
	return nil
}

func buildFirewall(in recipe.Input) (recipe.Recipe, error) {
	var r recipe.Recipe
	if !in.Vars.Bool("enabled") { // what it had brought goes, for nobody wants it any more
		return r, nil
	}
	rules := inputRules{Policy: in.Vars.String("policy"), Ports: in.Vars.List("ssh_ports")}
	for _, text := range slices.Concat(in.Vars.List("allow"), carbonPermissions(in.Of("graphite"))) {
		permission, err := parsePermission(text)
		if err != nil {
			return r, fmt.Errorf("allow: %w", err)
		}
		rules.Allow = append(rules.Allow, permission)
	}
	if _, err := rules.file(""); err != nil {
		return r, err
	}
	r.Add(resource.Directory{Path: configDirectory})
	r.Add(rules, reload(hostFirewallUnit)...)
	err := addFiles(&r, []filePart{
		{path: hostFirewallFile, template: "firewall/provision-firewall.service.tmpl", notifies: reload(hostFirewallUnit)},
	})
	r.Add(resource.Package{Name: "nftables", Brings: []recipe.Key{}})
	r.Add(hostFirewallService())
	return r, err
}

func hostFirewallService() resource.Service {
	// Who lets something in may be installed before the firewall is.
	return resource.Service{Unit: hostFirewallUnit, Needs: hostFirewallFile, Check: "nft -c -f " + hostFirewallRules, Trees: []string{configDirectory}, Guarded: true}
}

// allowPart lets somebody in. It is a file of its own, which the rules include: so the task firewall
// keeps what others let in also where it is installed without them.
func allowPart() recipe.Part {
	return recipe.Part{
		Name: "allow", Manual: "nft(8)",
		About: "Lets packets in through the firewall, beside what firewall.allow of hosts.yaml names. As any change of the firewall it is undone by the host itself unless a new connection can be made. " +
			"With firewall.enabled = false there is nothing to let through, and nothing is brought.",
		Leaves:  "It is closed again; what is connected stays so.",
		Example: `firewall.allow("shop", ["8080/tcp", "9000-9100/udp from 10.1.0.0/16"])`,
		Variables: []recipe.Variable{
			partName("Of its file: the task's, as a rule."),
			{Name: "ports", Type: recipe.TypeList, Needed: true, Check: eachOf(allowed), Help: "What is let in: a port or a range, its protocol, and from where if not from anywhere."},
		},
		Build: func(in recipe.Input) (recipe.Recipe, map[string]string, error) {
			var r recipe.Recipe
			if !in.Of("firewall").Bool("enabled") {
				return r, nil, nil
			}
			var allow []permission
			for _, text := range in.Vars.List("ports") {
				permission, err := parsePermission(text)
				if err != nil {
					return r, nil, err
				}
				allow = append(allow, permission)
			}
			r.Add(resource.Directory{Path: configDirectory})
			r.Add(resource.Directory{Path: hostFirewallParts})
			err := addFiles(&r, []filePart{{
				path: hostFirewallParts + "/" + in.Vars.String("name") + ".nft", template: "firewall/allow.nft.tmpl", data: allow, notifies: reload(hostFirewallUnit),
			}})
			r.Add(hostFirewallService())
			return r, nil, err
		},
	}
}

// carbonPermissions are what graphite's own packet filter lets in: a packet has to pass
// every table.
func carbonPermissions(graphite recipe.Values) []string {
	var all []string
	for _, network := range graphite.List("carbon_listen") {
		all = append(all, "2003/tcp from "+network)
		if graphite.Bool("carbon_pickle") {
			all = append(all, "2004/tcp from "+network)
		}
	}
	return all
}

// inputRules is the file of the rules. Which ports sshd has only the host knows.
type inputRules struct {
	Policy string
	Allow  []permission
	Ports  []string // of ssh, beside those of the host
}

const askSSHPorts = "the ports of ssh"

// sshPorts prints the port of the connection that asks, as sshd has put it into the
// environment of the session (ssh(1), SSH_CONNECTION), from which sudo has taken it; and
// the ports that sshd is configured with.
const sshPorts = `{
p=$$
while [ "${p:-0}" -gt 1 ]; do
	at=$(tr '\000' '\n' <"/proc/$p/environ" | sed -n 's/^SSH_CONNECTION=.* //p')
	[ -z "$at" ] || { echo "$at"; break; }
	p=$(sed -n 's/^PPid:[^0-9]*//p' "/proc/$p/status")
done
sshd -T | sed -n 's/^port //p'
} | sort -n -u`

// ID implements recipe.Resource.
func (f inputRules) ID() string { return "file:" + hostFirewallRules }

// Place implements recipe.Placed.
func (f inputRules) Place() string { return hostFirewallRules }

// Probes implements recipe.Resource.
func (f inputRules) Probes() []recipe.Probe {
	return []recipe.Probe{
		{Key: recipe.PathKey(hostFirewallRules), Digest: true},
		{Key: recipe.CommandKey(askSSHPorts), Script: sshPorts},
	}
}

// Trace implements recipe.Remembered.
func (f inputRules) Trace() recipe.Trace { return resource.File{Path: hostFirewallRules}.Trace() }

// Stood implements recipe.Remembered.
func (f inputRules) Stood(facts recipe.Facts) recipe.Before {
	return resource.File{Path: hostFirewallRules}.Stood(facts)
}

// Diff implements recipe.Resource.
func (f inputRules) Diff(facts recipe.Facts) (recipe.Change, error) {
	file, err := f.file(facts.Command(askSSHPorts).Output)
	if err != nil {
		return recipe.Change{}, err
	}
	return file.Diff(facts)
}

// file renders the rules for a host that has answered with its ports of ssh; without an
// answer ssh is at port 22.
func (f inputRules) file(answer string) (resource.File, error) {
	var ports []int
	for _, text := range slices.Concat(strings.Fields(answer), f.Ports) {
		if err := port(text); err != nil {
			return resource.File{}, errors.New("the host says that ssh is at port " + err.Error())
		}
		n, _ := strconv.Atoi(text)
		ports = append(ports, n)
	}
	if len(ports) == 0 {
		ports = []int{22}
	}
	slices.Sort(ports)
	return rendered(hostFirewallRules, "firewall/firewall.nft.tmpl", struct {
		inputRules
		SSHPorts []int
	}{f, slices.Compact(ports)})
}

func verifyFirewall(in recipe.Input) ([]recipe.Check, error) {
	command := func(name, script, contains string) recipe.Check {
		return recipe.Check{
			Name: name, From: recipe.FromHost, Within: 10 * time.Second,
			Command: &recipe.CommandCheck{Script: script, Contains: contains},
		}
	}
	if !in.Vars.Bool("enabled") {
		return []recipe.Check{command("the table is gone", "nft list table inet provision 2>&1 || echo gone", "gone")}, nil
	}
	policy := "policy drop"
	if in.Vars.String("policy") == "accept" {
		policy = "policy accept"
	}
	return []recipe.Check{
		command("the packet filter is loaded", "nft list chain inet provision input", policy),
		command("it is loaded at boot", "systemctl is-enabled "+hostFirewallUnit, "enabled"),
	}, nil
}
