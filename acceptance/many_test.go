package acceptance

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"provision/internal/lab/labtest"
)

// TestOneOfThreeIsDown runs on three hosts at once, one of them down, and then the command
// that the summary names.
func TestOneOfThreeIsDown(t *testing.T) {
	t.Parallel()
	l := labtest.Open(t)
	hosts := append(boot(t, l, "bookworm", "labacc1", "labacc2"), boot(t, l, "trixie", "labacc3")...)
	if err := l.Down(t.Context(), "labacc2"); err != nil {
		t.Fatal(err)
	}
	run := provision(t, "install", "nginx", "-y", "-H", names(hosts)).exits(t, 4)
	_, again, found := strings.Cut(run.stderr, "again: ")
	again, _, _ = strings.Cut(again, "\n")
	if want := "provision install nginx -y -H labacc2"; !found || again != want {
		t.Fatalf("again: %q, want %q in\n%s", again, want, run.stderr)
	}
	for _, host := range []machine{hosts[0], hosts[2]} {
		provision(t, "plan", "nginx", "--detailed-exitcode", "-H", host.Name).exits(t, 0)
	}
	if _, err := l.Up(t.Context(), []string{"labacc2"}, ""); err != nil {
		t.Fatal(err)
	}
	shell := command(t)
	shell.Path, shell.Args = "/bin/sh", []string{"sh", "-c", again}
	if _, err := exec.LookPath("provision"); err == nil {
		t.Log("another provision is installed here: the one that was built comes first in PATH")
	}
	finish(t, shell).exits(t, 0)
	provision(t, "plan", "nginx", "--detailed-exitcode", "-H", names(hosts)).exits(t, 0)
	provision(t, "verify", "nginx", "-H", names(hosts)).exits(t, 0)
	refusedWhereItChanged(t, hosts[0], hosts[2])
}

// refusedWhereItChanged applies a plan of two hosts, of which one has changed since: that one is refused and
// left as it is, and the other one gets just what the plan says.
func refusedWhereItChanged(t *testing.T, changed, same machine) {
	t.Helper()
	const file = "/etc/nginx/conf.d/provision.conf"
	wantedOfChanged, wanted := changed.read(t, file), same.read(t, file)
	for _, host := range []machine{changed, same} {
		host.run(t, "echo '# by hand' >>"+file)
	}
	plan := filepath.Join(t.TempDir(), "friday.plan")
	made := provision(t, "plan", "nginx", "--out", plan, "-H", changed.Name+","+same.Name).exits(t, 0)
	for _, host := range []machine{changed, same} {
		if shown := provision(t, "show", plan).exits(t, 0); !strings.Contains(shown.stdout, host.Name) || !strings.HasSuffix(shown.stdout, made.stdout) {
			t.Errorf("shown\n%s\nthe plan was\n%s", shown.stdout, made.stdout)
		}
	}
	changed.run(t, "echo '# once more' >>"+file)
	applied := provision(t, "apply", plan).exits(t, 5)
	if want := changed.Name + ": " + plan + ": the host changed since the plan was made"; !strings.Contains(applied.stderr, want) {
		t.Errorf("not told: %q in\n%s", want, applied.stderr)
	}
	if now := changed.read(t, file); now != wantedOfChanged+"# by hand\n# once more\n" {
		t.Errorf("%s was refused, and has\n%s", changed.Name, now)
	}
	if now := same.read(t, file); now != wanted {
		t.Errorf("%s has\n%s\nwant\n%s", same.Name, now, wanted)
	}
}
