package acceptance

import (
	"strings"
	"testing"

	"provision/internal/lab"
)

// removable are the tasks that a host with their packages gets and loses again, and the packages.
var removable = []struct {
	task     string
	packages string
	vars     []string
}{
	{"nginx", "nginx-light logrotate", nil},
	{"redis", "redis-server; systemctl -q disable --now redis-server; rm -f /var/lib/redis/dump.rdb", nil}, // one that runs has a configuration that is tried, and no secret yet
	{"firewall", "nftables", nil},
	{"graphite", "graphite-carbon graphite-web uwsgi-core uwsgi-plugin-python3 nginx-light logrotate openssl", []string{"-e", "graphite.tls=self-signed"}},
}

// Removed, a task is as if it had never been on a host that had its packages before: files, units,
// listeners and accounts. A rollback brings it back, and it works.
func TestRemove(t *testing.T) {
	t.Parallel()
	onEach(t, today(t), "labmemory", bare, func(t *testing.T, l *lab.Lab, host machine) {
		t.Run("redis, from bare", func(t *testing.T) { removedFromBare(t, host) })
		for _, r := range removable {
			t.Run(r.task, func(t *testing.T) {
				host.run(t, "exec </dev/null; export DEBIAN_FRONTEND=noninteractive; apt-get -q -y --no-install-recommends install nftables "+r.packages+"; systemctl is-system-running --wait || :")
				before := host.look(t)
				args := append([]string{r.task, "-y", "-H", host.Name}, r.vars...)
				provision(t, append([]string{"install"}, args...)...).exits(t, 0)
				provision(t, "remove", r.task, "-y", "-H", host.Name).exits(t, 0)
				host.isAs(t, before, "removed", "debian", "stays", "accounts")
				provision(t, "remove", r.task, "-y", "-H", host.Name).exits(t, 0)
				back := []string{"rollback", r.task, "-y", "-H", host.Name}
				if r.task == "redis" {
					back = append([]string{"install"}, args...) // of what bears a secret no copy is kept
				}
				provision(t, back...).exits(t, 0)
				provision(t, append([]string{"verify"}, append([]string{r.task, "-H", host.Name}, r.vars...)...)...).exits(t, 0)
				converged(t, host, append([]string{r.task}, r.vars...)...)
				provision(t, "remove", r.task, "-y", "-H", host.Name).exits(t, 0)
				host.isAs(t, before, "removed", "debian", "stays", "accounts")
			})
		}
	})
}

// removedFromBare removes a task that brought its packages. Purged, these go, with accounts and
// secrets; else they stay, with the configuration that is their own, and what they run is stopped.
func removedFromBare(t *testing.T, host machine) {
	provision(t, "install", "redis", "-y", "-H", host.Name).exits(t, 0)
	provision(t, "remove", "redis", "--purge", "-y", "-H", host.Name).exits(t, 0)
	if left := host.run(t, "dpkg-query -W -f '${db:Status-Status}\n' redis-server 2>/dev/null; getent passwd redis; ls -d /etc/redis /etc/provision 2>/dev/null; :"); left != "" && left != "not-installed\n" {
		t.Errorf("purged, and left: %s", left)
	}
	provision(t, "install", "redis", "-y", "-H", host.Name).exits(t, 0)
	ended := provision(t, "remove", "redis", "-y", "-H", host.Name).exits(t, 0)
	if !strings.Contains(ended.stdout+ended.stderr, "package redis-server") {
		t.Errorf("not said that the package stays:\n%s%s", ended.stdout, ended.stderr)
	}
	if changed := host.run(t, "dpkg --verify redis-server; systemctl is-active redis-server; systemctl is-enabled redis-server; :"); changed != "inactive\ndisabled\n" {
		t.Errorf("of the package is changed, or runs: %s", changed)
	}
}
