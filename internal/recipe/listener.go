package recipe

import (
	"fmt"
	"net/netip"
	"slices"
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

// Overlaps reports whether two services cannot both listen there: at all addresses is at each of them.
func (e Endpoint) Overlaps(other Endpoint) bool {
	return e.Port == other.Port && (!e.Address.IsValid() || !other.Address.IsValid() || e.Address == other.Address)
}

// String is the endpoint as ParseEndpoint reads it.
func (e Endpoint) String() string {
	if !e.Address.IsValid() {
		return fmt.Sprintf(":%d", e.Port)
	}
	return netip.AddrPortFrom(e.Address, uint16(e.Port)).String()
}

// Listening is implemented by a resource that listens at TCP ports once it runs.
type Listening interface {
	ListensAt() []Endpoint
	Shares(other Resource) bool // a socket with its service; one that leaves the port to the other
	Elsewhere() string          // how it listens elsewhere, "" where that cannot be said
}

// twiceError says that two services would listen at one address.
type twiceError struct {
	error
	ways []string
}

// Unwrap returns what it is about, with its place.
func (e *twiceError) Unwrap() error { return e.error }

// Hint names the ways out.
func (e *twiceError) Hint() string { return strings.Join(e.ways, "; or ") }

// validateListeners refuses two services that would listen at one address: the second one's start would
// fail, when the first one runs already.
func (r Recipe) validateListeners() error {
	var earlier []Item
	for _, item := range r.Items {
		one, ok := item.Resource.(Listening)
		if !ok || len(one.ListensAt()) == 0 {
			continue
		}
		for _, before := range earlier {
			other := before.Resource.(Listening)
			at, both := bothListen(one, other)
			if !both || one.Shares(before.Resource) {
				continue
			}
			problem := conflict(before, item, fmt.Errorf("%s: %s as %s and as %s", at, want(before, item), before.Resource.ID(), item.Resource.ID()))
			ways := slices.DeleteFunc([]string{other.Elsewhere(), one.Elsewhere()}, func(way string) bool { return way == "" })
			if len(ways) == 0 {
				return problem
			}
			return &twiceError{problem, ways}
		}
		earlier = append(earlier, item)
	}
	return nil
}

func bothListen(one, other Listening) (Endpoint, bool) {
	for _, here := range one.ListensAt() {
		if slices.ContainsFunc(other.ListensAt(), here.Overlaps) {
			return here, true
		}
	}
	return Endpoint{}, false
}

// TakenBy reports whether a listener leaves no room for the endpoint: a socket of all
// addresses takes each of them (an IPv6 one usually the IPv4 addresses too, ipv6(7)).
func (e Endpoint) TakenBy(l Listener) bool {
	return !e.Address.IsValid() || l.Address.IsUnspecified() || e.Address == l.Address
}
