package tasks

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"provision/internal/recipe"
	"provision/internal/resource"
	"provision/internal/script"
)

const (
	keepalivedUnit    = "keepalived.service"
	keepalivedFile    = "/etc/keepalived/keepalived.conf"
	failoverDirectory = configDirectory + "/failover"
)

// Failover is an address that two hosts of one network have in turn.
func Failover() recipe.Task {
	return recipe.Task{
		Name:    "failover",
		Summary: "an address that moves to another host when the service on this one fails (keepalived)",
		About: "Two hosts of one network, and an address that one of them has: that whose service passes its check. The check is asked once a second; the second time that it fails, the other host takes the address, three seconds after the service has stopped, five after it began to hang, and tells the network so, again every five seconds. " +
			"A host that comes back does not take it again: provision do failover failback moves it, when the host that is to have it passes its check. " +
			"Two hosts cannot tell a cut network from a death, so while they do not hear each other both have the address; three seconds after they do again, one of them has it, and all that was wrong in the network's tables is put right. What the service writes has to be of the kind that stands this. " +
			"With failover.content a directory is kept in step: the host that has not the address copies it from the one that has, every failover.content_every seconds, and never the other way; what is copied away from under a host that had the address is kept in " + failoverState + "/kept. While both have the address nothing is copied. " +
			"provision do failover drill stops the service where the address is, and measures how long the address is without an answer; verify harms nothing.",
		Uses:      []string{"firewall"},
		Variables: slices.Concat(failoverVariables(), contentVariables()),
		Exports:   []recipe.Export{{Name: "certificate", Path: failoverCertificate}},
		Check:     checkFailover,
		Build:     buildFailover,
		Verify:    verifyFailover,
		Actions: []recipe.Script{{
			Name: "failback", Text: "exec sh " + failoverDirectory + "/failover.sh failback", Timeout: time.Minute,
			Help: "Gives the address to the first of the two hosts, when its service passes its check; where it is there already nothing is done.",
		}, {
			Name: "drill", Text: "exec sh " + failoverDirectory + "/failover.sh drill", Timeout: 2 * time.Minute,
			Help: "Stops failover.unit on the host that has the address, measures until the other answers, and starts it again; it fails where that takes more than three seconds. Nothing is stopped while the other host does not pass its check.",
		}},
		After: func(in recipe.Input) []string {
			address, _, _ := strings.Cut(in.Vars.String("address"), "/")
			return []string{
				address + " is on one of the two hosts",
				"try it, on the host that has it: provision do failover drill -l HOST; and back: provision do failover failback",
			}
		},
	}
}

func checkFailover(vars recipe.Values) (string, error) {
	if vars.String("content") != "" && vars.String("peer") != "" && vars.String("peer_certificate") == "" {
		return "peer_certificate", errors.New("is wanted for the content, of a peer that is named by its address")
	}
	return "", nil
}

// failover is one of the two hosts, as its configuration sees it.
type failover struct {
	recipe.Input
	Address   netip.Prefix // that moves
	Own, Peer netip.Addr
	PeerName  string // in hosts.yaml, where it is there
	Primary   bool   // of the two the one that failback gives the address to
	Interface string
}

func newFailover(in recipe.Input) (failover, error) {
	f := failover{Input: in, Interface: in.Vars.String("interface")}
	var err error
	if f.Address, err = netip.ParsePrefix(in.Vars.String("address")); err != nil {
		return f, fmt.Errorf("address: %w", err)
	}
	if f.Own, err = f.ownAddress(); err != nil {
		return f, err
	}
	if err := f.findPeer(); err != nil {
		return f, err
	}
	switch {
	case f.Own == f.Peer:
		return f, fmt.Errorf("peer: %s is this host", f.Peer)
	case f.Address.Addr() == f.Own || f.Address.Addr() == f.Peer:
		return f, fmt.Errorf("address: %s is a host's own, and cannot move", f.Address.Addr())
	}
	return f, f.findInterface()
}

