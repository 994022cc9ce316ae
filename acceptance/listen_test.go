package acceptance

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"provision/internal/proof"
)

// listeners lists what listens on addresses other than loopback, as proto/address:port.
func (m machine) listeners() ([]string, error) {
	leader, err := m.Leader()
	if err != nil {
		return nil, err
	}
	return listenersOf(leader)
}

func listenersOf(leader int) ([]string, error) {
	found, err := proof.Listeners(leader)
	return slices.DeleteFunc(found, func(listener string) bool {
		_, text, _ := strings.Cut(listener, "/")
		address, err := netip.ParseAddrPort(text)
		return err == nil && address.Addr().Unmap().IsLoopback()
	}), err
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
