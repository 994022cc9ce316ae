package script_test

import (
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"provision/internal/recipe"
)

// TestProbeOfListeners listens itself, and asks who does.
func TestProbeOfListeners(t *testing.T) {
	var probes []recipe.Probe
	ports := map[string]int{}
	for address, network := range map[string]string{"127.0.0.1": "tcp4", "::1": "tcp6", "0.0.0.0": "tcp4"} {
		listener, err := net.Listen(network, net.JoinHostPort(address, "0"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { listener.Close() })
		ports[address] = listener.Addr().(*net.TCPAddr).Port
		probes = append(probes, recipe.Probe{Key: recipe.ListenerKey(ports[address]), Unit: "no-such.service"})
	}
	nobody := recipe.Probe{Key: recipe.ListenerKey(1)}
	answer := ask(t, append(probes, nobody, path("/etc"))...)
	name := filepath.Base(os.Args[0])
	for address, port := range ports {
		found := answer.Facts.Listeners(port)
		if len(found) != 1 || found[0].Address != netip.MustParseAddr(address) || !strings.HasPrefix(name, found[0].Process) || found[0].Process == "" {
			t.Errorf("%s: found %+v, want %s", address, found, name)
		}
	}
	if found := answer.Facts.Listeners(1); len(found) > 0 {
		t.Errorf("port 1: %+v", found)
	}
	if answer.Facts.Path("/etc").Type != recipe.PathDirectory {
		t.Error("what is asked beside them is lost")
	}
}
