package acceptance

import (
	"sync"
	"sync/atomic"
	"testing"
)

// verifiesHoldBesideAnInstall is a cron, a person and an install that restarts carbon, all
// at one time.
func verifiesHoldBesideAnInstall(t *testing.T, host machine) {
	const earlier = "/var/lib/graphite/whisper/provision/verify-1.wsp"
	host.run(t, "cd /var/lib/graphite/whisper/provision && touch -d '1 hour ago' "+earlier)
	var installed atomic.Bool
	var verifies sync.WaitGroup
	for range 3 {
		verifies.Go(func() {
			for last := false; !last; {
				last = installed.Load()
				if run := provision(t, "verify", "graphite", "-H", host.Name); run.code != 0 {
					t.Errorf("exit code %d\n%s", run.code, tail(run.stderr, 2000))
				}
			}
		})
	}
	for _, rate := range []string{"501", "500"} {
		if run := provision(t, "install", "graphite", "-y", "-e", "graphite.updates_per_second="+rate, "-H", host.Name); run.code != 0 {
			t.Errorf("%s: exit code %d\n%s", run.line, run.code, tail(run.stderr, 2000))
		}
	}
	installed.Store(true)
	verifies.Wait()
	if left := host.run(t, "ls "+earlier+" 2>/dev/null || :"); left != "" {
		t.Errorf("the metric of a verify that is over: %s", left)
	}
}
