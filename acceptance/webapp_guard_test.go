package acceptance

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"provision/internal/lab"
)

// An application that hung took its site down until somebody looked: monit, as the last resort, ends it, and
// systemd starts it. What somebody has stopped stays so.
func TestWebappsLastResort(t *testing.T) {
	onItsDays(t, 0)
	t.Parallel()
	onEach(t, today(t), "labguard", bare, func(t *testing.T, _ *lab.Lab, host machine) {
		release := filepath.Join(t.TempDir(), "leak.tar")
		applicationTar(t, "testdata/webapp/leak", release, "", "")
		settings := []string{"webapp", "-e", "webapp.monit=true", "-e", "webapp.timeout=2", "-e", "webapp.server=gunicorn"}
		do := func(verb string, code int, more ...string) ended {
			t.Helper()
			return provision(t, slices.Concat([]string{verb, "-H", host.Name}, settings, more)...).exits(t, code)
		}
		do("install", 0, "-y", "--artifact", "webapp="+release)
		converged(t, host, settings...)

		before := host.mainPIDs(t, "webapp")["webapp"]
		host.run(t, "kill -STOP "+before+" $(cat /proc/"+before+"/task/"+before+"/children)")
		eventually(t, "another process that answers", 3*time.Minute, func() bool {
			_, err := askFor(newClient(), host, "localhost")
			return err == nil && host.mainPIDs(t, "webapp")["webapp"] != before
		})
		host.run(t, "systemctl stop webapp.socket webapp.service")
		said := host.run(t, "python3 -IB /etc/webapp/guard.py; python3 -IB /etc/webapp/guard.py restart; systemctl is-active webapp || :")
		if strings.Count(said, "is inactive") != 2 || !strings.HasSuffix(said, "inactive\n") {
			t.Errorf("what somebody stopped is looked at, and: %s", said)
		}
		host.run(t, "systemctl start webapp.socket webapp.service; monit -B unmonitor webapp")
		do("verify", 3).tells(t, "monit looks after it")
	})
}
