package acceptance

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// listeners lists what listens on addresses other than loopback, as proto/address:port,
// from the tables of the host's network namespace (proc_net_tcp(5), where 0A is LISTEN; a
// UDP socket that is bound and not connected has state 07).
func (m machine) listeners() ([]string, error) {
	leader, err := m.Leader()
	if err != nil {
		return nil, err
	}
	return listenersOf(leader)
}

func listenersOf(leader int) ([]string, error) {
	var found []string
	for table, state := range map[string]string{"tcp": "0A", "tcp6": "0A", "udp": "07", "udp6": "07"} {
		data, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/%s", leader, table))
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
			if !address.Addr().Unmap().IsLoopback() {
				found = append(found, strings.TrimSuffix(table, "6")+"/"+address.String())
			}
		}
	}
	slices.Sort(found)
	return slices.Compact(found), nil
}

// parseAddress reads an address as the kernel prints it: 32-bit words in the order of the
// machine's bytes, which is little-endian wherever these tests run.
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

// watchListeners looks every few milliseconds, until the function it returns is called,
// which lists all that ever listened, with the moment it was first seen.
func (m machine) watchListeners(t *testing.T) func() map[string]time.Duration {
	t.Helper()
	leader, err := m.Leader()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]time.Duration{}
	stop, done := make(chan struct{}), make(chan struct{})
	began := time.Now()
	looks := 0
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			case <-time.After(10 * time.Millisecond):
			}
			found, err := listenersOf(leader)
			if err != nil {
				t.Errorf("%s: %v", m.Name, err)
				return
			}
			looks++
			for _, listener := range found {
				if _, known := seen[listener]; !known {
					seen[listener] = time.Since(began)
				}
			}
		}
	}()
	return func() map[string]time.Duration {
		close(stop)
		<-done
		t.Logf("%s: looked %d times in %s", m.Name, looks, time.Since(began).Round(time.Millisecond))
		return seen
	}
}
