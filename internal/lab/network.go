package lab

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// takenError says that this machine has addresses of the lab's network already.
type takenError struct {
	network netip.Prefix
	by      string
}

// Error implements error.
func (e takenError) Error() string {
	return fmt.Sprintf("lab network %s: overlaps with %s of this machine", e.network, e.by)
}

// Hint is how the lab gets another network, whatever command needs it.
func (e takenError) Hint() string {
	return "export PROVISION_LAB_NETWORK=198.18.9.0/24, or another network that is free here"
}

// networkFree refuses a network of which this machine has addresses elsewhere than on the lab's bridge.
func (l *Lab) networkFree() error {
	taken, err := overlapping(l.config.Bridge, l.config.Network)
	if err == nil && taken != "" {
		err = takenError{l.config.Network, taken}
	}
	return err
}

// ensureNetwork makes the bridge, with the first address of the network, and
// lets the hosts out through this machine's own address.
func (l *Lab) ensureNetwork(ctx context.Context) error {
	if err := l.networkFree(); err != nil {
		return err
	}
	bridge, network := l.config.Bridge, l.config.Network
	if !linkExists(bridge) {
		if err := run(ctx, "ip", "link", "add", bridge, "type", "bridge"); err != nil {
			return err
		}
		if err := run(ctx, "ip", "link", "set", bridge, "alias", l.ownMark()); err != nil {
			return err
		}
	}
	if !l.ownsBridge() {
		return fmt.Errorf("%s: a link of that name is there and not this lab's: give the lab another name for its bridge", bridge)
	}
	if err := l.pinHardwareAddress(ctx); err != nil {
		return err
	}
	address := netip.PrefixFrom(gateway(network), network.Bits())
	if !hasAddress(bridge, address) {
		if err := run(ctx, "ip", "address", "add", address.String(), "dev", bridge); err != nil {
			return err
		}
	}
	if err := run(ctx, "ip", "link", "set", bridge, "up"); err != nil {
		return err
	}
	if err := os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0o644); err != nil {
		return err
	}
	cmd := command(ctx, "nft", "-f", "-")
	cmd.Stdin = strings.NewReader(ruleset(bridge, network))
	if err := runCommand(cmd); err != nil {
		return err
	}
	return allowForwarding(ctx, bridge)
}

// pinHardwareAddress gives the bridge an address of its own. Without one it takes the lowest of
// its ports' (br_stp_recalculate_bridge_id in the kernel's net/bridge/br_stp_if.c), another
// one whenever a host comes or goes; and the other hosts, which send to the old one, hear
// nothing for up to half a minute, until they ask for it anew.
func (l *Lab) pinHardwareAddress(ctx context.Context) error {
	digest := sha256.Sum256([]byte(l.ownMark()))
	address := net.HardwareAddr(append([]byte{0x02}, digest[:5]...)) // 02: locally administered (IEEE 802)
	if link, err := net.InterfaceByName(l.config.Bridge); err == nil && bytes.Equal(link.HardwareAddr, address) {
		return nil
	}
	return run(ctx, "ip", "link", "set", l.config.Bridge, "address", address.String())
}

// ownMark is the alias of this lab's bridge, which tells it from every other.
func (l *Lab) ownMark() string { return "provision lab " + l.config.Dir }

func (l *Lab) ownsBridge() bool {
	alias, err := os.ReadFile(filepath.Join("/sys/class/net", l.config.Bridge, "ifalias"))
	return err == nil && strings.TrimSpace(string(alias)) == l.ownMark()
}

// ruleset is a table of our own, so that nothing else on the machine is touched
// and it goes as a whole. Declaring it before the deletion makes that work the
// first time too (nft(8)). The segment size follows the route's MTU, as the
// machine may stand behind a link with a smaller one than the bridge's.
//
// As this machine forwards now, its neighbours could reach the hosts, where
// everybody knows operator's password: only what the hosts began comes in. A
// drop is final, whatever other chains accept, those of iptables too (nft(8)).
func ruleset(bridge string, network netip.Prefix) string {
	table := natTable(bridge)
	return fmt.Sprintf(`table ip %[1]s
delete table ip %[1]s
table ip %[1]s {
	chain nat {
		type nat hook postrouting priority srcnat
		ip saddr %[3]s ip daddr != %[3]s masquerade
	}
	chain forward {
		type filter hook forward priority mangle
		iifname %[2]q tcp flags syn tcp option maxseg size set rt mtu
		oifname %[2]q tcp flags syn tcp option maxseg size set rt mtu
	}
	chain outside {
		type filter hook forward priority filter
		iifname != %[2]q oifname %[2]q ct state != { established, related } drop
	}
}
`, table, bridge, network)
}

func natTable(bridge string) string { return "provision_lab_" + bridge }

// removeNetwork takes the bridge and the table away, if they are there.
func (l *Lab) removeNetwork(ctx context.Context) error {
	table := natTable(l.config.Bridge)
	if _, err := lookPath("nft"); err == nil {
		cmd := command(ctx, "nft", "-f", "-")
		cmd.Stdin = strings.NewReader(fmt.Sprintf("table ip %[1]s\ndelete table ip %[1]s\n", table))
		if err := runCommand(cmd); err != nil {
			return err
		}
	}
	if !l.ownsBridge() {
		return nil
	}
	if err := forgetForwarding(ctx, l.config.Bridge); err != nil {
		return err
	}
	return run(ctx, "ip", "link", "delete", l.config.Bridge)
}

// removeLink deletes the end of a host's link that a killed nspawn has left on
// our bridge; with it in place the next boot fails with `File exists`.
func (l *Lab) removeLink(ctx context.Context, name string) error {
	link := "vb-" + name
	if !linkExists(link) {
		return nil
	}
	bridge, err := os.Readlink(filepath.Join("/sys/class/net", link, "master"))
	if err == nil && filepath.Base(bridge) != l.config.Bridge {
		return fmt.Errorf("%s: a link of that name is on the bridge %s, not ours", link, filepath.Base(bridge))
	}
	if err := run(ctx, "ip", "link", "delete", link); err != nil && linkExists(link) {
		return err
	}
	return nil
}

func linkExists(name string) bool {
	_, err := os.Lstat(filepath.Join("/sys/class/net", name))
	return err == nil
}

func hasAddress(link string, address netip.Prefix) bool {
	found, err := net.InterfaceByName(link)
	if err != nil {
		return false
	}
	return slices.Contains(prefixes(*found), address)
}

// overlapping names a network of another link of this machine that has
// addresses of ours in it; empty when there is none.
func overlapping(bridge string, network netip.Prefix) (string, error) {
	links, err := net.Interfaces()
	if err != nil {
		return "", err
	}
	for _, link := range links {
		for _, prefix := range prefixes(link) {
			if link.Name != bridge && prefix.Overlaps(network) {
				return prefix.String() + " on " + link.Name, nil
			}
		}
	}
	return "", nil
}

func prefixes(link net.Interface) []netip.Prefix {
	addresses, err := link.Addrs()
	if err != nil {
		return nil // the link has gone meanwhile
	}
	var found []netip.Prefix
	for _, address := range addresses {
		if prefix, err := netip.ParsePrefix(address.String()); err == nil {
			found = append(found, prefix)
		}
	}
	return found
}