// standsAt is the address by which the other host reaches one, as far as hosts.yaml says it.
func standsAt(vars recipe.Values, inventory string) (address netip.Addr, said bool) {
	for _, text := range []string{vars.String("own_address"), strings.Trim(inventory, "[]")} {
		if address, err := netip.ParseAddr(text); err == nil && address.Is4() {
			return address, true
		}
	}
	return address, false
}

// ownAddress is what hosts.yaml says, or else the first that the host has.
func (f failover) ownAddress() (netip.Addr, error) {
	if address, said := standsAt(f.Vars, f.Host.Address()); said {
		return address, nil
	}
	const madeUp = "192.0.2.1" // for documentation (RFC 5737)
	said, err := f.ask(recipe.Addresses, madeUp)
	for _, text := range strings.Fields(said) {
		if address, err := netip.ParseAddr(text); err == nil && address.Is4() && address != f.Address.Addr() {
			return address, nil
		}
	}
	return netip.Addr{}, cmp.Or(err, errors.New("own_address: the host has no IPv4 address"))
}

// ask returns what the host says of itself.
func (f failover) ask(fact, madeUp string) (string, error) {
	if f.Ask == nil {
		return madeUp, nil
	}
	said, _ := f.Ask(recipe.Question(fact), madeUp)
	if said.Problem != "" {
		return "", errors.New(fact + ": " + said.Problem)
	}
	return strings.TrimSpace(said.Text), nil
}

// findPeer finds the other host, and which of the two is the primary: the first of hosts.yaml, or else
// that with the lower address. Both have to find the same.
func (f *failover) findPeer() error {
	if named := f.Vars.String("peer"); named != "" {
		var err error
		f.Peer, err = netip.ParseAddr(named)
		f.Primary = f.Own.Less(f.Peer)
		return err
	}
	var pair []recipe.Peer
	if f.Peers != nil {
		var err error
		if pair, err = f.Peers("failover"); err != nil {
			return err
		}
	}
	own := slices.IndexFunc(pair, func(p recipe.Peer) bool { return p.Name == f.Host.Name() })
	if len(pair) != 2 || own < 0 {
		return fmt.Errorf("failover is of two hosts, and hosts.yaml gives it to %d: give it to two, or name the other by failover.peer", len(pair))
	}
	f.Primary = own == 0
	other := pair[1-own]
	f.PeerName = other.Name
	var said bool
	if f.Peer, said = standsAt(other.Vars, other.Address); !said {
		return fmt.Errorf("own_address: %s is known as %q, which is no IPv4 address: set failover.own_address there", other.Name, other.Address)
	}
	return nil
}

func (f *failover) findInterface() (err error) {
	if f.Interface == "" {
		f.Interface, err = f.ask(recipe.Interface, "eth0")
	}
	if err == nil && f.Interface == "" {
		err = errors.New("interface: the host has no default route: name it by failover.interface")
	}
	return cmp.Or(err, interfaceName(f.Interface))
}

// priority decides between two that both have the address, and nothing else.
func (f failover) priority() int {
	if f.Primary {
		return 150
	}
	return 100
}

// checkAt is the check's URL at another address.
func (f failover) checkAt(host netip.Addr) string {
	return strings.Replace(f.Vars.String("check"), "127.0.0.1", host.String(), 1)
}

func buildFailover(in recipe.Input) (recipe.Recipe, error) {
	f, err := newFailover(in)
	if err != nil {
		return recipe.Recipe{}, err
	}
	var r recipe.Recipe
	c, err := newContent(f)
	if err != nil {
		return r, err
	}
	for _, path := range []string{configDirectory, failoverDirectory, "/etc/keepalived", "/etc/systemd/system/keepalived.service.d"} {
		r.Add(resource.Directory{Path: path})
	}
	if err := f.addFiles(&r, c.settings()); err != nil {
		return r, err
	}
	if err := f.addFirewall(&r); err != nil {
		return r, err
	}
	if err := c.add(&r); err != nil {
		return r, err
	}
	for _, name := range []string{"curl", "iproute2"} {
		r.Add(resource.Package{Name: name, Brings: []recipe.Key{}})
	}
	r.Add(resource.Package{Name: "keepalived", Brings: []recipe.Key{recipe.UnitKey(keepalivedUnit)}, Restarts: []string{keepalivedUnit}})
	r.Add(resource.Service{Unit: keepalivedUnit, Check: checkKeepalived, Trees: []string{"/etc/keepalived"}})
	return r, c.addServices(&r)
}

