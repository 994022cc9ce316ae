package acceptance

import (
	"os/exec"
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
}
