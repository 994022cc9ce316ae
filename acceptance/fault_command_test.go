package acceptance

import (
	"testing"
	"time"

	"provision/internal/engine"
	want "provision/internal/resource"
)

// What a command, its guard and exec leave in the background does not hold the run up; the lock
// is free after it.
func TestFault44BackgroundProcess(t *testing.T) {
	t.Parallel()
	f := newFaulty(t, "labf44")
	began := time.Now()
	daemon := want.Command{
		Name: "start a daemon", Unless: "sleep 120 & [ -e /etc/started ]", Script: "(sleep 120; echo late) & setsid sleep 120 & echo said; : >/etc/started",
	}
	f.install(t, change{}, daemon).is(t, engine.StatusChanged)
	f.install(t, change{}, daemon).is(t, engine.StatusSame)
	f.install(t, change{}, want.File{Path: "/etc/next", Content: "x\n"}).is(t, engine.StatusChanged)
	provision(t, "exec", "-H", f.Name, "--", "sleep 120 & echo said; exit 7").exits(t, 3)
	if elapsed := time.Since(began); elapsed > 110*time.Second {
		t.Errorf("it took %s", elapsed)
	}
}
