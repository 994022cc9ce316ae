package acceptance

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"

	"provision/internal/lab"
	"provision/internal/lab/labtest"
)

// Thirty things of every sort, in Starlark: a host that has them costs the round trips of one that
// has one. A turn is once that this side spoke after it had heard something: the nine round trips that
// are waited for, and up to four more for ends of inputs and channels, which go beside. `go run
// ./acceptance/bench -of own` tells the round trips by the clock.
func TestAConvergedHostCostsNineRoundTrips(t *testing.T) {
	t.Parallel()
	l := labtest.Open(t)
	for suite := range today(t) {
		host := bare(t, l, suite, "labworks")
		token := filepath.Join(t.TempDir(), "token")
		if err := os.WriteFile(token, []byte("correct horse"), 0o600); err != nil {
			t.Fatal(err)
		}
		install := func(relay *lab.Relay) ended {
			c := command(t, "install", "workload", "-y", "-e", "workload.token=@"+token, "--json",
				"-F", relayed(t, l, host, relay), "-H", host.Address.String())
			c.Dir = "../examples/workload"
			return finish(t, c).exits(t, 0)
		}
		first := relayTo(t, host)
		install(first)
		again := relayTo(t, host)
		done := only(t, install(again).events(t), "finished", "")
		if done.Changed != 0 || done.Same < 30 {
			t.Errorf("the second run: %d changed, %d same, want 0 and 30 at the least", done.Changed, done.Same)
		}
		turns := again.RoundTrips() + 1 // and TCP's own, which the relay answers
		t.Logf("%s: first %d turns, converged %d, of %d resources", suite, first.RoundTrips()+1, turns, done.Same)
		if turns > 13 {
			t.Errorf("%d turns, want 13 at the most", turns)
		}
	}
}

// relayTo passes on to a host's sshd, and counts.
func relayTo(t *testing.T, host machine) *lab.Relay {
	t.Helper()
	relay, err := lab.NewRelay(net.JoinHostPort(host.Address.String(), "22"), 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { relay.Close() })
	return relay
}

// relayed is a configuration of ssh which leads to the host by the relay.
func relayed(t *testing.T, l *lab.Lab, host machine, relay *lab.Relay) string {
	t.Helper()
	name, port, err := net.SplitHostPort(relay.Address())
	if err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(t.TempDir(), "ssh_config")
	text := fmt.Sprintf("Host %[1]s\n  HostName %s\n  Port %s\n  User root\n  IdentityFile %s\n  IdentitiesOnly yes\n  HostKeyAlias %[1]s\n  UserKnownHostsFile %[5]s\n",
		host.Address, name, port, l.Identity(), l.KnownHosts())
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return config
}
