package run

import (
	"os"
	"syscall"
	"testing"
	"time"

	"provision/internal/engine"
	"provision/internal/resource"
)

// Who stops while another's run holds the lock does not wait for that.
func TestInterruptEndsTheWaitForTheLock(t *testing.T) {
	onMachine(t, func(m *machine) {
		is(t, m.does(t, resource.File{Path: m.path("a"), Content: "old"}), engine.StatusChanged)
		lock, err := os.Open(m.dir + "/lib/provision/lock")
		if err != nil {
			t.Fatal(err)
		}
		defer lock.Close()
		if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
			t.Fatal(err)
		}
		m.patience, m.stop = 5*time.Minute, make(chan struct{})
		is(t, m.does(t, resource.File{Path: m.path("a"), Content: "new"}), engine.StatusInterrupted)
		if m.read(t, "a") != "old" {
			t.Error("the file was changed")
		}
		m.stop = nil
		lock.Close()
		is(t, m.does(t, resource.File{Path: m.path("a"), Content: "new"}), engine.StatusChanged)
	})
}
