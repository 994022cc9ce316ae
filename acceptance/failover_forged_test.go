package acceptance

import (
	"context"
	"encoding/binary"
	"net/netip"
	"slices"
	"syscall"
	"testing"
	"time"
)

// advertisement is one of VRRP, of the highest priority there is, in a packet of IPv4: whoever believes it
// gives up the address.
func advertisement(from, to, moving netip.Addr, ttl byte) []byte {
	// RFC 5798, 5.1: version 3, type 1; the pair's number, the priority, one address, 0.3 s.
	vrrp := append([]byte{0x31, 51, 255, 1, 0, 30, 0, 0}, moving.AsSlice()...)
	header := slices.Concat(from.AsSlice(), to.AsSlice(), []byte{0, 112, 0, byte(len(vrrp))})
	binary.BigEndian.PutUint16(vrrp[6:], checksum(append(header, vrrp...)))
	ip := []byte{0x45, 0, 0, byte(20 + len(vrrp)), 0, 1, 0, 0, ttl, 112, 0, 0} // the kernel writes its checksum (raw(7))
	return slices.Concat(ip, from.AsSlice(), to.AsSlice(), vrrp)
}

// checksum is the Internet's (RFC 1071).
func checksum(data []byte) uint16 {
	var sum uint32
	for i := 0; i+1 < len(data); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(data[i:]))
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}

// forge sends a packet to the first host of the pair again and again, until the context ends.
func (p pair) forge(ctx context.Context, t *testing.T, packet []byte) {
	t.Helper()
	socket, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_RAW, syscall.IPPROTO_RAW)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		defer syscall.Close(socket)
		for ctx.Err() == nil {
			_ = syscall.Sendto(socket, packet, 0, &syscall.SockaddrInet4{Addr: p.hosts[0].Address.As4()})
			time.Sleep(50 * time.Millisecond)
		}
	}()
}

// takesNothingForged sends advertisements from another address, and from the other host's as they would
// come through a router, to the host that has the address: it keeps it. What has the other host's address
// and is of its own network is believed, which shows that these packets are what they ought to be: VRRP
// has no keys.
func (p pair) takesNothingForged(t *testing.T) {
	t.Helper()
	host, other, moving := p.hosts[0].Address, p.hosts[1].Address, netip.MustParseAddr(p.address)
	neighbour := host.As4()
	neighbour[3] = 1 // this machine, at the bridge
	ctx, stop := context.WithTimeout(t.Context(), 3*time.Second)
	defer stop()
	p.forge(ctx, t, advertisement(netip.AddrFrom4(neighbour), host, moving, 255))
	p.forge(ctx, t, advertisement(netip.MustParseAddr("192.0.2.1"), host, moving, 255))
	p.forge(ctx, t, advertisement(other, host, moving, 254))
	for ctx.Err() == nil {
		if holders := p.holders(t); !slices.Contains(holders, 0) { // on a busy machine the other may miss some and take it too
			t.Fatalf("a forged advertisement was believed: the address is on %v", holders)
		}
	}
	ctx, stop = context.WithCancel(t.Context())
	defer stop()
	p.forge(ctx, t, advertisement(other, host, moving, 255))
	eventually(t, "what comes from the other host's address is believed", 5*time.Second, func() bool { return !slices.Contains(p.holders(t), 0) })
	stop()
	p.do(t, 0, "do", "failover", "failback", "-y")
	p.settles(t, 0, 5*time.Second, "after a forged advertisement")
}
