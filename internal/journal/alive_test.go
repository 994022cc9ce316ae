package journal_test

import (
	"bufio"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"provision/internal/engine"
	"provision/internal/journal"
)

// A controller that has nothing to say for minutes, for it uploads, shows that it is there
// well before the 60 s after which a host lets go of the lock.
func TestIdleControllerShowsLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		heard, stdin := io.Pipe()
		stdout, says := io.Pipe()
		stderr, prints := io.Pipe()
		began, last, longest := time.Now(), time.Now(), time.Duration(0)
		var ended string
		go func() {
			io.WriteString(says, "ready 000001 nonce boot 0\n")
			for lines := bufio.NewScanner(heard); lines.Scan(); last = time.Now() {
				longest = max(longest, time.Since(last))
				if ended = lines.Text(); strings.HasPrefix(ended, "finish ") {
					io.WriteString(says, "finished\n")
				}
			}
		}()
		session, err := journal.Begin(t.Context(), journal.Shell{
			Stdin: stdin, Stdout: stdout, Stderr: stderr, Wait: func() error { return nil }, Kill: func() {},
		}, nil, func(engine.Event) {})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(10*time.Minute + time.Second) // not at the moment of a sign of life
		if err := session.Finish(t.Context(), "converged"); err != nil {
			t.Fatal(err)
		}
		prints.Close()
		synctest.Wait()
		if longest > 30*time.Second || time.Since(began) < 10*time.Minute || !strings.HasPrefix(ended, "finish ") {
			t.Errorf("silent for %s; the last word was %q", longest, ended)
		}
	})
}
