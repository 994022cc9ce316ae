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
		t.Run("a line that would end it", func(t *testing.T) { statsdStays(t, host) })
		t.Run("hits that are averaged or lost", func(t *testing.T) { hitsAreNotLost(t, host) })
		t.Run("without a Graphite of its own", func(t *testing.T) { statsdWithoutGraphite(t, host) })
	})
}

// statsdStays sends what ends statsd 0.9.0 by itself: "a client's line kills it, and the counts are lost". Then
// it is killed, more often than systemd starts a unit by default, and is back.
func statsdStays(t *testing.T, host machine) {
	before := host.mainPIDs(t, "statsd")["statsd"]
	for _, line := range []string{"constructor:1|ms", "__proto__:1|s", "rate:1|c|@+1"} {
		host.run(t, "echo '"+line+"' >/dev/udp/127.0.0.1/8125; echo '"+line+"' >/dev/tcp/127.0.0.1/8125")
	}
	provision(t, "verify", "statsd", "-H", host.Name).exits(t, 0)
	if pid := host.mainPIDs(t, "statsd")["statsd"]; pid != before {
		t.Errorf("a line has ended it: its process was %s, is %s", before, pid)
	}
	for range 6 {
		before = host.mainPIDs(t, "statsd")["statsd"]
		host.run(t, "kill -9 "+before)
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
