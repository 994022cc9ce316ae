package remote

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"
)

// stream is a running command line, as a transport gives it.
type stream struct {
	stdin          io.WriteCloser
	stdout, stderr io.Reader
	wait           func() error // nil, *ExitError, or an error that wraps ErrLost
	kill           func()       // ends it, or cuts it off; both streams then end
	release        func()       // lets go of what it left behind, once it has ended
}

// Process is a command that runs on a host.
//
// Stdout and Stderr begin with the script's own first byte. Both must be read,
// at the same time, or the command may wait for ever to write. They end when
// the command has ended, whatever it left in the background, and also when the
// connection has died: only Wait tells which. What is written to Stdin waits
// until the script runs.
type Process struct {
	Stdin          io.WriteCloser
	Stdout, Stderr io.Reader

	stream         stream
	stdout, stderr *markReader
	name           string
	prefix         []byte        // the script, when it travels on stdin
	ready          chan struct{} // closed when Stdin is the script's, or never will be
	sudo           *sudo         // nil when nothing can ask for a password
	stopWatching   func() bool   // of the context

	noisy    atomic.Bool // too much was printed before the script began
	killOnce sync.Once
	waitOnce sync.Once
	waitErr  error
}

// Start starts a command. When ctx ends before the command does, the command is
// killed as far as the host allows it, and its channel closed.
func (c *Connection) Start(ctx context.Context, command Command) (*Process, error) {
	var elevation *sudo
	var flags []string
	if command.Root && !c.root {
		elevation = newSudo(c)
		flags = elevation.flags()
	}
	line := wrap(c.encodings.of(command.Script), c.token, flags)
	running, err := c.transport.start(ctx, line.commandLine, command.Followed)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.name, err)
	}
	p := &Process{
		stream: running,
		stdout: newMarkReader(running.stdout, c.token),
		stderr: newMarkReader(running.stderr, c.token),
		name:   c.name,
		prefix: line.stdin,
		ready:  make(chan struct{}),
		sudo:   elevation,
	}
	p.Stdin, p.Stdout, p.Stderr = &gatedWriter{p}, p.stdout, p.stderr
	p.stopWatching = context.AfterFunc(ctx, p.Kill)
	go p.search(p.stdout, nil)
	go p.search(p.stderr, p.answerSudo)
	go p.feed()
	return p, nil
}

// search waits for the script to begin. A login shell that prints on and on is ended.
func (p *Process) search(in *markReader, seen func([]byte)) {
	if in.search(seen) {
		p.noisy.Store(true)
		p.Kill()
	}
}

// answerSudo looks for sudo's prompt in what stderr brings before the mark.
func (p *Process) answerSudo(noise []byte) {
	if p.sudo == nil {
		return
	}
	if err := p.sudo.answer(noise, p.stream.stdin); err != nil {
		p.Kill()
	}
}

// feed opens Stdin to the caller: at once where the script's shell is the only
// one that can read it, else when the script's shell has said that it is there.
func (p *Process) feed() {
	defer close(p.ready)
	if p.sudo != nil {
		<-p.stdout.ended
	}
	if len(p.prefix) > 0 {
		p.stream.stdin.Write(p.prefix) // a failure shows in Wait
	}
}

// gatedWriter is Stdin.
type gatedWriter struct{ p *Process }

func (w *gatedWriter) Write(data []byte) (int, error) {
	<-w.p.ready
	return w.p.stream.stdin.Write(data)
}

func (w *gatedWriter) Close() error {
	<-w.p.ready
	return w.p.stream.stdin.Close()
}

// Kill ends the command as far as the host allows it, and cuts it off. A
// process that runs as root for another login cannot be signalled: it sees its
// pipes closed.
func (p *Process) Kill() { p.killOnce.Do(p.stream.kill) }

// Wait returns when the command has ended: nil for exit status 0, *ExitError
// for another, an error that wraps ErrLost when the connection ended first, one
// that wraps ErrSudo or ErrNotStarted when the script never began. It discards
// what was not read of Stdout and Stderr: read them to the end before.
func (p *Process) Wait() error {
	p.waitOnce.Do(func() {
		var draining sync.WaitGroup
		draining.Go(func() { io.Copy(io.Discard, p.Stdout) })
		draining.Go(func() { io.Copy(io.Discard, p.Stderr) })
		draining.Wait()
		err := p.ended()
		p.stopWatching()
		p.waitErr = p.explain(err)
	})
	return p.waitErr
}

// closesWithin is how long the end of a command may take to be told, once its last output
// came. It is only waited for where something it left behind holds its streams open.
const closesWithin = time.Second

// ended returns how the command ended, as soon as that is known. It has said so itself, unless
// it was killed or the connection was lost.
func (p *Process) ended() error {
	code, said := p.stdout.status()
	if !said {
		return p.stream.wait()
	}
	waited := make(chan error, 1)
	go func() { waited <- p.stream.wait() }()
	select {
	case err := <-waited:
		if !errors.Is(err, ErrLost) {
			return err
		}
	case <-time.After(closesWithin):
		p.stream.release()
	}
	if code != 0 {
		return &ExitError{Code: code}
	}
	return nil
}

// explain says why a script did not begin, where it did not.
func (p *Process) explain(err error) error {
	select {
	case <-p.stdout.found:
	default:
		if p.sudo != nil {
			if sudoErr := p.sudo.explain(err, p.stderr.Noise()); sudoErr != nil {
				return sudoErr
			}
		}
		if p.noisy.Load() {
			err = nil // it was ended for that
		}
		if !errors.Is(err, ErrLost) {
			return p.notStarted(err)
		}
	}
	var exit *ExitError
	if err != nil && !errors.As(err, &exit) {
		return fmt.Errorf("%s: %w", p.name, err)
	}
	return err
}

func (p *Process) notStarted(err error) error {
	said := lastLine(bytes.Join([][]byte{p.stdout.Noise(), p.stderr.Noise()}, []byte("\n")))
	problem := ErrNotStarted.Error()
	if p.noisy.Load() {
		problem += fmt.Sprintf(": the login shell printed more than %d KiB before it", mostNoise>>10)
	} else if said != "" {
		problem += fmt.Sprintf(": the login shell said %q", said)
	}
	return &Error{
		What: p.name, Problem: problem,
		Hint:  "the account needs a login shell that runs commands, and startup files that do not exit",
		Kinds: []error{ErrNotStarted, notItsExit(err)},
	}
}

// notItsExit drops an exit status that is not the script's, which never began: whoever looks
// for an *ExitError would take sudo's or the login shell's for its own.
func notItsExit(err error) error {
	var exit *ExitError
	if errors.As(err, &exit) {
		return nil
	}
	return err
}
