package acceptance

import (
	"os"
	"strings"
	"testing"
	"time"

	"provision/internal/lab"
)

// "fail. over.", for hosts that share no network: visitors come to the second server within three seconds,
// whether the first refuses or is gone, and stay there when it is back, also over a restart of haproxy,
// until somebody gives them back; which is refused while the first does not pass its check.
func TestBalancer(t *testing.T) {
	onItsDays(t, 4)
	t.Parallel()
	onEach(t, today(t), "labbal", bare, func(t *testing.T, _ *lab.Lab, host machine) {
		project := t.TempDir()
		if err := os.CopyFS(project, os.DirFS("testdata/balancer")); err != nil {
			t.Fatal(err)
		}
		ran := func(args ...string) ended {
			t.Helper()
			c := command(t, append(args, "-H", host.Name)...)
			c.Dir = project
			return finish(t, c)
		}
		do := func(code int, args ...string) string {
			t.Helper()
			ended := ran(args...).exits(t, code)
			return ended.stdout + ended.stderr
		}
		host.run(t, "exec </dev/null; export DEBIAN_FRONTEND=noninteractive; apt-get -q -y --no-install-recommends install nftables curl")
		do(0, "install", "servers", "-y")
		do(0, "plan", "servers", "--detailed-exitcode")

		// asked is what a visitor gets at once: on a busy machine nothing may come so soon.
		asked := func() string {
			answer, _ := host.try("curl -s --max-time 0.5 http://127.0.0.1:8081/", "")
			return answer
		}
		goesTo := func(server string, within time.Duration, when string) {
			t.Helper()
			began := time.Now()
			eventually(t, when+": visitors come to "+server, within, func() bool { return asked() == server })
			t.Logf("%s: visitors came to %s after %s", when, server, time.Since(began).Round(10*time.Millisecond))
		}
		staysWith := func(server, when string) {
			t.Helper()
			is := ""
			eventually(t, when+": an answer", 0, func() bool { is = asked(); return is != "" })
			if is != server {
				t.Errorf("%s: visitors come to %q, and not to %s", when, is, server)
			}
		}
		fails := func(address, how string) {
			host.feed(t, "nft -f -", "table inet fails {\n chain out {\n type filter hook output priority 0\n ip daddr "+address+" "+how+"\n }\n}\n")
		}
		works := func() {
			host.run(t, "nft delete table inet fails")
			time.Sleep(6 * time.Second) // it passes its check five times
		}

		goesTo("first", 30*time.Second, "installed") // a host that has just been installed is busy
		fails("127.0.0.2", "meta l4proto 6 reject with tcp reset")
		goesTo("second", 3*time.Second, "the first refuses")
		if told := do(3, "do", "balancer", "failback", "-y"); !strings.Contains(told, "does not pass its check") {
			t.Error(told)
		}
		do(3, "verify", "balancer")
		works()
		staysWith("second", "the first is back")
		host.run(t, "systemctl restart haproxy")
		goesTo("second", 3*time.Second, "haproxy is restarted")
		time.Sleep(time.Second)
		staysWith("second", "haproxy was restarted")
		host.run(t, "systemctl reload haproxy")
		time.Sleep(2 * time.Second)
		staysWith("second", "haproxy was reloaded")

		fails("127.0.0.3", "drop")
		goesTo("first", 4*time.Second, "the second is gone") // each question that goes unanswered takes half a second
		works()
		staysWith("first", "the second is back")
		t.Log(drilled(t, ran("do", "balancer", "drill", "-y")))
		staysWith("second", "a drill")
		time.Sleep(6 * time.Second)
		staysWith("second", "after a drill")
		t.Log(do(0, "do", "balancer", "failback", "-y"))
		staysWith("first", "a failback")

		do(0, "do", "balancer", "drain", "127.0.0.2", "-y")
		staysWith("second", "the first is drained")
		if told := do(3, "do", "balancer", "drain", "127.0.0.3", "-y"); !strings.Contains(told, "127.0.0.2 is drained") {
			t.Error(told)
		}
		do(0, "do", "balancer", "undrain", "127.0.0.2", "-y")
		staysWith("second", "the first is back")
		do(0, "do", "balancer", "drain", "127.0.0.3", "-y")
		staysWith("first", "the second is drained")
		do(0, "do", "balancer", "undrain", "127.0.0.3", "-y")

		do(0, "remove", "servers", "-y")
		if left := host.run(t, "ls -d /etc/provision/balancer /var/lib/provision-balancer /etc/systemd/system/*balancer* 2>/dev/null || :"); left != "" {
			t.Errorf("removed, and it has %s", left)
		}
	})
}
