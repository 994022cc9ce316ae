package acceptance

import (
	_ "embed"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"provision/internal/lab/labtest"
)

//go:embed testdata/application.sh
var application string

// The seed's "Statsd and Carbon security": two hosts are made from bare in one run, one with Graphite and
// one that sends, and nothing but the keys that they have made opens the way.
func TestMetricsOfOtherHosts(t *testing.T) {
	onItsDays(t, 3)
	t.Parallel()
	for suite, release := range today(t) {
		t.Run(suite, func(t *testing.T) { metricsOfOtherHosts(t, suite, release) })
	}
}

func metricsOfOtherHosts(t *testing.T, suite, release string) {
	l := labtest.Open(t)
	hosts := boot(t, l, suite, "labtake"+release, "labsend"+release)
	take, send := hosts[0], hosts[1]
	project, cache := t.TempDir(), t.TempDir()
	page := metricsPage(t)
	writeProject(t, project, map[string]string{"hosts.yaml": strings.NewReplacer("192.0.2.11", take.Address.String(), "192.0.2.21", send.Address.String(), "[graphite]", "[graphite, firewall]").Replace(page["yaml"])})
	do := func(code int, args ...string) ended {
		t.Helper()
		c := command(t, append(args, "--inventory", project+"/hosts.yaml", "-o", "UserKnownHostsFile="+l.KnownHosts(), "-i", l.Identity())...)
		c.Env = append(c.Env, "XDG_CACHE_HOME="+cache)
		return finish(t, c).exits(t, code)
	}
	typed := func(line string) []string {
		t.Helper()
		if !strings.Contains(page["sh"], "provision "+line+"\n") {
			t.Errorf("docs/metrics.md does not say provision %s", line)
		}
		return append(strings.Fields(strings.ReplaceAll(line, "'", "")), "-y")
	}
	do(0, typed("install -l metrics")...)
	do(0, "plan", "--detailed-exitcode")
	keysStay(t, cache, take, send)

	web := take.web(t)
	send.send(t, "acceptance.sent 42 -1")
	eventually(t, "what the other host sent", 10*time.Second, func() bool { return web.hasValue(t, "acceptance.sent", "42.0") })
	eventually(t, "what collectd measures there", 30*time.Second, func() bool {
		_, body := web.get(t, "/render?format=json&noCache=1&from=-1min&target=isNonNull(collectd."+send.Name+".load.load.shortterm)")
		return strings.Contains(body, "[1, ") || strings.Contains(body, "[1.0, ")
	})
	for _, port := range []string{"2003", "2004", "7002", "8125"} {
		if _, err := send.try("timeout 5 bash -c '</dev/tcp/"+take.Address.String()+"/"+port+"'", ""); err == nil {
			t.Errorf("port %s is open to others", port)
		}
	}
	neverHeldUp(t, take, send)
	take.run(t, "systemctl stop provision-secure-metrics")
	do(3, "verify", "secure_metrics", "-l", "web1").tells(t, "the receiver lets this host in")
	take.run(t, "systemctl start provision-secure-metrics")
	do(0, "verify", "secure_metrics")

	// Shut out by one command, also on a connection that stands.
	stands := make(chan error, 1)
	go func() {
		_, err := send.try("exec 3<>/dev/tcp/127.0.0.1/2003; echo acceptance.stood 1 -1 >&3; timeout 60 cat <&3; [ $? != 124 ]", "")
		stands <- err
	}()
	eventually(t, "the connection", 10*time.Second, func() bool { return web.hasValue(t, "acceptance.stood", "1.0") })
	do(0, typed("install secure_metrics -l metrics1 -e 'secure_metrics.shut_out=[web1]'")...)
	if err := <-stands; err != nil {
		t.Errorf("the connection of who was shut out goes on: %v", err)
	}
	send.try("echo acceptance.out 1 -1 >/dev/tcp/127.0.0.1/2003", "")
	time.Sleep(3 * time.Second)
	if web.hasValue(t, "acceptance.out", "1.0") {
		t.Error("who was shut out goes on sending")
	}
}

// metricsPage is what docs/metrics.md has of each kind: the hosts of the test, and what is typed.
func metricsPage(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile("../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, block := range fenced(string(text)) {
		all[block.kind] += block.text
	}
	return all
}

// keysStay sees that a private key is where it was made, and nowhere else: neither on the other host nor
// in what this side has kept.
func keysStay(t *testing.T, cache string, hosts ...machine) {
	t.Helper()
	const key = "/etc/provision/secure_metrics/key.pem"
	if hosts[0].read(t, key) == hosts[1].read(t, key) {
		t.Error("both hosts have one key")
	}
	for _, host := range hosts {
		if mode := strings.TrimSpace(host.run(t, "stat -c '%a %U' "+key)); mode != "600 root" {
			t.Errorf("the key of %s is %s", host.Name, mode)
		}
	}
	err := filepath.WalkDir(cache, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		kept, err := os.ReadFile(path)
		if strings.Contains(string(kept), "PRIVATE KEY") {
			t.Errorf("%s has a key", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// neverHeldUp sees that an application does not wait for a receiver that is there, one that refuses, and
// one that has vanished without a word. Who does wait there, waits for five seconds and more.
func neverHeldUp(t *testing.T, take, send machine) {
	t.Helper()
	send.feed(t, "cat >/run/application.sh", application)
	measure := func(when, what string) {
		t.Helper()
		said := strings.TrimSpace(send.run(t, "bash /run/application.sh "+what))
		microseconds, err := strconv.Atoi(said)
		if took := time.Duration(microseconds) * time.Microsecond; err != nil || took > 4*time.Second {
			t.Errorf("the receiver %s: %s took %s %v", when, what, took, err)
		} else {
			t.Logf("the receiver %s: the slowest call of %q took %s", when, what, took)
		}
	}
	measure("is there", "connects 20")
	measure("is there", "keeps 2")
	take.run(t, "systemctl stop provision-secure-metrics")
	measure("refuses", "connects 20")
	take.run(t, "systemctl start provision-secure-metrics; until ss -Hltn | grep -q :12003; do sleep 0.1; done")
	// The rule goes by itself, whatever becomes of the test.
	take.run(t, `nft add table inet silence
nft add chain inet silence in '{ type filter hook input priority -10; }'
systemd-run -q --on-active=40 nft delete table inet silence
systemd-run -q --on-active=2 nft add rule inet silence in ip saddr `+send.Address.String()+` drop`)
	measure("vanishes", "keeps 20")
	measure("has vanished", "connects 20")
	take.run(t, "nft delete table inet silence")
}
