package acceptance

import (
	"testing"

	"provision/internal/lab"
	"provision/internal/lab/labtest"
)

// converged sees that a host has nothing to change, whichever way one comes to it: by its
// name, or through a relay on this machine, which has another address and port.
func converged(t *testing.T, host machine, arguments ...string) {
	t.Helper()
	l := labtest.Open(t)
	relay, err := lab.NewRelay(host.Address.String()+":22", 0)
	if err != nil {
		t.Fatal(err)
	}
	defer relay.Close()
	for _, way := range [][]string{
		{"-H", host.Name},
		{"-H", "root@" + relay.Address(), "-o", "HostKeyAlias=" + host.Address.String(), "-i", l.Identity(), "-o", "UserKnownHostsFile=" + l.KnownHosts()},
	} {
		arguments := append(append([]string{"plan"}, arguments...), "--detailed-exitcode")
		provision(t, append(arguments, way...)...).exits(t, 0)
	}
}
