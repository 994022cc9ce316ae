package acceptance

import (
	"strings"
	"testing"
	"time"

	"provision/internal/lab/labtest"
)

// TestFault11ExecReboots reboots a host by exec: a command that ends first ended well, and
// of one that does not it is said that the connection was lost. The host that answers then
// is another boot.
func TestFault11ExecReboots(t *testing.T) {
	t.Parallel()
	l := labtest.Open(t)
	host := bare(t, l, "bookworm", "labreboot12")
	for command, code := range map[string]int{"systemctl reboot": 0, "systemctl reboot -ff; sleep 60": 4} {
		before := strings.TrimSpace(host.run(t, "cat /proc/sys/kernel/random/boot_id"))
		began := time.Now()
		run := provision(t, "exec", "-H", host.Name, "--", command)
		t.Logf("%q ended with %d after %s: %s", command, run.code, time.Since(began).Round(10*time.Millisecond), run.stderr)
		// The host may go down before it has told that the first one ended.
		if run.code != code && run.code != 4 {
			t.Errorf("%q ended with %d, want %d", command, run.code, code)
		}
		if lost := strings.Contains(run.stderr, "the connection was lost before the command ended"); lost != (run.code == 4) {
			t.Errorf("exit code %d, and it is said: %s", run.code, run.stderr)
		}
		eventually(t, "another boot that answers", 60*time.Second, func() bool {
			again := provision(t, "exec", "-H", host.Name, "--", "cat /proc/sys/kernel/random/boot_id")
			return again.code == 0 && strings.TrimSpace(again.stdout) != "" && !strings.Contains(again.stdout, before)
		})
	}
}
