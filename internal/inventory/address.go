package inventory

import (
	"fmt"
	"net/netip"
	"regexp"
	"strings"

	"provision/internal/address"
)

// Address says how a host is reached.
type Address = address.Address

var (
	// useradd(8) allows less and directories more; this is what needs no quoting anywhere.
	userName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$`)
	// RFC 1123, 2.1, and the underscore, which many private zones use.
	hostLabel = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$`)
	zoneName  = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,32}$`)
	digits    = regexp.MustCompile(`^[0-9]+$`)
)

// ParseHost reads Fabric's form, user@host:port, of which only the host is needed. An
// IPv6 address stands in brackets, with its zone if it needs one: [fe80::1%eth0]:22.
// The error is an *Error with a hint; it never shows what may be a password.
func ParseHost(spec string) (Address, error) {
	refuse := func(problem, hint string) (Address, error) {
		return Address{}, &Error{What: fmt.Sprintf("host %q", spec), Problem: problem, Advice: hint}
	}
	switch {
	case spec == "":
		return refuse("is empty", "write user@host:port; user and port may be left out")
	case len(spec) > 400:
		return Address{}, &Error{What: "host", Problem: "is longer than any host name", Advice: "write user@host:port"}
	case strings.Contains(spec, "://"):
		return Address{}, &Error{What: "host", Problem: "is a URL", Advice: "write user@host:port"}
	}
	user, rest, found := strings.Cut(spec, "@")
	if !found {
		user, rest = "", spec
	}
	switch {
	case found && strings.Contains(user, ":"):
		return Address{}, &Error{What: "host", Problem: "has a password in it",
			Advice: "use a key, or --ask-password; a command line is seen by everybody on this machine"}
	case found && strings.Contains(rest, "@"):
		return refuse("has two @", "a user name with an @ goes into ~/.ssh/config: User")
	case found && strings.HasPrefix(user, "-"), strings.HasPrefix(rest, "-"):
		return refuse("starts with -", "ssh would take it for an option")
	case found && !userName.MatchString(user):
		return refuse(fmt.Sprintf("%q is not a user name", user), "letters, digits, _ . and - only; any other goes into ~/.ssh/config: User")
	}
	host, port, problem, hint := splitPort(rest)
	if problem == "" {
		problem, hint = checkHost(host, strings.HasPrefix(rest, "["))
	}
	if problem != "" {
		return refuse(problem, hint)
	}
	return Address{User: user, Host: host, Port: port}, nil
}

// splitPort takes host:port, or [address]:port, apart.
func splitPort(rest string) (host string, port int, problem, hint string) {
	var digitsOfPort string
	var found bool
	if strings.HasPrefix(rest, "[") {
		inside, after, closed := strings.Cut(rest[1:], "]")
		if !closed {
			return "", 0, "the bracket is not closed", "write [2001:db8::1]:22"
		}
		host = inside
		if digitsOfPort, found = strings.CutPrefix(after, ":"); !found && after != "" {
			return "", 0, fmt.Sprintf("%q after the bracket", after), "write [2001:db8::1]:22"
		}
	} else {
		if strings.Count(rest, ":") > 1 {
			return "", 0, "an IPv6 address needs brackets: where it ends and the port begins cannot be told",
				bracketHint(rest)
		}
		host, digitsOfPort, found = strings.Cut(rest, ":")
	}
	if !found {
		return host, 0, "", ""
	}
	port, ok := address.ParsePort(digitsOfPort)
	if !ok {
		return "", 0, fmt.Sprintf("%q is not a port", digitsOfPort), "a number from 1 to 65535"
	}
	return host, port, "", ""
}

// bracketHint says how an address without brackets may have been meant.
func bracketHint(rest string) string {
	at := strings.LastIndex(rest, ":")
	plain, _, _ := strings.Cut(rest[:at], "%")
	if _, err := netip.ParseAddr(plain); err != nil {
		return fmt.Sprintf("write [%s]", rest)
	}
	return fmt.Sprintf("write [%s], or [%s]:%s", rest, rest[:at], rest[at+1:])
}

// checkHost refuses what is no host name and no address.
func checkHost(host string, bracketed bool) (problem, hint string) {
	if bracketed {
		return checkIPv6(host)
	}
	name := strings.TrimSuffix(host, ".")
	if name == "" {
		return "the host's name is missing", "write user@host:port; user and port may be left out"
	}
	if strings.ContainsAny(host, "*?[]!") {
		return "is a pattern", "patterns select hosts of the inventory: -l 'web*'"
	}
	if len(name) > 253 {
		return "is longer than any host name", "253 characters at the most; a short name can stand in ~/.ssh/config: HostName"
	}
	labels := strings.Split(name, ".")
	for _, label := range labels {
		if len(label) > 63 { // RFC 1035, 2.3.4
			return fmt.Sprintf("has a part of %d characters", len(label)), "63 at the most between two dots; in hosts.yaml a host may have a shorter name, and its address beside it"
		}
		if !hostLabel.MatchString(label) {
			return "is not a host name", "letters, digits and - only, with a dot between the parts; other alphabets in their xn-- form"
		}
	}
	// A name whose last part is a number is an address to every resolver (WHATWG URL, 3.5).
	if digits.MatchString(labels[len(labels)-1]) {
		if ip, err := netip.ParseAddr(name); err != nil || !ip.Is4() || host != name {
			return "is not an IPv4 address", "four numbers from 0 to 255, without leading zeros"
		}
	}
	return "", ""
}

func checkIPv6(host string) (problem, hint string) {
	plain, zone, zoned := strings.Cut(host, "%")
	ip, err := netip.ParseAddr(plain)
	if err != nil || !ip.Is6() {
		return fmt.Sprintf("%q is not an IPv6 address", plain), "brackets are for IPv6 alone: [2001:db8::1]:22"
	}
	if zoned && !zoneName.MatchString(zone) {
		return fmt.Sprintf("%q is not a network interface", zone), "write [fe80::1%eth0]:22"
	}
	return "", ""
}
