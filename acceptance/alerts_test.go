package acceptance

import (
	"strings"
	"testing"
	"time"

	"provision/internal/lab"
)

// oneRule tells a file what becomes of one series, soon.
var oneRule = []string{
	"-e", "alerts.interval=10", "-e", `alerts.command=echo "$ALERT_STATE $ALERT_NAME" >>/var/lib/provision-alerts/state/told`,
	"-e", `alerts.rules=[{name: load, target: acceptance.load, window: 30s, critical: "10", cycles: "1", help: "See who computes."}]`,
}

// feedsLoad sends what a file says, every few seconds, as long as there is something in it.
const feedsLoad = `echo 1 >/run/load
systemd-run --unit feed --collect sh -c 'while sleep 2; do
	[ ! -s /run/load ] || printf "acceptance.load %s -1\n" "$(cat /run/load)" | python3 -c "
import socket, sys
socket.create_connection((\"127.0.0.1\", 2003), 2).sendall(sys.stdin.buffer.read())" || :
done'`

// The seed's monit, on a host with all of Graphite: an alert is told once, also where carbon is killed meanwhile,
// and recovers once; silence is told; what hangs is restarted; and what an admin has stopped stays stopped.
func TestAlerts(t *testing.T) {
	onItsDays(t, 0)
	t.Parallel()
	onEach(t, today(t), "labalert", bare, func(t *testing.T, _ *lab.Lab, host machine) {
		install := append([]string{"install", "alerts", "-y", "-H", host.Name}, oneRule...)
		provision(t, install...).exits(t, 0)
		told := func() string { return host.run(t, "cat /var/lib/provision-alerts/state/told 2>/dev/null || :") }
		count := func(what string) int { return strings.Count(told(), what+"\n") }
		tells := func(what string, within time.Duration) {
			t.Helper()
			eventually(t, what, within, func() bool { return count(what) > 0 })
		}
		host.run(t, feedsLoad)
		// Nothing has come yet: that is told, and then that something does.
		eventually(t, "it is well", 40*time.Second, func() bool {
			return strings.Contains(host.run(t, "cat /var/lib/provision-alerts/state/rule-load.json 2>/dev/null || :"), `"level": "ok"`)
		})
		time.Sleep(10 * time.Second)
		host.run(t, ": >/var/lib/provision-alerts/state/told")

		// Over its limit, and carbon and monit are killed: both come back by systemd, and it is told once.
		host.run(t, "echo 99 >/run/load")
		tells("critical load", 40*time.Second)
		before := host.mainPIDs(t, "carbon-cache", "monit")
		host.run(t, "kill -9 "+before["carbon-cache"]+" "+before["monit"])
		eventually(t, "both are back", 20*time.Second, func() bool {
			now := host.mainPIDs(t, "carbon-cache", "monit")
			return now["carbon-cache"] != before["carbon-cache"] && now["monit"] != before["monit"] && now["monit"] != "0" && now["carbon-cache"] != "0"
		})
		drawn := provision(t, "do", "alerts", "test", "load", "-y", "-H", host.Name).exits(t, 0)
		for _, want := range []string{"load: critical", "█", "╌ critical 10", "says critical: 99 (last of 30s), critical above 10"} {
			if !strings.Contains(drawn.stdout, want) {
				t.Errorf("do alerts test draws no %q:\n%s", want, drawn.stdout)
			}
		}
		host.run(t, "echo 1 >/run/load")
		tells("ok load", 40*time.Second)
		if said := told(); said != "critical load\nok load\n" {
			t.Errorf("told %q", said)
		}

		// A carbon that hangs is restarted, and nothing else.
		before = host.mainPIDs(t, "carbon-cache", "nginx", "graphite-web")
		host.run(t, "kill -STOP "+before["carbon-cache"])
		eventually(t, "carbon is restarted", 90*time.Second, func() bool {
			now := host.mainPIDs(t, "carbon-cache")["carbon-cache"]
			return now != before["carbon-cache"] && now != "0"
		})
		tells("critical carbon-cache.service", 20*time.Second)
		tells("ok carbon-cache.service", 60*time.Second)

		// Nothing comes any more, and an admin has stopped nginx, for a minute.
		host.run(t, ": >/run/load; systemctl stop nginx")
		tells("stopped nginx.service", 60*time.Second)
		time.Sleep(15 * time.Second)
		if state := host.run(t, "systemctl is-active nginx || :"); state != "inactive\n" || count("stopped nginx.service") != 1 {
			t.Errorf("nginx, which was stopped, is %s; told %q", state, told())
		}
		host.run(t, "systemctl start nginx")
		tells("no data load", 40*time.Second)
		tells("ok nginx.service", 40*time.Second)
		if now := host.mainPIDs(t, "graphite-web"); now["graphite-web"] != before["graphite-web"] {
			t.Error("graphite-web was restarted")
		}
		if again := provision(t, append(install, "--json")...).exits(t, 0); !strings.Contains(again.stdout, `"status":"same"`) {
			t.Errorf("a second install changes something:\n%s", again.stdout)
		}
	})
}
