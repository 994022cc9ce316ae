package lab_test

import (
	"os"
	"strings"
	"testing"

	"provision/internal/lab"
	"provision/internal/lab/labtest"
)

// TestClone makes a host from the checkpoint of another: what was there is there, and it is
// itself.
func TestClone(t *testing.T) {
	t.Parallel()
	l := labtest.Open(t)
	from := labtest.Host(t, l, "lab-origin", "bookworm")
	wantOutput(t, l, from, "root", "echo before >/srv/mark; hostname", from.Name)
	if err := l.Checkpoint(t.Context(), from.Name); err != nil {
		t.Fatal(err)
	}
	wantOutput(t, l, from, "root", "echo after >/srv/mark; cat /srv/mark", "after")
	clone := labtest.Clone(t, l, "lab-clone", from.Name)
	own := "hostname; cat /srv/mark; ip -4 -o address show host0 | grep -c ' " + clone.Address.String() + "/'"
	for range 2 { // and after a reboot
		wantOutput(t, l, clone, "root", own, "lab-clone\nbefore\n1")
		wantOutput(t, l, clone, "admin", "sudo -n id -un", "root")
		if err := l.Down(t.Context(), clone.Name); err != nil {
			t.Fatal(err)
		}
		up, err := l.Up(t.Context(), []string{clone.Name}, "")
		if err != nil {
			t.Fatal(err)
		}
		clone = up[0]
	}
	wantOutput(t, l, from, "root", "hostname; cat /srv/mark; cat /etc/machine-id", from.Name+"\nafter\n"+machineID(t, from))
	if machineID(t, from) == machineID(t, clone) {
		t.Error("both have the same machine-id")
	}
}

func machineID(t *testing.T, host lab.Host) string {
	t.Helper()
	id, err := os.ReadFile(host.Root() + "/etc/machine-id")
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(id))
}
