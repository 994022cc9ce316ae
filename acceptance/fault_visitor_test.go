package acceptance

import (
	"testing"
	"time"

	"provision/internal/lab/labtest"
)

// TestFaultVisitors asks for a graph every 100 ms, with the password, while configuration
// changes and is rolled back. A reload fails no request; where a service restarts, the gap
// is that of a plain restart and some seconds more. Changes that a validator stops and those
// that are put back are TestFault13And14BrokenConfiguration's.
func TestFaultVisitors(t *testing.T) {
	t.Parallel()
	l := labtest.Open(t)
	host := installed(t, l, "bookworm", "labvisit")
	provision(t, "install", "graphite", "-y", "-H", host.Name).exits(t, 0)
	b := broken{host, l.Identity(), l.KnownHosts()}
	meanwhile := func(what string, allowed time.Duration, do func()) visits {
		asked := b.askAlways(t)
		time.Sleep(500 * time.Millisecond)
		do()
		t.Log(what)
		return asked(allowed)
	}
	install := func(settings ...string) func() {
		return func() {
			provision(t, append([]string{"install", "graphite", "-y", "-H", host.Name}, settings...)...).exits(t, 0)
		}
	}
	rollback := func() { provision(t, "rollback", "graphite", "-y", "-H", host.Name).exits(t, 0) }
	plain := meanwhile("a plain restart of graphite-web", 30*time.Second, func() { host.run(t, "systemctl restart graphite-web") }).longest
	meanwhile("a change that nginx reloads", 0, install("-e", "nginx.client_max_body_size=2m"))
	meanwhile("its rollback", 0, rollback)
	meanwhile("a change that restarts graphite-web", 2*plain+10*time.Second, install("-e", "graphite.time_zone=Asia/Tokyo"))
	meanwhile("its rollback", 2*plain+10*time.Second, rollback)
	if left := host.leftovers(t); len(left) > 0 {
		t.Errorf("left %q", left)
	}
}
