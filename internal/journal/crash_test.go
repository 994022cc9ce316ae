package journal_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"provision/internal/journal"
	"provision/internal/recipe"
)

// blocked is a command that writes down its number and its parent's and waits, when its
// arguments match.
func (m *machine) blocked(t *testing.T, name, pattern string) {
	t.Helper()
	m.fake(t, name, `case "$*" in
`+pattern+`) echo $PPID >`+m.dir+`/parent; echo $$ >`+m.dir+`/blocked.new; mv `+m.dir+`/blocked.new `+m.dir+`/blocked; exec sleep 60 ;;
esac
exec /usr/bin/`+name+` "$@"
`)
}

func TestKilledInMidWrite(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		command, pattern string
		step             func(path string) recipe.Step
	}{
		"before the sync":        {"sync", "'./a file'*", func(path string) recipe.Step { return file(path, "new") }},
		"before the rename":      {"mv", "'-f -t .. -- ./a file'*", func(path string) recipe.Step { return file(path, "new") }},
		"before a link's rename": {"mv", "'-f -t .. -- ./a file'*", func(path string) recipe.Step { return recipe.MakeLink{Path: path, Target: "nowhere"} }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMachine(t)
			m.blocked(t, test.command, test.pattern)
			path := m.root + "/a file\n"
			m.write(t, path, "old")
			c := m.begin(t)
			ended := c.background(t, test.step(path))
			eventually(t, "blocked", func() bool { return exists(m.dir + "/blocked") })
			c.kill(t)
			err := <-ended
			if err == nil || !strings.Contains(err.Error(), test.step(path).Title()+": outcome unknown") {
				t.Errorf("error %v", err)
			}
			if read(t, path) != "old" {
				t.Error("the old file was touched")
			}

			// The orphan holds the lock; the next run names whose it was.
			_, err = m.tryBegin(t, attempt{by: "other@there"})
			if !errors.Is(err, journal.ErrLocked) || !strings.Contains(err.Error(), "me@here since 20") {
				t.Fatalf("error %v, want locked by me@here", err)
			}
			// As a power cut would: the step itself first, so that it does not clean up.
			endProcess(t, m.dir+"/parent")
			endProcess(t, m.dir+"/blocked")
			os.Remove(m.dir + "/sbin/" + test.command)

			again := m.begin(t)
			want := []string{"swept 1 temporary files of a run that died", "run 000001 on this host died before its end; this one picks up"}
			if !slices.Equal(again.notes, want) {
				t.Errorf("notes %q, want %q", again.notes, want)
			}
			m.noTemporaries(t)
			again.do(t, test.step(path))
			again.finish(t)
			third := m.begin(t)
			if len(third.notes) > 0 {
				t.Errorf("notes of the third run: %q", third.notes)
			}
		})
	}
}

func TestLockWaitsThenNamesItsHolder(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	holder := m.begin(t)
	c, err := m.tryBegin(t, attempt{by: "second@there", patience: time.Second})
	if !errors.Is(err, journal.ErrLocked) || !strings.Contains(err.Error(), "held by me@here since 20") {
		t.Errorf("error %v", err)
	}
	if len(c.notes) != 1 || !strings.HasPrefix(c.notes[0], "waiting for the lock, held by me@here since 20") {
		t.Errorf("notes %q", c.notes)
	}

	// One that waits gets it as soon as it is free.
	got := make(chan error, 1)
	go func() {
		third, err := m.tryBegin(t, attempt{patience: 5 * time.Minute})
		if err == nil {
			err = third.Finish(t.Context(), "converged")
		}
		got <- err
	}()
	time.Sleep(100 * time.Millisecond)
	holder.finish(t)
	if err := <-got; err != nil {
		t.Errorf("the one that waited: %v", err)
	}
	if exists(m.state("holder")) {
		t.Error("the holder's name is left")
	}
}

func TestLockDiesWithItsHolder(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	c := m.begin(t)
	c.do(t, file(m.root+"/file", "x"))
	c.kill(t) // while its controller lives, and its input is open
	again := m.begin(t)
	if want := []string{"run 000001 on this host died before its end; this one picks up"}; !slices.Equal(again.notes, want) {
		t.Errorf("notes %q", again.notes)
	}
}

func TestOrphanedStepKeepsTheLock(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	c := m.begin(t)
	ended := c.background(t, run("long", "echo $$ >"+m.dir+"/pid.new; mv "+m.dir+"/pid.new "+m.dir+"/pid; exec sleep 60"))
	eventually(t, "the step runs", func() bool { return exists(m.dir + "/pid") })
	c.kill(t)
	if err := <-ended; err == nil || !strings.Contains(err.Error(), "long: outcome unknown") {
		t.Errorf("error %v", err)
	}
	if _, err := m.tryBegin(t, attempt{}); !errors.Is(err, journal.ErrLocked) {
		t.Fatalf("error %v, want locked", err)
	}
	if journal := read(t, m.state("runs/000001/journal")); !strings.Contains(journal, `"event":"begin","step":1,"kind":"execute","title":"long"`) || strings.Contains(journal, `"end"`) {
		t.Errorf("journal:\n%s", journal)
	}
	endProcess(t, m.dir+"/pid")
	m.begin(t).finish(t)
}

