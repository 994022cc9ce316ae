package script

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"provision/internal/recipe"
)

// listenerRows ask who listens at TCP ports.
func listenerRows() []row {
	return []row{{
		name: "listeners", kind: recipe.KindListener, absent: []recipe.Listener(nil), asks: ofKind(recipe.KindListener),
		source: []string{"ask/listener"}, call: askListeners, width: 1, read: readListeners,
	}}
}

func askListeners(asked []recipe.Probe) string {
	var units, ports []string
	for _, probe := range asked {
		port, err := strconv.ParseUint(probe.Key.Name, 10, 16)
		if err != nil {
			panic("script: " + probe.Key.String() + " is no port") // recipe.ListenerKey made it of a number
		}
		ports = append(ports, fmt.Sprintf("%04X", port))
		if probe.Unit != "" && !slices.Contains(units, probe.Unit) {
			units = append(units, probe.Unit)
		}
	}
	return "ask_listeners " + QuoteAll(strings.Join(units, " "), strings.Join(ports, " ")) + "\n"
}

func readListeners(a *answer, record []string, _ []recipe.Probe) error {
	for _, line := range lines(record) {
		fields := strings.SplitN(line, " ", 3)
		if len(fields) != 3 {
			return fmt.Errorf("listener %q", line)
		}
		address, port, err := parseProcAddress(fields[0])
		if err != nil {
			return fmt.Errorf("listener %q: %w", line, err)
		}
		listener := recipe.Listener{Address: address, Process: orNothing(fields[2]), Unit: orNothing(fields[1])}
		a.set(recipe.ListenerKey(port), append(a.Facts.Listeners(port), listener))
	}
	return nil
}

func orNothing(word string) string {
	if word == "-" {
		return ""
	}
	return word
}

// parseProcAddress reads what procAddress writes, and an IPv6 address: four words, each in the
// byte order of the machine.
func parseProcAddress(text string) (netip.Addr, int, error) {
	host, port, _ := strings.Cut(text, ":")
	number, err := strconv.ParseUint(port, 16, 16)
	if err != nil {
		return netip.Addr{}, 0, err
	}
	bytes, err := hex.DecodeString(host)
	if err != nil || len(bytes)%4 != 0 {
		return netip.Addr{}, 0, fmt.Errorf("not an address: %v", err)
	}
	for word := range slices.Chunk(bytes, 4) {
		slices.Reverse(word)
	}
	address, ok := netip.AddrFromSlice(bytes)
	if !ok {
		return netip.Addr{}, 0, fmt.Errorf("an address of %d bytes", len(bytes))
	}
	return address.Unmap(), int(number), nil
}
