package run

import (
	"context"
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"provision/internal/engine"
	"provision/internal/remote"
	"provision/internal/resource"
)

// A host that hangs in a question under its lock fails, as one that hangs in the first question: when it takes the
// lock, and when it is asked what the steps have done. A busy machine may be silent before that: it is given longer.
func TestQuestionUnderTheLockThatHangs(t *testing.T) {
	onMachine(t, func(m *machine) {
		hangs := resource.Command{Name: "hangs", Script: ":", Unless: "[ ! -e " + m.path("hang") + " ] || sleep 120"}
		for name, changes := range map[string]func() resource.Command{
			"at the lock": func() resource.Command {
				m.before = func() { m.write(t, m.path("hang"), "", 0o600) }
				return resource.Command{Name: "changes", Script: ":", Unless: "false"}
			},
			"after the steps": func() resource.Command {
				return resource.Command{Name: "changes", Script: "touch " + m.path("hang"), Unless: "[ -e " + m.path("hang") + " ]"}
			},
		} {
			m.before = nil
			hung := false
			for m.silence = time.Second; !hung && m.silence < time.Minute; m.silence *= 2 {
				began := time.Now()
				ended := m.does(t, changes(), hangs)
				if ended.Status != engine.StatusFailed || !errors.Is(ended.Err, remote.ErrSilent) || ended.Hint == "" || time.Since(began) > 110*time.Second {
					t.Errorf("%s: %s after %s, %v", name, ended.Status, time.Since(began), ended.Err)
				}
				hung = os.Remove(m.path("hang")) == nil
			}
			if !hung {
				t.Errorf("%s: it did not come so far", name)
			}
		}
	})
}

// A check that hangs fails when its time is over, and what comes after it is asked as ever.
func TestCheckThatHangs(t *testing.T) {
	onMachine(t, func(m *machine) {
		target := m.sshd(t)
		target.dialer = remote.NewDialer()
		connection, err := target.connect(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer connection.Close()
		h := host{target: target, connection: connection}
		for within := 3 * time.Second; ; within *= 2 { // a second of it is for the way, of which a busy machine takes more
			ctx, done := context.WithTimeout(t.Context(), within)
			_, _, err := h.runCheck(ctx, "echo begun; sleep 600")
			done()
			if err != nil && strings.Contains(err.Error(), "it was not done after ") {
				break
			}
			if within > time.Minute || !errors.Is(err, context.DeadlineExceeded) {
				t.Fatalf("within %s: %v", within, err)
			}
		}
		if status, output, err := h.runCheck(t.Context(), "echo well; exit 3"); status != 3 || output != "well\n" || err != nil {
			t.Errorf("then it is %d %q, %v", status, output, err)
		}
	})
}

// Who waits for the lock of another's run may be silent for longer than a question.
func TestWaitForTheLockIsNoHang(t *testing.T) {
	onMachine(t, func(m *machine) {
		is(t, m.does(t, resource.File{Path: m.path("a"), Content: "old"}), engine.StatusChanged)
		m.patience = 10 * time.Minute
		for m.silence = 500 * time.Millisecond; ; m.silence *= 2 { // a busy machine is silent for longer
			lock, err := os.Open(m.dir + "/lib/provision/lock")
			if err != nil {
				t.Fatal(err)
			}
			if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
				t.Fatal(err)
			}
			time.AfterFunc(4*m.silence, func() { lock.Close() })
			ended := m.does(t, resource.File{Path: m.path("a"), Content: m.silence.String()})
			if ended.Status == engine.StatusChanged {
				return
			}
			if m.silence > 10*time.Second || !errors.Is(ended.Err, remote.ErrSilent) {
				t.Fatalf("%s: %v", ended.Status, ended.Err)
			}
		}
	})
}
