package journal_test

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"provision/internal/recipe"
	"provision/internal/script"
)

// history asks the machine for the runs that it remembers.
func (m *machine) history(t *testing.T) []script.Past {
	t.Helper()
	out, err := exec.Command("unshare", "-m", "--propagation", "private", "sh", "-c",
		"mount --bind "+m.dir+"/lib /var/lib && exec sh -c \"$0\"", script.History).Output()
	if err != nil {
		t.Fatal(err)
	}
	runs, err := script.ParseHistory(out)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := script.ParseHistory(out[:len(out)-5]); err == nil {
		t.Error("a history that breaks off is taken for one")
	}
	return runs
}

func TestHistory(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	odd := m.root + "/it's\n odd"
	m.write(t, odd, "old")
	c := m.begin(t)
	hidden := file(m.root+"/new", "x")
	hidden.Secret = true
	c.do(t, file(odd, "new"), hidden)
	c.fails(t, recipe.Remove{Path: "/proc/self"})
	c.finish(t)
	dead := m.begin(t)
	dead.do(t, run("a command", "true"))
	dead.kill(t)

	runs := m.history(t)
	if len(runs) != 2 || runs[0].Run != "000001" || runs[0].Outcome != "converged" || runs[1].Outcome != "" {
		t.Fatalf("runs %+v", runs)
	}
	first := runs[0]
	if len(first.Steps) != 2 || first.Steps[0].Path != odd || first.Steps[0].Secret || !first.Steps[1].Secret || !first.Changing() || runs[1].Changing() {
		t.Errorf("steps %+v", first.Steps)
	}
	if got := first.Kept[1]; got != (script.Kept{Kind: "file", Path: odd}) {
		t.Errorf("kept of step 1: %+v", got)
	}
	if got := first.Kept[2]; got != (script.Kept{Kind: "absent", Path: m.root + "/new"}) {
		t.Errorf("kept of step 2: %+v", got)
	}
	if got := read(t, m.dir+"/lib"+first.Copy(1)[len("/var/lib"):]); got != "old" {
		t.Errorf("the copy holds %q", got)
	}
}

func TestJournalHasTheHashOfThePlanThatIsDone(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	c := m.begin(t)
	if err := c.Replanned(t.Context(), "0123456789abcdef"); err != nil {
		t.Fatal(err)
	}
	c.do(t, file(m.root+"/file", "x"))
	c.finish(t)
	if runs := m.history(t); len(runs) != 1 || runs[0].Head.Plan != "0123456789abcdef" {
		t.Errorf("remembered: %+v", runs)
	}
}

// Each record is on the disk before anything that follows it, and is never written again.
func TestJournalIsAppendedAndSynced(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.fake(t, "sync", `case "$1" in */journal) cp "$1" `+m.dir+`/synced-$(wc -l <"$1") ;; esac
exec /usr/bin/sync "$@"
`)
	c := m.begin(t)
	seen := m.root + "/seen"
	c.do(t, run("look", "cat /var/lib/provision/runs/*/journal >"+seen), file(m.root+"/file", "x"))
	c.finish(t)
	whole := read(t, m.state("runs/000001/journal"))
	lines := strings.SplitAfter(strings.TrimSuffix(whole, "\n"), "\n")
	if len(lines) != 6 { // run, two steps that begin and end, finish
		t.Fatalf("journal:\n%s", whole)
	}
	for i := range lines {
		if got := read(t, fmt.Sprintf("%s/synced-%d", m.dir, i+1)); !strings.HasPrefix(whole, got) || strings.Count(got, "\n") != i+1 {
			t.Errorf("synced with %d lines:\n%s", i+1, got)
		}
	}
	if got := read(t, seen); strings.Count(got, "\n") != 2 || !strings.Contains(got, `"event":"begin","step":1,"kind":"execute","title":"look"`) {
		t.Errorf("a step sees\n%s", got)
	}
}
