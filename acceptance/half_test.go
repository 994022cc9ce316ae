package acceptance

import (
	"strings"
	"testing"

	"provision/internal/lab"
)

// pairs is a task of which each thing stands there twice, the second for what goes.
const pairs = `"""Each kind twice: the first of two stays."""

def unit(name):
    return "[Service]\nExecStart=/bin/sleep infinity\n# " + name + "\n[Install]\nWantedBy=multi-user.target\n"

def build(v, host):
    everything = []
    for name in ["kept", "gone"]:
        everything.append([
            directory("/etc/" + name),
            directory("/var/lib/" + name, owner = "half", group = "half"),
            file("/etc/" + name + "/a", name + "\n", notify = restart(name + ".service")),
            file("/etc/" + ("motd" if name == "gone" else "motd.kept"), "It is " + name + ".\n"),
            link("/etc/" + name + "/link", "a"),
            line("/etc/hosts", "127.0.0.1 " + name + ".example.org"),
            block("/etc/bash.bashrc", name, "# a line of " + name + "\n"),
            authorized_key("half", KEYS[name], home = "/home/half"),
            membership("half", "audio" if name == "gone" else "video"),
            sysctl("net.ipv4.tcp_fin_timeout" if name == "gone" else "net.ipv4.tcp_keepalive_time", "61"),
            timer(name + "-report", "true", "daily"),
            command("make " + name, "echo made >/var/lib/" + name + "/made", unless = "test -s /var/lib/" + name + "/made", makes = ["/var/lib/" + name + "/made"]),
            file("/etc/systemd/system/" + name + ".service", unit(name), notify = restart(name + ".service")),
            service(name + ".service"),
        ])
    return everything

def verify(v, host):
    return [runs("systemctl is-active kept.service", contains = "active")]

KEYS = {
    "kept": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPh2cXb4JhXHYyF7GB2fzXk7qdLHAcRcjGOqIPuTKiLw kept",
    "gone": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINLhqIHMUUmS0gLSxIZkWXpj7aBFdEz4bSiq4ChQmyCW gone",
}
`

// Half of a task's resources are taken out of its file: the host is as if they had never been. With
// the whole task it becomes what it was before any of it.
func TestHalfOfATaskLeaves(t *testing.T) {
	onItsDays(t, 5)
	t.Parallel()
	onEach(t, today(t), "labhalf", bare, func(t *testing.T, _ *lab.Lab, host machine) {
		project := t.TempDir()
		does := func(text string, args ...string) {
			t.Helper()
			writeProject(t, project, map[string]string{"tasks/pairs.star": text})
			c := command(t, append(args, "-y", "-l", host.Name)...)
			c.Dir = project
			finish(t, c).exits(t, 0)
		}
		half := strings.Replace(pairs, `for name in ["kept", "gone"]`, `for name in ["kept"]`, 1)
		host.run(t, "useradd --create-home half; systemctl is-system-running --wait || :")
		before := host.look(t)
		does(half, "install", "pairs")
		alone := host.look(t)
		does(pairs, "install", "pairs")
		if got := host.run(t, "cat /etc/motd /var/lib/gone/made; systemctl is-active gone.service gone-report.timer"); got != "It is gone.\nmade\nactive\nactive\n" {
			t.Fatalf("the whole task has not come: %s", got)
		}
		does(half, "install", "pairs")
		host.isAs(t, alone, "half is gone", "debian", "stays")
		does(pairs, "install", "pairs")
		does(pairs, "remove", "pairs")
		host.isAs(t, before, "removed", "debian", "stays")
	})
}
