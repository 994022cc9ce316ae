package recipe

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// Listener is a socket that listens at a TCP port, and what holds it: "" where no process does,
// as with the kernel's own.
type Listener struct {
	Address netip.Addr // unspecified: all addresses
	Process string     // its name: apache2
	Unit    string     // apache2.service, ssh.socket, session-3.scope
}

// Endpoint is a TCP address that a service listens at.
type Endpoint struct {
	Address netip.Addr // the zero value is all
	Port    int
}

// ParseEndpoint reads ADDRESS:PORT, or :PORT for all addresses.
func ParseEndpoint(text string) (Endpoint, error) {
	at := strings.LastIndex(text, ":")
	port, err := strconv.ParseUint(text[at+1:], 10, 16)
	if at < 0 || err != nil || port == 0 {
		return Endpoint{}, fmt.Errorf("%s: must be ADDRESS:PORT or :PORT", Quoted(text))
	}
	host := strings.TrimSuffix(strings.TrimPrefix(text[:at], "["), "]")
	if host == "" {
		return Endpoint{Port: int(port)}, nil
	}
	address, err := netip.ParseAddr(host)
	if err != nil {
		return Endpoint{}, fmt.Errorf("%s: is no address and port", Quoted(text))
	}
	if address.IsUnspecified() {
		address = netip.Addr{}
	}
	return Endpoint{address.Unmap(), int(port)}, nil
}

// Endpoints are those of a service's listeners, without its sockets in the file system.
func Endpoints(listens []string) []Endpoint {
	var all []Endpoint
	for _, text := range listens {
		if e, err := ParseEndpoint(text); err == nil && !strings.HasPrefix(text, "/") { // a service's Validate has refused others
			all = append(all, e)
		}
	}
	return all
}

// TakenBy reports whether a listener leaves no room for the endpoint: a socket of all
// addresses takes each of them (an IPv6 one usually the IPv4 addresses too, ipv6(7)).
func (e Endpoint) TakenBy(l Listener) bool {
	return !e.Address.IsValid() || l.Address.IsUnspecified() || e.Address == l.Address
}
