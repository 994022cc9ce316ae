package journal_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"provision/internal/engine"
	"provision/internal/journal"
	"provision/internal/recipe"
	"provision/internal/script"
)

// machine is this machine as a run sees it from a mount namespace of its own: /var/lib and
// /usr/sbin are directories of the test. As /usr/sbin is the first in the runner's PATH,
// what stands there goes before the real commands.
type machine struct {
	dir  string // of the test
	root string // files for the steps
	// setup is sh that is run in the namespace first.
	setup string
}

func newMachine(t testing.TB) *machine {
	t.Helper()
	needNamespaces(t)
	dir := t.TempDir()
	m := &machine{dir: dir, root: dir + "/root"}
	for _, name := range []string{"root", "lib", "sbin"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

// needNamespaces skips a test where mount namespaces are not to be had; never in CI as root.
func needNamespaces(t testing.TB) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root, for mount namespaces")
	}
	if out, err := exec.Command("unshare", "-m", "--propagation", "private", "true").CombinedOutput(); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("unshare -m: %v: %s", err, out)
		}
		t.Skipf("unshare -m: %v: %s", err, out)
	}
}

// fake puts a command in front of the real one.
func (m *machine) fake(t testing.TB, name, text string) {
	t.Helper()
	m.write(t, m.dir+"/sbin/"+name, "#!/bin/sh\n"+text)
	if err := os.Chmod(m.dir+"/sbin/"+name, 0o755); err != nil {
		t.Fatal(err)
	}
}

func (m *machine) write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// state is a path of the machine's own memory.
func (m *machine) state(name string) string { return m.dir + "/lib/provision/" + name }

// attempt is how a run is begun.
type attempt struct {
	by       string
	patience time.Duration
	silence  time.Duration
	question []recipe.Probe
}

// client is the controller's side of a run.
type client struct {
	*journal.Session
	shell   journal.Shell
	process *os.Process
	number  int

	mu    sync.Mutex
	notes []string
	lines []string
}

// start starts the runner, without a session.
func (m *machine) start(t testing.TB, a attempt) (*exec.Cmd, journal.Shell) {
	t.Helper()
	if a.by == "" {
		a.by = "me@here"
	}
	run := script.Run{Holder: a.by, Header: `{"event":"run"}`, Patience: a.patience, Silence: a.silence}
	if len(a.question) > 0 {
		run.Question = script.Probe(a.question)
	}
	text := script.Runner(run)
	namespace := "umask 077\nmount --bind " + m.dir + "/lib /var/lib && mount --bind " + m.dir + "/sbin /usr/sbin || exit 99\n" +
		m.setup + "\nexec sh -c \"$0\""
	cmd := exec.Command("unshare", "-m", "--propagation", "private", "sh", "-c", namespace, text)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	wait := sync.OnceValue(cmd.Wait)
	t.Cleanup(func() {
		cmd.Process.Kill()
		wait()
	})
	upload := func(_ context.Context, artifact recipe.Artifact, path string, _ func(int64)) error {
		path = strings.Replace(path, "/var/lib", m.dir+"/lib", 1) // as the run sees it
		content, err := os.ReadFile(artifact.Source)
		if err != nil {
			return err
		}
		return os.WriteFile(path, content, 0o600)
	}
	return cmd, journal.Shell{
		Stdin: stdin, Stdout: stdout, Stderr: stderr, Wait: wait,
		Kill: func() { cmd.Process.Kill() }, Upload: upload,
	}
}

func (m *machine) tryBegin(t testing.TB, a attempt) (*client, error) {
	t.Helper()
	cmd, shell := m.start(t, a)
	c := &client{process: cmd.Process, shell: shell}
	session, err := journal.Begin(t.Context(), shell, a.question, c.observe)
	c.Session = session
	return c, err
}

func (m *machine) begin(t testing.TB) *client {
	t.Helper()
	c, err := m.tryBegin(t, attempt{patience: 2 * time.Minute})
	if err != nil {
		t.Fatalf("begin: %v", err)
	}
	return c
}

func (c *client) observe(event engine.Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch event := event.(type) {
	case engine.Note:
		c.notes = append(c.notes, event.Text)
	case engine.Output:
		c.lines = append(c.lines, event.Line)
	}
}

// try does steps, numbered on.
func (c *client) try(ctx context.Context, steps ...recipe.Step) error {
	var numbered []recipe.Numbered
	for _, step := range steps {
		c.number++
		numbered = append(numbered, recipe.Numbered{Number: c.number, Resource: "test", Step: step})
	}
	_, err := c.Do(ctx, numbered, nil, c.observe)
	return err
}

func (c *client) do(t testing.TB, steps ...recipe.Step) {
	t.Helper()
	if err := c.try(t.Context(), steps...); err != nil {
		t.Fatalf("%v%s", err, outputOf(err))
	}
}

// fails does steps of which one has to fail, and returns what that one printed.
func (c *client) fails(t testing.TB, steps ...recipe.Step) *engine.StepError {
	t.Helper()
	err := c.try(t.Context(), steps...)
	var failed *engine.StepError
	if !errors.As(err, &failed) {
		t.Fatalf("error %v, want a failed step", err)
	}
	return failed
}

func outputOf(err error) string {
	var failed *engine.StepError
	if errors.As(err, &failed) {
		return "\n" + failed.Output
	}
	return ""
}

func (c *client) finish(t testing.TB) {
	t.Helper()
	if err := c.Finish(t.Context(), "converged"); err != nil {
		t.Fatalf("finish: %v", err)
	}
}

// kill ends the runner alone, at once: what it started goes on.
func (c *client) kill(t testing.TB) {
	t.Helper()
	if err := c.process.Kill(); err != nil {
		t.Fatal(err)
	}
	c.shell.Wait()
}

// background does steps while the test goes on; the channel gives their error.
func (c *client) background(t testing.TB, steps ...recipe.Step) <-chan error {
	ended := make(chan error, 1)
	go func() { ended <- c.try(t.Context(), steps...) }()
	return ended
}

func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("still not: %s", what)
		}
	}
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

func read(t testing.TB, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// endProcess ends the process whose number is in a file: one that the test started.
func endProcess(t testing.TB, pidFile string) {
	t.Helper()
	pid, err := strconv.Atoi(strings.TrimSpace(read(t, pidFile)))
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the process is gone", func() bool {
		// An orphan is reaped by init, which may be slow or absent: a zombie is gone enough.
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		return err != nil || bytes.Contains(stat, []byte(") Z "))
	})
}

// noTemporaries fails when something is left beside the files.
func (m *machine) noTemporaries(t testing.TB) {
	t.Helper()
	err := filepath.WalkDir(m.dir, func(path string, _ os.DirEntry, err error) error {
		if strings.Contains(filepath.Base(path), ".provision") {
			t.Errorf("left behind: %s", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

var rootOwned = recipe.Attributes{Mode: 0o644, Owner: "root", Group: "root"}

func file(path, content string) recipe.WriteFile {
	return recipe.WriteFile{Path: path, Content: []byte(content), Attributes: rootOwned}
}

func run(name, text string) recipe.Exec { return recipe.Exec{Name: name, Script: text} }
