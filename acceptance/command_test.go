package acceptance

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"provision/internal/lab/labtest"
	"provision/internal/report/reporttest"
)

// ended is how a command ended.
type ended struct {
	line           string
	code           int
	stdout, stderr string
}

// provision runs the command as somebody with an empty home would, in an empty folder.
func provision(t *testing.T, args ...string) ended {
	t.Helper()
	return finish(t, command(t, args...))
}

func command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	home, path := t.TempDir(), executable(t)
	c := exec.CommandContext(t.Context(), path, args...)
	c.Dir = home
	c.Env = []string{
		"HOME=" + home, "NO_COLOR=1", "LANG=C.UTF-8",
		"PATH=" + filepath.Dir(path) + ":" + os.Getenv("PATH"),
		"GORACE=halt_on_error=1", // else a race is told at the end, and only if that is a good one
		"PROVISION_LAB_DIR=" + labtest.Config().Dir,
	}
	return c
}

func finish(t *testing.T, c *exec.Cmd) ended {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if c.Stdout == nil {
		c.Stdout, c.Stderr = &stdout, &stderr
	}
	err := c.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("%s: %v", c, err)
	}
	return ended{strings.Join(append([]string{"provision"}, c.Args[1:]...), " "), c.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// exits ends the test when the command did not end with that code.
func (e ended) exits(t *testing.T, code int) ended {
	t.Helper()
	if e.code != code {
		t.Fatalf("%s\nexit code %d, want %d\n%s\n%s", e.line, e.code, code, tail(e.stdout, 6000), tail(e.stderr, 6000))
	}
	return e
}

func tail(text string, n int) string { return text[max(0, len(text)-n):] }

// event is a line of --json, with the fields that are looked at here.
type event struct {
	Event     string
	Host      string
	Resources []resource
	resource
	Counts  struct{ Create, Update, Delete, Act, Maybe, Same int }
	Title   string
	Name    string
	Passed  bool
	Error   string
	Status  string
	Changed int
	Same    int
	Again   string
	Text    string
}

// resource is one of a plan, or one that was changed.
type resource struct {
	Resource string
	Kind     string
	Until    string
	At       string
	Content  *struct{ Form, Diff string }
}

// longestLine of --json is a plan's, with the content of all files.
const longestLine = 8 << 20

// events parses what --json printed, all of which is as docs/json.schema.json says.
func (e ended) events(t *testing.T) []event {
	t.Helper()
	if err := reporttest.Check(e.stdout, e.code); err != nil {
		t.Errorf("%s: %v", e.line, err)
	}
	var events []event
	decoder := json.NewDecoder(strings.NewReader(e.stdout))
	for decoder.More() {
		var next event
		if err := decoder.Decode(&next); err != nil {
			t.Fatalf("%s: %v\n%s", e.line, err, tail(e.stdout, 2000))
		}
		events = append(events, next)
	}
	return events
}

// of returns the events of that name on that host.
func of(events []event, name, host string) []event {
	var found []event
	for _, e := range events {
		if e.Event == name && (host == "" || e.Host == host) {
			found = append(found, e)
		}
	}
	return found
}

// only is the one event of that name on that host.
func only(t *testing.T, events []event, name, host string) event {
	t.Helper()
	found := of(events, name, host)
	if len(found) != 1 {
		t.Fatalf("%d events %q of %s, want 1", len(found), name, host)
	}
	return found[0]
}
