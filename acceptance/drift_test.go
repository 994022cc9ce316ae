package acceptance

import (
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"provision/internal/lab"
	"provision/internal/lab/labtest"
)

// heard takes what is sent to a port of this machine, as carbon does, until the test ends.
func heard(t *testing.T) (port int, texts <-chan string) {
	t.Helper()
	listener, err := net.Listen("tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	all := make(chan string, 10)
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			text, _ := io.ReadAll(connection)
			connection.Close()
			all <- string(text)
		}
	}()
	return listener.Addr().(*net.TCPAddr).Port, all
}

// The units of examples/drift, on a host that watches itself and another: how much differs comes to Graphite
// when the timer says so, the unit has not failed for that, and the journal says what differs.
func TestDriftTimer(t *testing.T) {
	onItsDays(t, 0)
	t.Parallel()
	onEach(t, today(t), "labdrft", bare, func(t *testing.T, l *lab.Lab, host machine) {
		other := bare(t, l, host.Suite, host.Name+"b")
		port, texts := heard(t)
		carbon := fmt.Sprintf("%s:%d", labtest.Config().Network.Addr().Next(), port) // this machine, to them
		root := host.Root()
		copied := func(from, to string, mode os.FileMode, change ...string) {
			t.Helper()
			text, err := os.ReadFile(from)
			if err != nil {
				t.Fatal(err)
			}
			changed := strings.NewReplacer(change...).Replace(string(text))
			if len(change) > 0 && changed == string(text) {
				t.Fatalf("%s has no %s", from, change[0])
			}
			if err := os.WriteFile(filepath.Join(root, to), []byte(changed), mode); err != nil {
				t.Fatal(err)
			}
		}
		host.run(t, "useradd -m provision && install -d -o provision -m 700 /home/provision/.ssh && install -d /srv/provision/tasks")
		copied(executable(t), "/usr/local/bin/provision", 0o755)
		copied(l.Identity(), "/home/provision/.ssh/id_ed25519", 0o600)
		copied(l.KnownHosts(), "/home/provision/.ssh/known_hosts", 0o600)
		copied("../examples/drift/provision-drift.service", "/etc/systemd/system/provision-drift.service", 0o644, "127.0.0.1:2003", carbon)
		copied("../examples/drift/provision-drift.timer", "/etc/systemd/system/provision-drift.timer", 0o644, "OnCalendar=*:0/15", "OnActiveSec=1", "RandomizedDelaySec=60\n", "AccuracySec=1\n")
		host.feed(t, "cat >/srv/provision/hosts.yaml", fmt.Sprintf("hosts:\n  ops1: {address: root@%s, tasks: [motd]}\n  web.one: {address: root@%s, tasks: [motd]}\n", host.Address, other.Address))
		host.feed(t, "cat >/srv/provision/tasks/motd.star", "def build(v, host):\n    return [file(\"/etc/motd.d/of\", \"hosts.yaml's\\n\"), directory(\"/etc/motd.d\")]\n")
		for _, one := range []machine{host, other} {
			one.run(t, "install -d /etc/motd.d; echo \"hosts.yaml's\" >/etc/motd.d/of")
		}
		other.run(t, "echo by hand >/etc/motd.d/of")
		before := other.look(t)
		host.run(t, "chown -R provision: /home/provision; systemctl daemon-reload; systemctl enable --now provision-drift.timer")
		select {
		case text := <-texts:
			lines := ""
			for line := range strings.Lines(text) {
				lines += line[:strings.LastIndex(line, " ")] + "\n"
			}
			if want := "provision.drift.ops1 0\nprovision.unreachable.ops1 0\nprovision.drift.web_one 1\nprovision.unreachable.web_one 0\nprovision.hosts.known 2\nprovision.hosts.compared 2\n"; lines != want {
				t.Errorf("carbon was told\n%s", lines)
			}
		case <-time.After(time.Minute):
			t.Fatalf("carbon was told nothing:\n%s", host.run(t, "journalctl --no-pager -u provision-drift -u provision-drift.timer"))
		}
		eventually(t, "the unit has ended", 20*time.Second, func() bool {
			return strings.TrimSpace(host.run(t, "systemctl show -p ActiveState -p Result --value provision-drift.service")) == "success\ninactive"
		})
		if said := host.run(t, "journalctl --no-pager -o cat -u provision-drift"); !strings.Contains(said, "web.one  file /etc/motd.d/of  content differs") {
			t.Errorf("the journal says\n%s", said)
		}
		other.isAs(t, before, "after it was looked at", "debian")
	})
}
