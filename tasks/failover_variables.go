package tasks

import (
	"fmt"
	"net/netip"
	"regexp"
	"strings"

	"provision/internal/recipe"
)

func failoverVariables() []recipe.Variable {
	return []recipe.Variable{
		{
			Name: "address", Type: recipe.TypeString, Needed: true, Check: text(movingAddress),
			Help: "The address that moves, IPv4, with the length of its network: 10.1.2.100/24. No host has it for its own.",
		},
		{
			Name: "check", Type: recipe.TypeString, Default: "http://127.0.0.1:8080/health", Check: text(checkURL),
			Help: "What tells that the service works: it is answered with status 200 within 1.9 s. The task healthcheck answers so for a site, over TLS and with all behind it. It is asked for at the other host too, which has to let it in, and at the address.",
		},
		{
			Name: "unit", Type: recipe.TypeString, Default: nginxUnit, Check: text(serviceUnit),
			Help: "The service that a drill stops and starts.",
		},
		{
			Name: "peer", Type: recipe.TypeString, Check: optional(ipv4Address),
			Help: "The other host's address, the very one from which that one sends (its own_address): from any other nothing is believed. Without it that is the other host of hosts.yaml that has failover.",
		},
		{
			Name: "own_address", Type: recipe.TypeString, Check: optional(ipv4Address),
			Help: "The address by which the other host reaches this one. Without it that is the one of hosts.yaml, or else the first that the host says it has.",
		},
		{
			Name: "interface", Type: recipe.TypeString, Check: optional(interfaceName),
			Help: "The network interface that gets the address. Without it that of the default route.",
		},
		{
			Name: "router_id", Type: recipe.TypeInt, Default: 51, Check: between(1, 255),
			Help: "The pair's number in VRRP: another for each pair of one network.",
		},
		{
			Name: "hook", Type: recipe.TypeString,
			Help: "A script of sh that root runs when the host gets the address or loses it, as to change a record of DNS where that has to follow: $STATE is MASTER, BACKUP or FAULT. Everybody may read it. It may write neither to /usr nor to /etc nor to homes, as keepalived's unit may not.",
		},
	}
}

func ipv4Address(text string) error {
	if address, err := netip.ParseAddr(text); err != nil || !address.Is4() {
		return fmt.Errorf("%q: must be an IPv4 address such as 10.1.2.3", text)
	}
	return nil
}

func movingAddress(text string) error {
	prefix, err := netip.ParsePrefix(text)
	if err != nil || !prefix.Addr().Is4() || prefix.Bits() == 0 || prefix.Addr().IsLoopback() || prefix.Addr().IsUnspecified() {
		return fmt.Errorf("%q: must be an IPv4 address with the length of its network, such as 10.1.2.100/24", text)
	}
	return nil
}

// Of this host, so that it can be asked of the other one too; behind that what stands in a URL without a
// meaning of its own to curl.
var checkURLs = regexp.MustCompile(`^http://127\.0\.0\.1(:[0-9]{1,5})?/[A-Za-z0-9._~&=%/?-]*$`)

func checkURL(text string) error {
	if !checkURLs.MatchString(text) {
		return fmt.Errorf("%q: must be a URL of the host itself, such as http://127.0.0.1:8080/health", text)
	}
	return nil
}

// The kernel's names (dev_valid_name), without those that keepalived.conf would take for something else.
var interfaceNames = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,14}$`)

func interfaceName(text string) error {
	if !interfaceNames.MatchString(text) {
		return fmt.Errorf("%q: must be the name of a network interface such as eth0", text)
	}
	return nil
}

var serviceUnits = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9:_.@-]{0,200}\.service$`)

func serviceUnit(text string) error {
	if !serviceUnits.MatchString(text) || strings.Contains(text, "@.") {
		return fmt.Errorf("%q: must be a service such as nginx.service", text)
	}
	return nil
}
