package acceptance

import (
	"strings"
	"testing"
	"time"

	"provision/internal/lab"
)

// TestStatsD counts on a host with Graphite, and on one where another carbon is behind its port.
func TestStatsD(t *testing.T) {
	onItsDays(t, 1)
	t.Parallel()
	onEach(t, today(t), "labstatsd", bare, func(t *testing.T, _ *lab.Lab, host machine) {
		provision(t, "install", "graphite", "statsd", "-y", "-H", host.Name).exits(t, 0)
		converged(t, host, "graphite", "statsd")
		t.Run("a line that ends it", func(t *testing.T) { statsdComesBack(t, host) })
		t.Run("hits that are averaged or lost", func(t *testing.T) { hitsAreNotLost(t, host) })
		t.Run("without a Graphite of its own", func(t *testing.T) { statsdWithoutGraphite(t, host) })
	})
}

// statsdComesBack sends what ends statsd 0.9.0, more often than systemd starts a unit by default.
func statsdComesBack(t *testing.T, host machine) {
	for range 6 {
		before := host.mainPIDs(t, "statsd")["statsd"]
		host.run(t, "echo 'constructor:1|ms' >/dev/udp/127.0.0.1/8125")
		eventually(t, "another statsd that listens", 30*time.Second, func() bool {
			pid := host.mainPIDs(t, "statsd")["statsd"]
			_, err := host.try(": >/dev/tcp/127.0.0.1/8126", "")
			return pid != before && pid != "0" && err == nil
		})
	}
	provision(t, "verify", "statsd", "-H", host.Name).exits(t, 0)
}

// hitsAreNotLost is the complaint of docs/graphite.md of statsd: "their hit counts averaged, … or
// never stored when StatsD is sending at a different interval than graphite expects". verify says so.
func hitsAreNotLost(t *testing.T, host machine) {
	for _, wrong := range []string{
		`graphite.schemas=[{name: all, pattern: ".*", retentions: "1m:1d,10m:1y"}]`,
		`graphite.aggregations=[{name: all, pattern: ".*", method: average, x_files_factor: "0"}]`,
	} {
		provision(t, "install", "graphite", "-y", "-H", host.Name, "-e", wrong).exits(t, 0)
		failed := provision(t, "verify", "statsd", "-H", host.Name).exits(t, 3)
		if said := failed.stdout + failed.stderr; !strings.Contains(said, "in the archive of the longest time 10 increments are ") {
			t.Errorf("with %s: %s", wrong, said)
		}
	}
}

// statsdWithoutGraphite has at carbon's port what takes all, as the end of a tunnel does.
func statsdWithoutGraphite(t *testing.T, host machine) {
	provision(t, "remove", "graphite", "-y", "-H", host.Name).exits(t, 0)
	failed := provision(t, "verify", "statsd", "-H", host.Name).exits(t, 3)
	if said := failed.stdout + failed.stderr; !strings.Contains(said, "ECONNREFUSED 127.0.0.1:2003") {
		t.Errorf("nothing takes what is counted, and it is told as: %s", said)
	}
	host.run(t, `systemd-run -q --unit=tunnel -p DynamicUser=yes -- /usr/bin/node -e 'require("net").createServer((way) => way.resume()).listen(2003, "127.0.0.1")'`)
	defer host.run(t, "systemctl stop tunnel")
	provision(t, "verify", "statsd", "-H", host.Name).exits(t, 0)
	provision(t, "remove", "statsd", "--purge", "-y", "-H", host.Name).exits(t, 0)
	if left := host.run(t, "ls -d /usr/lib/provision /etc/statsd /etc/systemd/system/statsd.service 2>/dev/null; dpkg-query -W -f '${db:Status-Status}\n' nodejs 2>/dev/null | grep -x installed; :"); left != "" {
		t.Errorf("left: %s", left)
	}
}
