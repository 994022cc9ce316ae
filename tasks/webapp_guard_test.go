package tasks

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"provision/internal/recipe"
)

// guardTrial is what monit runs for an application, beside a systemctl and an answer that a test makes up.
type guardTrial struct {
	t      *testing.T
	folder string
}

func newGuardTrial(t *testing.T, raw map[string]any) guardTrial {
	t.Helper()
	raw["monit"] = true
	built := deployedWebapp(t, recipe.Platforms()[0], "", raw, "a")
	g := guardTrial{t, t.TempDir()}
	g.writes("guard.py", fileOf(t, built, "/etc/webapp/guard.py"))
	g.writes("real-ask.py", fileOf(t, built, "/etc/webapp/ask.py"))
	g.answers("sys.exit()")
	return g
}

func (g guardTrial) writes(name, text string) {
	g.t.Helper()
	if err := os.WriteFile(filepath.Join(g.folder, name), []byte(text), 0o755); err != nil {
		g.t.Fatal(err)
	}
}

func (g guardTrial) answers(text string) { g.writes("ask.py", "import sys\n"+text+"\n") }

func (g guardTrial) unit(state string, process int) {
	g.writes("systemctl", fmt.Sprintf("#!/bin/sh\n[ $1 = show ] || { echo \"$@\"; exit; }\necho MainPID=%d\necho ActiveState=%s\n", process, state))
}

// runs runs a program of it with Python, and returns what it says and its exit status.
func (g guardTrial) runs(words ...string) (string, int) {
	g.t.Helper()
	c := exec.CommandContext(g.t.Context(), "python3", append([]string{"-IB", filepath.Join(g.folder, words[0])}, words[1:]...)...)
	c.Env = append(os.Environ(), "PATH="+g.folder+":"+os.Getenv("PATH"))
	said, err := c.CombinedOutput()
	var ended *exec.ExitError
	if err != nil && !errors.As(err, &ended) {
		g.t.Fatal(err)
	}
	return string(said), c.ProcessState.ExitCode()
}

// "A hang, and a master that grows, are restarted by nobody": monit does, for what the limits of single workers do
// not see; and for nothing else.
func TestWebappsGuard(t *testing.T) {
	t.Parallel()
	g := newGuardTrial(t, map[string]any{"reload_on_rss": 16, "evil_reload_on_rss": 30, "processes": 1, "server": "gunicorn"})
	// Its workers are a process that has 36 MB and Python, of a main one that has little: the limit is nine tenths of 60.
	c := exec.CommandContext(t.Context(), "sh", "-c", `python3 -c 'import time; kept = b"x" * (36 << 20); print(flush=True); time.sleep(60)' & wait`)
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		syscall.Kill(-c.Process.Pid, syscall.SIGKILL)
	})
	if _, err := out.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, state, answer string
		process, exit       int
		says                string
	}{
		{"it is well", "active", "sys.exit()", c.Process.Pid, 0, "answers, and has 4"},
		{"somebody stopped it", "inactive", "sys.exit(2)", 0, 0, "is inactive: that is systemd's"},
		{"it starts", "activating", "sys.exit(2)", c.Process.Pid, 0, "is activating"},
		{"it hangs", "active", `print("/: no answer: timed out", file=sys.stderr); sys.exit(2)`, c.Process.Pid, 1, "does not answer: /: no answer: timed out"},
		{"its page has another status, which no restart mends", "active", "sys.exit('/ answers 404')", c.Process.Pid, 0, "answers, and has"},
	} {
		g.unit(test.state, test.process)
		g.answers(test.answer)
		if said, exit := g.runs("guard.py"); exit != test.exit || !strings.Contains(said, test.says) {
			t.Errorf("%s: exit status %d, says %q; want %d, %q", test.name, exit, said, test.exit, test.says)
		}
	}
	small := newGuardTrial(t, map[string]any{"reload_on_rss": 16, "memory_max": 40, "server": "gunicorn"})
	small.unit("active", c.Process.Pid)
	if said, exit := small.runs("guard.py"); exit != 1 || !strings.Contains(said, "MB, more than 36 MB") {
		t.Errorf("it is too large: %d %q", exit, said)
	}
	if said, exit := small.runs("guard.py", "restart"); exit != 0 || !strings.Contains(said, "restart -- webapp.service") {
		t.Errorf("what is too large is restarted: %d %q", exit, said)
	}
	g.unit("active", c.Process.Pid)
	g.answers("sys.exit(2)")
	if said, exit := g.runs("guard.py", "restart"); exit != 0 || c.Wait() == nil || c.ProcessState.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Errorf("what hangs is killed: %d %q: %s", exit, said, c.ProcessState)
	}
	small.unit("inactive", 0)
	if said, exit := small.runs("guard.py", "restart"); exit != 0 || strings.Contains(said, "restart -- ") {
		t.Errorf("what somebody stopped is restarted: %d %q", exit, said)
	}
	if said, exit := g.runs("real-ask.py", filepath.Join(g.folder, "no.sock")); exit != 2 || !strings.Contains(said, "no answer") {
		t.Errorf("nobody listens: %d %q", exit, said)
	}
}

// monit's own files are the same, whoever has it look after something: both go together on a host, and of two
// either may leave.
func TestMonitIsShared(t *testing.T) {
	for _, platform := range recipe.Platforms() {
		alerts := build(t, Alerts(), platform, nil)
		shop := deployedWebapp(t, platform, "shop", map[string]any{"monit": true, "server_names": []any{"shop.example.org"}}, "a")
		both, err := recipe.Join(alerts, shop)
		if err != nil {
			t.Fatal(err)
		}
		if err := both.Validate(); err != nil {
			t.Fatal(err)
		}
		host := bareHost(platform)
		if _, err := host.Converge(both); err != nil {
			t.Error(err)
		}
		for _, path := range []string{monitChecks + "/provision-alerts", monitChecks + "/provision-webapp-shop"} {
			if host.Facts.Path(path).Type != recipe.PathFile {
				t.Errorf("no %s", path)
			}
		}
	}
}

// monit -t refuses a program that is not there; on a host whose monit runs already it is asked about new checks
// before anything of them is in its place.
func TestMonitIsToldOfProgramsThatAreThere(t *testing.T) {
	platform := recipe.Platforms()[0]
	rule := map[string]any{"name": "load", "target": "load", "critical": "10"}
	for _, text := range []string{
		fileOf(t, build(t, Alerts(), platform, map[string]any{"rules": []any{rule}}), monitChecks+"/provision-alerts"),
		fileOf(t, deployedWebapp(t, platform, "", map[string]any{"monit": true}, "a"), monitChecks+"/provision-webapp"),
	} {
		programs := regexp.MustCompile(`(?:path|program =|exec) "([^ "]+)`).FindAllStringSubmatch(text, -1)
		if len(programs) < 2 {
			t.Errorf("programs are %q in\n%s", programs, text)
		}
		for _, program := range programs {
			if program[1] != "/usr/bin/env" { // of coreutils, on every host
				t.Errorf("%s may not be there", program[1])
			}
		}
	}
}
