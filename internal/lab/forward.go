package lab

import (
	"context"
	"strings"
)

// forwardRules let the hosts' packages through a firewall of iptables.
func forwardRules(bridge string) [][]string {
	return [][]string{{"-i", bridge, "-j", "ACCEPT"}, {"-o", bridge, "-j", "ACCEPT"}}
}

// allowForwarding is for machines that forward nothing by default, as Docker
// sets it up (its manual, "Packet filtering and firewalls"): there a packet has
// to be accepted in that very chain, which no table of our own can do. Where
// the default is to accept, it changes nothing.
func allowForwarding(ctx context.Context, bridge string) error {
	if _, err := lookPath("iptables"); err != nil {
		return nil
	}
	rules, err := command(ctx, "iptables", "-w", "-S", "FORWARD").Output()
	if err != nil || !strings.HasPrefix(string(rules), "-P FORWARD DROP") {
		return nil // no such firewall, also when its kernel part is not there
	}
	for _, rule := range forwardRules(bridge) {
		if hasForwardRule(ctx, rule) {
			continue
		}
		if err := run(ctx, "iptables", append([]string{"-w", "-I", "FORWARD"}, rule...)...); err != nil {
			return err
		}
	}
	return nil
}

// forgetForwarding takes away what allowForwarding has added.
func forgetForwarding(ctx context.Context, bridge string) error {
	if _, err := lookPath("iptables"); err != nil {
		return nil
	}
	for _, rule := range forwardRules(bridge) {
		if !hasForwardRule(ctx, rule) {
			continue
		}
		if err := run(ctx, "iptables", append([]string{"-w", "-D", "FORWARD"}, rule...)...); err != nil {
			return err
		}
	}
	return nil
}

func hasForwardRule(ctx context.Context, rule []string) bool {
	return run(ctx, "iptables", append([]string{"-w", "-C", "FORWARD"}, rule...)...) == nil
}
