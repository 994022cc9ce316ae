package run

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"provision/internal/engine"
	"provision/internal/remote"
	"provision/internal/script"
)

// ErrExit says that a command of exec ran and did not exit with 0.
var ErrExit = errors.New("exit status")

// cutOff says that a command of exec was stopped, as far as the host allows that.
type cutOff struct{}

func (cutOff) Error() string { return "interrupted: the command may still run there" }
func (cutOff) Unwrap() error { return context.Canceled }

// longestLine bounds a line of what a command prints: a longer one is cut into several.
const longestLine = 64 << 10

// Command is what exec runs on every host.
type Command struct {
	Text    string           // a command line for sh
	Root    bool             // else as the user who logs in
	User    string           // a user of the host, by way of root; "" is root himself
	Timeout time.Duration    // 0 is none
	Stdin   func() io.Reader // what each host's command reads; nil is nothing
}

// script is the command's whole text, for the shell of root or of the login user.
func (c Command) script() string {
	text := c.Text
	if c.Timeout > 0 {
		text = script.Within(c.Timeout.Seconds(), text)
	}
	if c.User != "" {
		text = script.AsUser(c.User, text)
	}
	return text
}

// graceTimeout is how much longer than a command's time a host has to tell of its end.
const graceTimeout = 15 * time.Second

// Exec returns the work of running a command on every host.
func Exec(command Command) Verb {
	return func(ctx context.Context, work []Work, settings Settings) ([]Result, error) {
		return reading(ctx, work, settings, func(ctx context.Context, j *job) {
			if j.connect(ctx) {
				j.finish(engine.StatusDone, j.exec(ctx, command))
			}
		})
	}
}

// exec runs a command and tells its output line by line, as it comes. Both streams are
// read to their end, and neither is kept.
func (j *job) exec(ctx context.Context, command Command) error {
	timedOut := fmt.Errorf("timed out after %s", command.Timeout)
	if command.Timeout > 0 {
		var done context.CancelFunc
		ctx, done = context.WithTimeoutCause(ctx, command.Timeout+graceTimeout, timedOut)
		defer done()
	}
	began := time.Now()
	process, err := j.host.connection.Start(ctx, remote.Command{Script: command.script(), Root: command.Root})
	if err != nil {
		return err
	}
	go func() { // which may wait for ever where the command does not read: its end frees it
		if command.Stdin != nil {
			io.Copy(process.Stdin, command.Stdin())
		}
		process.Stdin.Close()
	}()
	// sshd signals no command of root's, and tells of its end only when it ends by itself: so
	// the connection goes too (session_signal_req in OpenSSH's session.c).
	defer context.AfterFunc(ctx, func() {
		process.Kill()
		j.host.connection.Close()
	})()
	j.print(process)
	return j.outcome(ctx, process.Wait(), command.Timeout > 0 && time.Since(began) >= command.Timeout, timedOut)
}

// print tells what a command prints, until both of its streams have ended.
func (j *job) print(process *remote.Process) {
	var reading sync.WaitGroup
	tell := func(from io.Reader, isError bool) {
		lines := bufio.NewReaderSize(from, longestLine)
		for {
			line, err := lines.ReadSlice('\n')
			if len(line) > 0 {
				j.observe(engine.Printed{Line: strings.TrimRight(string(line), "\r\n"), Error: isError})
			}
			if err != nil && err != bufio.ErrBufferFull {
				return
			}
		}
	}
	reading.Go(func() { tell(process.Stdout, false) })
	reading.Go(func() { tell(process.Stderr, true) })
	reading.Wait()
}

// outcome says what a command's end was to who ran it. late says that it took all of its time, and
// timedOut is what to say then.
func (j *job) outcome(ctx context.Context, err error, late bool, timedOut error) error {
	var exit *remote.ExitError
	switch {
	case err != nil && context.Cause(ctx) == timedOut:
		return fmt.Errorf("%w, and the host does not say so: the command may still run there", timedOut)
	case err != nil && ctx.Err() != nil: // it was killed, however that shows
		return cutOff{}
	case late && errors.As(err, &exit) && script.TimedOut(exit.Code):
		return timedOut
	}
	if errors.As(err, &exit) && exit.Signal == "" {
		return fmt.Errorf("%w %d", ErrExit, exit.Code)
	}
	var refused *remote.Error
	if errors.Is(err, remote.ErrSudo) && errors.As(err, &refused) {
		withHint := *refused
		withHint.Hint += "; exec --no-sudo runs it as the login user"
		return &withHint
	}
	if errors.Is(err, remote.ErrLost) { // a reboot ends so, when the command outlives the connection
		return &remote.Error{
			What: j.Target.Name, Problem: "the connection was lost before the command ended: whether it did is unknown",
			Hint: "provision exec -H " + j.Target.Name + " -- uptime -s tells whether the host was rebooted", Kinds: []error{err},
		}
	}
	return err
}
