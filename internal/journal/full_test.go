package journal_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"provision/internal/recipe"
)

// names are those in a directory as a run sees it.
func (c *client) names(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/root%s", c.process.Pid, dir))
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

// A secret that has no room is not there, nor is what was begun of it.
func TestSecretOnAFullDisk(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	small := m.root + "/small"
	if err := os.Mkdir(small, 0o755); err != nil {
		t.Fatal(err)
	}
	m.setup = "mount -t tmpfs -o size=16k,mode=0755 tmpfs " + small + "\ncat /dev/zero >" + small + "/filler 2>/dev/null"
	c := m.begin(t)
	failed := c.fails(t, recipe.MakeSecret{Path: small + "/secret", Length: 64, Attributes: rootOwned})
	if !strings.Contains(failed.Output, small+"/secret: the file system at "+small+" is full") {
		t.Errorf("said %q", failed.Output)
	}
	if left := c.names(t, small); len(left) != 1 {
		t.Errorf("left behind: %q", left)
	}
}

// That systemd has to be told of a change cannot be noted: the change is not made, and nothing
// is left of it.
func TestUnitFileThatCannotBeNoted(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.setup = "mount -t tmpfs tmpfs /etc/systemd/system; mkdir -p /var/lib/provision/daemon-reload"
	c := m.begin(t)
	c.fails(t, file("/etc/systemd/system/x.service", "x"))
	c.fails(t, file("/etc/systemd/system/x.service", "x"), file("/etc/systemd/system/y.service", "y"))
	if left := c.names(t, "/etc/systemd/system"); len(left) != 0 {
		t.Errorf("left behind: %q", left)
	}
}
