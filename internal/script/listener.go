package script

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"
)

// procAddress writes address:port as /proc/net/tcp does: an IPv4 address in the byte order
// of the machine, which is little-endian on every architecture that Debian 12 and 13
// release for but s390x. Of any other address only the port is looked at.
func procAddress(listener string) string {
	if strings.HasPrefix(listener, "/") {
		return listener
	}
	at := strings.LastIndex(listener, ":")
	var port int
	fmt.Sscan(listener[at+1:], &port)
	address, err := netip.ParseAddr(listener[:max(at, 0)])
	if err != nil || !address.Is4() {
		return fmt.Sprintf(":%04X", port)
	}
	four := address.As4()
	return fmt.Sprintf("%08X:%04X", binary.LittleEndian.Uint32(four[:]), port)
}
