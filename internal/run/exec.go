package run

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"provision/internal/engine"
	"provision/internal/remote"
)

// ErrExit says that a command of exec ran and did not exit with 0.
var ErrExit = errors.New("exit status")

// cutOff says that a command of exec was stopped, as far as the host allows that.
type cutOff struct{}

func (cutOff) Error() string { return "interrupted: the command may still run there" }
func (cutOff) Unwrap() error { return context.Canceled }

// longestLine bounds a line of what a command prints: a longer one is cut into several.
const longestLine = 64 << 10

// Exec returns the work of running one sh command line on every host.
func Exec(text string, root bool) func(context.Context, []Work, Settings) ([]Result, error) {
	return func(ctx context.Context, work []Work, settings Settings) ([]Result, error) {
		return reading(ctx, work, settings, func(ctx context.Context, j *job) {
			if j.connect(ctx) {
				j.finish(engine.StatusDone, j.exec(ctx, text, root))
			}
		})
	}
}

// exec runs a command and tells its output line by line, as it comes. Both streams are
// read to their end, and neither is kept.
func (j *job) exec(ctx context.Context, text string, root bool) error {
	process, err := j.host.connection.Start(ctx, remote.Command{Script: text, Root: root})
	if err != nil {
		return err
	}
	process.Stdin.Close()
	// sshd signals no command of root's, and tells of its end only when it ends by itself: so
	// the connection goes too (session_signal_req in OpenSSH's session.c).
	defer context.AfterFunc(ctx, func() {
		process.Kill()
		j.host.connection.Close()
	})()
	var reading sync.WaitGroup
	for _, stream := range []struct {
		from  io.Reader
		error bool
	}{{process.Stdout, false}, {process.Stderr, true}} {
		reading.Go(func() {
			lines := bufio.NewReaderSize(stream.from, longestLine)
			for {
				line, err := lines.ReadSlice('\n')
				if len(line) > 0 {
					j.observe(engine.Printed{Line: strings.TrimRight(string(line), "\r\n"), Error: stream.error})
				}
				if err != nil && err != bufio.ErrBufferFull {
					return
				}
			}
		})
	}
	reading.Wait()
	err = process.Wait()
	if err != nil && ctx.Err() != nil { // it was killed, however that shows
		return cutOff{}
	}
	var exit *remote.ExitError
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
