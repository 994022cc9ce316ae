package journal_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"provision/internal/recipe"
)

func contextWithCancel(t *testing.T) (context.Context, context.CancelFunc) {
	t.Helper()
	return context.WithCancel(t.Context())
}

func TestOutputIsThatOfTheStepThatFailed(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	c := m.begin(t)
	for _, test := range []struct{ before, text, want string }{
		{"echo before", "echo out; echo err >&2; exit 3", "out\nerr\n"},
		{"printf 'no newline'", "printf 'none here either'; exit 3", "none here either\n"},
		{"echo", "echo; echo a; echo; echo; exit 3", "\na\n\n\n"},
		{"true", "exit 3", ""},
		{"true", `printf '\036batch\n\0361\n\036 batch\nx\036batch\n'; exit 3`, "\x1ebatch\n\x1e1\n\x1e batch\nx\x1ebatch\n"},
	} {
		failed := c.fails(t, run("before", test.before), run("it", test.text), run("after", "touch "+m.root+"/after"))
		if failed.Output != test.want || failed.Status != 3 || failed.Step.Step.Title() != "it" {
			t.Errorf("%s: step %q, status %d, output %q, want %q", test.text, failed.Step.Step.Title(), failed.Status, failed.Output, test.want)
		}
	}
	if exists(m.root + "/after") {
		t.Error("a step after the failed one was done")
	}
	if !slices.Contains(c.lines, "before") || !slices.Contains(c.lines, "no newline") {
		t.Errorf("lines told: %q", c.lines)
	}
	c.do(t, run("next batch", "touch "+m.root+"/next"))
	c.finish(t)
}

func TestOutputWithoutEndIsBounded(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	c := m.begin(t)
	failed := c.fails(t, run("much", "echo start; yes 0123456789abcdef | head -c 1000000; echo; echo end; exit 1"))
	if !strings.HasPrefix(failed.Output, "start\n0123") || !strings.HasSuffix(failed.Output, "end\n") || len(failed.Output) > 200<<10 {
		t.Errorf("%d bytes: %.20q … %q", len(failed.Output), failed.Output, failed.Output[len(failed.Output)-20:])
	}
	// Around the size of the reader's buffer, where a mark could be cut in two.
	for size := 32<<10 - 20; size < 32<<10+20; size += 3 {
		failed := c.fails(t, run("long line", fmt.Sprintf("head -c %d /dev/zero | tr '\\0' x; exit 1", size)))
		if failed.Output != strings.Repeat("x", size)+"\n" {
			t.Fatalf("%d bytes came as %d", size, len(failed.Output))
		}
	}
}

func TestStepCannotSpeakForTheRunner(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	c := m.begin(t)
	c.fails(t, run("forge", "echo 'end 1 0' >&3"))
	c.fails(t, run("read", "exec 2>/dev/null; read -r line && exit 0; exit 1"))
	c.do(t, run("still here", "true"))
}

func TestStepIsStoppedAfterItsTime(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	c := m.begin(t)
	began := time.Now()
	failed := c.fails(t, recipe.Exec{Name: "slow", Script: "sleep 600 & wait", Timeout: 300 * time.Millisecond})
	if failed.Status != 124 || !strings.Contains(failed.Output, "not done after 1 s") || time.Since(began) > 5*time.Minute {
		t.Errorf("status %d after %v, output %q", failed.Status, time.Since(began), failed.Output)
	}
}

