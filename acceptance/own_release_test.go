package acceptance

import (
	"archive/tar"
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"provision/internal/lab"
)

const worker = `"""A worker, which is deployed."""
releases = "/opt/worker"

def build(v, host):
    unit = "worker.service"
    return [
        file("/etc/systemd/system/" + unit, "[Service]\nExecStart=/opt/worker/current/bin/worker\n[Install]\nWantedBy=multi-user.target\n", notify = restart(unit)),
        release("worker.tar", unpack = True, keep = 3, notify = restart(unit)),
        service(unit, needs = releases + "/current"),
    ]
`

// tarOf writes an archive with a program in it.
func tarOf(t *testing.T, file, program string) {
	t.Helper()
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	if err := w.WriteHeader(&tar.Header{Name: "bin/worker", Mode: 0o755, Size: int64(len(program)), Uid: 1234, Gid: 1234}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(program)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, archive.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// A task of one's own is deployed: each release beside the others, the one that does not run is taken
// back, and a release that is there runs again at a word.
func TestOwnRelease(t *testing.T) {
	onItsDays(t, 1)
	t.Parallel()
	onEach(t, today(t), "labrelease", bare, func(t *testing.T, _ *lab.Lab, host machine) {
		project := t.TempDir()
		writeProject(t, project, map[string]string{"tasks/worker.star": worker})
		for name, program := range map[string]string{
			"one.tar": "#!/bin/sh\necho one >/run/worker\nexec sleep infinity\n", "two.tar": "#!/bin/sh\necho two >/run/worker\nexec sleep infinity\n",
			"bad.tar": "#!/bin/sh\necho bad >/run/worker\nexit 1\n",
		} {
			tarOf(t, filepath.Join(project, name), program)
		}
		inProject := func(code int, args ...string) string {
			t.Helper()
			c := command(t, append(args, "-H", host.Name)...)
			c.Dir = project
			ended := finish(t, c).exits(t, code)
			return ended.stdout + ended.stderr
		}
		runs := func(want string) {
			t.Helper()
			if got := host.run(t, "cat /run/worker; systemctl is-active worker"); got != want+"\nactive\n" {
				t.Errorf("it runs %q, want %s", got, want)
			}
		}
		inProject(0, "install", "worker", "-y")
		inProject(0, "deploy", "worker", "--artifact", "one.tar", "-y")
		runs("one")
		one := strings.TrimSpace(host.run(t, "basename $(readlink /opt/worker/current); stat -c %U /opt/worker/current/bin/worker | grep -qx root"))
		inProject(0, "install", "worker", "-y")
		inProject(0, "plan", "worker", "--detailed-exitcode")
		inProject(0, "deploy", "worker", "--artifact", "two.tar", "-y")
		runs("two")
		inProject(3, "deploy", "worker", "--artifact", "bad.tar", "-y")
		runs("two")
		if listed := inProject(0, "releases", "worker"); !strings.Contains(listed, one) {
			t.Errorf("releases are %s, without %s", listed, one)
		}
		inProject(0, "rollback", "worker", "--to", one, "-y")
		runs("one")
	})
}
