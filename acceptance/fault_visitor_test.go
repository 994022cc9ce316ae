package acceptance

import (
	"testing"
	"time"

	"provision/internal/lab/labtest"
)

// TestFaultVisitors asks for a graph every 100 ms, with the password, while configuration
// changes and is rolled back. A reload fails no request; where a service restarts, the gap
// is that of a plain restart and at most 5 s more. Changes that a validator stops and those
// that are put back are TestFault13And14BrokenConfiguration's.
func TestFaultVisitors(t *testing.T) {
	t.Parallel()
	l := labtest.Open(t)
	host := boot(t, l, "bookworm", "labvisit")[0]
	provision(t, "install", "graphite", "-y", "-H", host.Name).exits(t, 0)
	b := broken{host, l.Identity(), l.KnownHosts()}
	for _, change := range []struct {
		name    string
		allowed time.Duration
		do      func()
	}{
		{"a plain restart of graphite-web", 30 * time.Second, func() { host.run(t, "systemctl restart graphite-web") }},
		{"a change that nginx reloads", 0, func() {
			provision(t, "install", "graphite", "-y", "-H", host.Name, "-e", "nginx.client_max_body_size=2m").exits(t, 0)
		}},
		{"its rollback", 0, func() { provision(t, "rollback", "graphite", "-y", "-H", host.Name).exits(t, 0) }},
		{"a change that restarts graphite-web", 10 * time.Second, func() {
			provision(t, "install", "graphite", "-y", "-H", host.Name, "-e", "graphite.time_zone=Asia/Tokyo").exits(t, 0)
		}},
		{"its rollback", 10 * time.Second, func() { provision(t, "rollback", "graphite", "-y", "-H", host.Name).exits(t, 0) }},
	} {
		asked := b.askAlways(t)
		time.Sleep(500 * time.Millisecond)
		change.do()
		t.Log(change.name)
		asked(change.allowed)
	}
	if left := host.leftovers(t); len(left) > 0 {
		t.Errorf("left %q", left)
	}
}