func TestSecretsAreInNoArgumentAndNoJournal(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	c := m.begin(t)
	// Put together here, so that the test's own arguments do not have them.
	secret := fmt.Sprintf("in%d-$(id)'\"\\\n second line", os.Getpid())
	content := fmt.Sprintf("content%d", os.Getpid())
	hidden := file(m.root+"/hidden", content)
	hidden.Secret = true
	ended := c.background(t, hidden, recipe.Exec{
		Name:   "takes a secret",
		Script: "cat >" + m.root + "/got; while [ ! -e " + m.dir + "/looked ]; do sleep 0.05; done",
		Input:  recipe.NewSecret(secret),
	}, recipe.Rehearse{Unit: "x.service", Trees: []string{m.root}, Check: "sleep 0.3", Steps: []recipe.Step{hidden}})
	looks := 0
	for done := false; !done; {
		select {
		case err := <-ended:
			if err != nil {
				t.Fatalf("%v%s", err, outputOf(err))
			}
			done = true
		case <-time.After(10 * time.Millisecond):
			if looks++; looks == 5 {
				m.write(t, m.dir+"/looked", "")
			}
			processes, _ := filepath.Glob("/proc/[0-9]*/[ce][mn][dv]*")
			for _, path := range processes {
				seen, err := os.ReadFile(path) // cmdline, environ
				if text := string(seen); err == nil && (strings.Contains(text, secret[:8]) || strings.Contains(text, content)) {
					t.Errorf("%s: %.200q", path, text)
				}
			}
		}
	}
	if looks < 5 {
		t.Errorf("looked only %d times", looks)
	}
	if read(t, m.root+"/got") != secret {
		t.Errorf("got %q, want %q", read(t, m.root+"/got"), secret)
	}
	c.finish(t)
	for _, name := range []string{"runs/000001/journal", "runs/000001/kept/index"} {
		if text := read(t, m.state(name)); strings.Contains(text, secret[:8]) || strings.Contains(text, content) {
			t.Errorf("%s:\n%s", name, text)
		}
	}
}

func TestFullDiskKeepsTheOldFileAndIsNamed(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	small := m.root + "/small disk"
	if err := os.Mkdir(small, 0o755); err != nil {
		t.Fatal(err)
	}
	m.setup = "mount -t tmpfs -o size=64k,mode=0755 tmpfs '" + small + "' && echo old >'" + small + "/file' && echo se >'" + small + "/secret' || exit 99"
	c := m.begin(t)
	big := file(small+"/file", strings.Repeat("0123456789abcde\n", 8000))
	filled := big
	filled.Fill = map[string]string{"X": small + "/secret"}
	for _, step := range []recipe.Step{big, filled} {
		failed := c.fails(t, step)
		if !strings.Contains(failed.Output, small+"/file: the file system at "+small+" is full") {
			t.Errorf("said %q", failed.Output)
		}
	}
	seen := fmt.Sprintf("/proc/%d/root%s", c.process.Pid, small)
	if got := read(t, seen+"/file"); got != "old\n" {
		t.Errorf("the old file holds %.20q", got)
	}
	if entries, _ := os.ReadDir(seen); len(entries) != 2 {
		t.Errorf("left behind: %v", entries)
	}
	c.do(t, file(small+"/file", "fits\n"))
}

func TestFullStateDirectoryStopsBeforeTheChange(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.write(t, m.root+"/file", strings.Repeat("old", 100_000))
	m.setup = "mkdir /var/lib/provision && mount -t tmpfs -o size=64k tmpfs /var/lib/provision || exit 99"
	c := m.begin(t)
	c.do(t, file(m.root+"/small", "new")) // what is noted of the next one has room
	failed := c.fails(t, file(m.root+"/file", "new"))
	if !strings.Contains(failed.Output, "the file system at /var/lib/provision is full") {
		t.Errorf("said %q", failed.Output)
	}
	if !strings.HasPrefix(read(t, m.root+"/file"), "oldold") {
		t.Error("changed without a copy")
	}
	m.noTemporaries(t)
}

// A step that cannot be written down is not done.
func TestFullJournalStopsBeforeTheStep(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.setup = "mkdir /var/lib/provision && mount -t tmpfs -o size=64k tmpfs /var/lib/provision || exit 99"
	c := m.begin(t)
	c.do(t, run("fill the disk", "cat /dev/zero >/var/lib/provision/filler || :"))
	long := run(strings.Repeat("x", 5000), "touch "+m.root+"/touched")
	err := c.try(t.Context(), long)
	if err == nil || !strings.Contains(err.Error(), "the file system at /var/lib/provision is full") {
		t.Errorf("error %v", err)
	}
	if exists(m.root + "/touched") {
		t.Error("it was done all the same")
	}
}