func TestSilentHolderLetsGo(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	var holder *client
	for silence := 5 * time.Second; ; silence *= 2 { // a busy machine asks later than that
		var err error
		if holder, err = m.tryBegin(t, attempt{silence: silence, patience: time.Minute}); err != nil {
			t.Fatal(err)
		}
		second, err := m.tryBegin(t, attempt{})
		if errors.Is(err, journal.ErrLocked) {
			break
		}
		if err != nil || silence > 20*time.Second {
			t.Fatalf("error %v, want locked", err)
		}
		second.finish(t)
	}
	next, err := m.tryBegin(t, attempt{patience: 5 * time.Minute})
	if err != nil {
		t.Fatalf("the silent one did not let go: %v", err)
	}
	if err := holder.try(t.Context(), file(m.root+"/late", "x")); err == nil {
		t.Error("a holder that was given up still works")
	}
	if exists(m.root + "/late") {
		t.Error("it wrote without the lock")
	}
	next.finish(t)
}

func TestHolderThatSpeaksKeepsTheLock(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	for silence := 2 * time.Second; ; silence *= 2 { // of a busy machine the holder may be silent for so long
		c, err := m.tryBegin(t, attempt{silence: silence, patience: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		for range 12 {
			time.Sleep(silence / 8)
			io.WriteString(c.shell.Stdin, "alive\n")
		}
		if err = c.try(t.Context(), file(m.root+"/file", "x")); err == nil {
			c.finish(t)
			return
		}
		if silence > 20*time.Second {
			t.Fatal(err)
		}
	}
}

// A connection that breaks off while a batch is on its way leaves a script without its end,
// and what is left of "rm -rf -- /srv/app/releases/1" may be "rm -rf -- /srv".
func TestHalfABatchIsNotRun(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	cmd, shell := m.start(t, attempt{})
	said := make([]byte, 1)
	if _, err := shell.Stdout.Read(said); err != nil {
		t.Fatal(err)
	}
	io.WriteString(shell.Stdin, "run 1000\ntouch "+m.root+"/touched\n")
	shell.Stdin.Close()
	io.Copy(io.Discard, shell.Stdout)
	shell.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 74 {
		t.Errorf("exit status %d, want 74", code)
	}
	if exists(m.root + "/touched") {
		t.Error("it ran")
	}
}

func TestConnectionThatEndsLetsGo(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	c := m.begin(t)
	c.shell.Stdin.Close()
	c.shell.Wait()
	m.begin(t).finish(t)
}

func TestStopUnderWayEndsTheRunner(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	c := m.begin(t)
	other := make(chan error, 1)
	ctx, cancel := contextWithCancel(t)
	_, shell := m.start(t, attempt{patience: time.Minute})
	go func() {
		_, err := journal.Begin(ctx, shell, nil, c.observe)
		other <- err
	}()
	eventually(t, "it waits", func() bool { c.mu.Lock(); defer c.mu.Unlock(); return len(c.notes) == 1 })
	cancel()
	if err := <-other; !errors.Is(err, ctx.Err()) {
		t.Errorf("error %v", err)
	}
	c.finish(t)
}

func TestStateIsPrivateAndOldRunsGo(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	for i := range 60 {
		m.write(t, m.state("runs/0000"+string(rune('0'+i/10))+string(rune('0'+i%10))+"/journal"), "x")
	}
	os.Chmod(m.state(""), 0o755)
	c := m.begin(t)
	if c.Run != "000060" {
		t.Errorf("run %s, want 000060", c.Run)
	}
	c.finish(t)
	runs, _ := os.ReadDir(m.state("runs"))
	if len(runs) != 50 || runs[49].Name() != "000060" {
		t.Errorf("%d runs left", len(runs))
	}
	if stat, _ := os.Stat(m.state("")); stat.Mode().Perm() != 0o700 {
		t.Errorf("state has mode %v", stat.Mode())
	}
}

// Actions take no run away that a rollback may need: of them the newest stay beside.
func TestActionsPushOutNoRun(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	for i := range 70 {
		does := "do shop backup"
		if i < 10 {
			does = "install"
		}
		m.write(t, m.state(fmt.Sprintf("runs/%06d/journal", i)), `2026-11-29T12:00:00Z {"event":"run","by":"a \"does\":\"do ","does":"`+does+`"}`+"\n")
	}
	m.begin(t).finish(t)
	runs, _ := os.ReadDir(m.state("runs"))
	if len(runs) != 11+50 || runs[0].Name() != "000000" || runs[9].Name() != "000009" || runs[10].Name() != "000020" {
		t.Errorf("%d runs left: %v", len(runs), runs)
	}
}

// A step's daemon has the lock's descriptor too; once the run is over it must not count.
func TestDaemonThatAStepLeavesDoesNotKeepTheLock(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*testing.T, *client){
		"finished":            func(t *testing.T, c *client) { c.finish(t) },
		"silent":              func(_ *testing.T, c *client) { c.shell.Wait() },
		"its connection lost": func(_ *testing.T, c *client) { c.shell.Stdin.Close(); c.shell.Wait() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMachine(t)
			silence := time.Minute
			if name == "silent" {
				silence = 5 * time.Second
			}
			for ; ; silence *= 2 { // of a busy machine the holder may be silent for so long
				c, err := m.tryBegin(t, attempt{silence: silence, patience: time.Minute})
				if err != nil {
					t.Fatal(err)
				}
				if err = c.try(t.Context(), run("leaves a daemon", "sleep 600 >/dev/null 2>&1 & echo $! >"+m.dir+"/pid")); err == nil {
					end(t, c)
					break
				}
				if silence > 20*time.Second {
					t.Fatal(err)
				}
			}
			if _, err := m.tryBegin(t, attempt{}); err != nil {
				t.Error(err)
			}
			endProcess(t, m.dir+"/pid")
		})
	}
}