// checkKeepalived judges the configuration by what is said of it: Debian 12's keepalived 2.2.7 ends its
// test with a signal to itself, right or wrong.
const checkKeepalived = `said=$(keepalived -t -f ` + keepalivedFile + ` 2>&1)
case $?:$said in
0:*|143:) ;;
*) printf '%s\n' "$said" >&2; exit 1 ;;
esac`

// setting is a variable that the scripts read.
type setting struct{ Name, Value string }

func (f failover) addFiles(r *recipe.Recipe, more []setting) error {
	settings := struct {
		failover
		VRID, Priority int
	}{f, f.Vars.Int("router_id"), f.priority()}
	primary := ""
	if f.Primary {
		primary = "yes"
	}
	executable := recipe.Attributes{Mode: 0o755} // keepalived runs what it finds so
	return addFiles(r, []filePart{
		{path: "/etc/systemd/system/keepalived.service.d/10-provision.conf", template: "failover/keepalived.service.conf.tmpl", notifies: restart(keepalivedUnit)},
		// Scripts are read whenever they are run.
		{path: failoverDirectory + "/check.sh", template: "failover/check.sh.tmpl", attributes: executable},
		{path: failoverDirectory + "/hook.sh", template: "failover/hook.sh.tmpl", data: f.Vars.String("hook"), attributes: executable},
		{path: failoverDirectory + "/failover.sh", template: "failover/failover.sh.tmpl"},
		{path: failoverDirectory + "/settings", template: "failover/settings.tmpl", data: append([]setting{
			{"ADDRESS", script.Quote(f.Address.Addr().String())},
			{"PEER", script.Quote(f.Peer.String())},
			{"PRIMARY", script.Quote(primary)},
			{"UNIT", script.Quote(f.Vars.String("unit"))},
			{"CHECK", script.Quote(f.Vars.String("check"))},
			{"PEER_CHECK", script.Quote(f.checkAt(f.Peer))},
			{"ADDRESS_CHECK", script.Quote(f.checkAt(f.Address.Addr()))},
		}, more...)},
		// A reload keeps the address where it is.
		{path: keepalivedFile, template: "failover/keepalived.conf.tmpl", data: settings, notifies: reload(keepalivedUnit)},
	})
}

// addFirewall lets the other host's advertisements in, where the host has the task firewall: unheard,
// both hosts would have the address.
func (f failover) addFirewall(r *recipe.Recipe) error {
	if !slices.Contains(f.Host.Tasks(), "firewall") || !f.Of("firewall").Bool("enabled") {
		return nil
	}
	r.Add(resource.Directory{Path: hostFirewallParts})
	err := addFiles(r, []filePart{{
		path: hostFirewallParts + "/failover.nft", template: "failover/failover.nft.tmpl", data: f, notifies: reload(hostFirewallUnit),
	}})
	r.Add(hostFirewallService())
	return err
}

// verifyFailover sees that this host could take the address, and that one has it. That it moves, the
// drill shows: a proof that is made after each install must not stop what serves.
func verifyFailover(in recipe.Input) ([]recipe.Check, error) {
	f, err := newFailover(in)
	if err != nil {
		return nil, err
	}
	c, err := newContent(f)
	if err != nil {
		return nil, err
	}
	command := func(name, script, contains string) recipe.Check {
		return recipe.Check{
			Name: name, From: recipe.FromHost, Within: 15 * time.Second,
			Command: &recipe.CommandCheck{Script: script, Contains: contains},
		}
	}
	return append([]recipe.Check{
		command("keepalived runs", "systemctl is-active "+keepalivedUnit, ""),
		command("the service passes its check", "sh "+failoverDirectory+"/failover.sh checks", "passes"),
		command("the address is on one of the two, and answers", "sh "+failoverDirectory+"/failover.sh status", "answers"),
	}, c.verify()...), nil
}
