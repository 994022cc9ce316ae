package acceptance

import (
	"os"
	"strings"
	"testing"

	"provision/internal/lab"
)

// instances is a project with a task of which a host has several, each with a unit of its own.
var instances = map[string]string{
	"hosts.yaml": "vars:\n  page@blue.text: of blue\nhosts:\n  web1: {tasks: [page@blue, page@green]}\n",
	"tasks/base.star": `"""What pages stand on."""

def build(v, host):
    return [file("/etc/base", "base\n")]
`,
	"tasks/page.star": `"""A unit that has a text."""

variables = [var("text", str, default = "of all")]
needs = ["base"]

def build(v, host):
    unit = "page-" + v.instance + ".service"
    return [
        file("/etc/page-" + v.instance, v.text + "\n", notify = restart(unit)),
        file("/etc/systemd/system/" + unit, "[Service]\nExecStart=/bin/sh -c 'cat /etc/page-%s >/run/page-%s; exec sleep infinity'\n[Install]\nWantedBy=multi-user.target\n" % (v.instance, v.instance), notify = restart(unit)),
        service(unit),
    ]

def verify(v, host):
    return [runs("cat /run/page-" + v.instance, contains = v.text, within = "10s")]
`,
}

// Instances of one task are installed, proved, changed, taken back and removed each by itself; a task
// that is renamed has what was noted of it, and what came for it alone goes with it.
func TestOwnTaskInstances(t *testing.T) {
	onItsDays(t, 5)
	onEach(t, today(t), "labinst", bare, func(t *testing.T, _ *lab.Lab, host machine) {
		project := t.TempDir()
		writeProject(t, project, instances)
		inProject := func(args ...string) ended {
			c := command(t, append(args, "-l", host.Name)...)
			c.Dir = project
			return finish(t, c)
		}
		state := func() string {
			return host.run(t, "systemctl is-active page-blue page-green; cat /run/page-blue /run/page-green; ls /etc/base /etc/page-blue /etc/page-green 2>/dev/null; ls /var/lib/provision/wanted; :")
		}
		inProject("install", "page@blue", "page@green", "-y").exits(t, 0)
		if got := state(); !strings.HasPrefix(got, "active\nactive\nof blue\nof all\n") || !strings.Contains(got, "\npage@blue\npage@green") {
			t.Errorf("installed: %s", got)
		}
		inProject("install", "page@blue", "-y", "-e", "page@blue.text=another").exits(t, 0)
		inProject("verify", "page@blue", "-e", "page@blue.text=another").exits(t, 0)
		inProject("rollback", "page@blue", "-y").exits(t, 0)
		again := only(t, inProject("install", "page@blue", "page@green", "-y", "--json").exits(t, 0).events(t), "finished", host.Name)
		if again.Status != "same" {
			t.Errorf("taken back, and then: %s", again.Status)
		}
		removed := inProject("remove", "page@blue", "-y").exits(t, 0)
		if got := state(); !strings.HasPrefix(got, "inactive\nactive\n") || strings.Contains(got, "/etc/page-blue") || !strings.Contains(removed.stdout+removed.stderr, "base stays: page@green needs it") {
			t.Errorf("removed: %s\n%s", got, removed.stdout+removed.stderr)
		}

		writeProject(t, project, map[string]string{"hosts.yaml": "hosts:\n  web1: {tasks: [leaf@green]}\n", "tasks/leaf.star": "formerly = [\"page\"]\n" + instances["tasks/page.star"]})
		if err := os.Remove(project + "/tasks/page.star"); err != nil {
			t.Fatal(err)
		}
		started := host.run(t, "systemctl show -p InvocationID page-green")
		inProject("install", "leaf@green", "-y").exits(t, 0)
		if now := host.run(t, "systemctl show -p InvocationID page-green"); now != started {
			t.Errorf("a renamed task is started anew: %s, %s", started, now)
		}
		removed = inProject("remove", "leaf@green", "-y").exits(t, 0)
		if got := state(); !strings.HasPrefix(got, "inactive\ninactive\n") || strings.Contains(got, "/etc/") || !strings.Contains(removed.stdout+removed.stderr, "base goes too") {
			t.Errorf("all removed: %s\n%s", got, removed.stdout+removed.stderr)
		}
	})
}
