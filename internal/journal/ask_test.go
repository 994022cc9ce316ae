package journal_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"provision/internal/journal"
	"provision/internal/recipe"
)

// content asks for a file's.
func content(path string) []recipe.Probe { return []recipe.Probe{{Key: recipe.ContentKey(path)}} }

// A question goes over the run's own shell: its answer is exact, it sees what the steps did,
// and it holds neither the lock nor the way to the controller.
func TestAsk(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	c := m.begin(t)
	bytes := "\x00\x01end\x01\x00 \xff\n"
	c.do(t, file(m.root+"/file", bytes))
	guard := recipe.Probe{Key: recipe.CommandKey("guard"), Script: "(: >&3) 2>/dev/null || echo no way; (flock -n 9) 2>/dev/null || echo no lock; exit 3"}
	answer, err := c.Probe(t.Context(), append(content(m.root+"/file"), guard))
	if err != nil {
		t.Fatal(err)
	}
	if got := string(answer.Facts.Content(m.root + "/file").Bytes); got != bytes {
		t.Errorf("content %q, want %q", got, bytes)
	}
	if got := answer.Facts.Command("guard"); got.Exit != 3 || strings.TrimSpace(got.Output) != "no way\nno lock" {
		t.Errorf("the guard says %+v", got)
	}
	c.do(t, file(m.root+"/file", "goes on"))
	c.finish(t)
	if boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id"); err != nil || c.Boot != strings.TrimSpace(string(boot)) {
		t.Errorf("boot %q, want %q, %v", c.Boot, boot, err)
	}
}

// What follows steps is asked after the last of them, and not at all where one failed: what is
// asked then is another question.
func TestQuestionAfterSteps(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	c := m.begin(t)
	path := m.root + "/file"
	write := func(text string) []recipe.Numbered {
		c.number++
		return []recipe.Numbered{{Number: c.number, Resource: "test", Step: file(path, text)}}
	}
	found, err := c.Do(t.Context(), write("new"), content(path), c.observe)
	if err != nil || string(found.Content(path).Bytes) != "new" {
		t.Fatalf("found %v, %v", found, err)
	}
	c.number++
	fails := append(write("half"), recipe.Numbered{Number: c.number, Resource: "test", Step: run("fails", "exit 7")})
	if found, err = c.Do(t.Context(), fails, content(path), c.observe); err == nil || found != nil {
		t.Errorf("after a failure: found %v, %v", found, err)
	}
	if found, err = c.Do(t.Context(), write("back"), content(path), c.observe); err != nil || string(found.Content(path).Bytes) != "back" {
		t.Errorf("found %v, %v", found, err)
	}
	if found, err = c.Do(t.Context(), write("last"), nil, c.observe); err != nil || found != nil {
		t.Errorf("nothing was asked: found %v, %v", found, err)
	}
	if answer, err := c.Probe(t.Context(), content(path)); err != nil || string(answer.Facts.Content(path).Bytes) != "last" {
		t.Errorf("found %v, %v", answer.Facts, err)
	}
	c.finish(t)
}

// A question that fills the way to the host is not in the way of what the steps have to tell.
func TestLongQuestionAfterSteps(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	c := m.begin(t)
	long := recipe.Probe{Key: recipe.CommandKey("long"), Script: ": " + strings.Repeat("x", 100<<10) + "\nexit 4"}
	steps := []recipe.Numbered{{Number: 1, Resource: "test", Step: run("tells", "echo told; while [ ! -e "+m.root+"/heard ]; do sleep 0.1; done")}}
	ended := make(chan error, 1)
	go func() {
		found, err := c.Do(t.Context(), steps, []recipe.Probe{long}, c.observe)
		if err == nil && found.Command("long").Exit != 4 {
			t.Errorf("found %v", found)
		}
		ended <- err
	}()
	eventually(t, "the step is heard", func() bool { c.mu.Lock(); defer c.mu.Unlock(); return len(c.lines) > 0 })
	m.write(t, m.root+"/heard", "")
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	c.finish(t)
}

// The first question comes with the lock: who waits for it gets the answer as it is then.
func TestFirstQuestionIsAnsweredUnderTheLock(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	first := m.begin(t)
	path := m.root + "/file"
	_, shell := m.start(t, attempt{patience: time.Minute, question: content(path)})
	second := &client{shell: shell}
	began := make(chan error, 1)
	go func() {
		var err error
		second.Session, err = journal.Begin(t.Context(), shell, content(path), second.observe)
		began <- err
	}()
	eventually(t, "it waits", func() bool { second.mu.Lock(); defer second.mu.Unlock(); return len(second.notes) == 1 })
	first.do(t, file(path, "first"))
	first.finish(t)
	if err := <-began; err != nil {
		t.Fatal(err)
	}
	if got := string(second.Found.Facts.Content(path).Bytes); got != "first" {
		t.Errorf("found %q", got)
	}
	second.do(t, file(path, "second"))
	second.finish(t)
}
