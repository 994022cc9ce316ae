package proof

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
)

// Listeners lists what listens in the network namespace of a process, as proto/address:port
// (proc_net_tcp(5), where 0A is LISTEN; a UDP socket that is bound and not connected has state 07).
func Listeners(process int) ([]string, error) {
	var found []string
	for table, state := range map[string]string{"tcp": "0A", "tcp6": "0A", "udp": "07", "udp6": "07"} {
		data, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/%s", process, table))
		if os.IsNotExist(err) {
			continue // no IPv6 on this machine
		}
		if err != nil {
			return nil, err
		}
		for line := range strings.Lines(string(data)) {
			fields := strings.Fields(line)
			if len(fields) < 4 || fields[3] != state {
				continue
			}
			address, err := parseAddress(fields[1])
			if err != nil {
				return nil, err
			}
			found = append(found, strings.TrimSuffix(table, "6")+"/"+address.String())
		}
	}
	slices.Sort(found)
	return slices.Compact(found), nil
}

// parseAddress reads an address as the kernel prints it: 32-bit words in the order of the
// machine's bytes, which is little-endian wherever a lab runs.
func parseAddress(text string) (netip.AddrPort, error) {
	address, port, _ := strings.Cut(text, ":")
	raw, err := hex.DecodeString(address)
	if err != nil {
		return netip.AddrPort{}, err
	}
	for i := 0; i+4 <= len(raw); i += 4 {
		binary.BigEndian.PutUint32(raw[i:], binary.LittleEndian.Uint32(raw[i:]))
	}
	number, err := hex.DecodeString(port)
	if err != nil || len(number) != 2 {
		return netip.AddrPort{}, fmt.Errorf("port %q", port)
	}
	addr, ok := netip.AddrFromSlice(raw)
	if !ok {
		return netip.AddrPort{}, fmt.Errorf("address %q", address)
	}
	return netip.AddrPortFrom(addr, binary.BigEndian.Uint16(number)), nil
}
