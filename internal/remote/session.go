package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"

	"golang.org/x/crypto/ssh"
)

// sshTransport is an authenticated SSH connection.
type sshTransport struct {
	settings settings
	conn     *liveConn
	client   *ssh.Client
	below    *sshTransport // the jump host's, which others may share; nil without one
	own      *Dialer       // ends with this connection; nil where others share it
	done     chan struct{} // closed when the connection has ended

	mu    sync.Mutex
	cause error       // why it ended, where we know
	spare chan opened // the session that was opened for the next command, nil without one
}

// opened is a session, or why there is none.
type opened struct {
	session *ssh.Session
	err     error
}

var errSilent = errors.New("the host has stopped answering")

// watch ends the connection when the host gives no more sign of life.
func (t *sshTransport) watch() {
	go func() {
		t.end(t.client.Wait())
		close(t.done)
	}()
	if keepAlive(t.conn, t.client, t.settings.keepAlive, t.settings.keepAliveMax, t.done) {
		t.end(errSilent)
		t.conn.Close()
	}
}

// end notes why the connection ended: the first reason is the real one.
func (t *sshTransport) end(cause error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.cause == nil {
		t.cause = cause
	}
}

func (t *sshTransport) close() error {
	t.end(net.ErrClosed)
	err := t.client.Close()
	if errors.Is(err, net.ErrClosed) || errors.Is(err, io.EOF) {
		err = nil
	}
	if t.own != nil {
		err = errors.Join(err, t.own.Close())
	}
	return err
}

// lost is the error for a command whose exit status never came.
func (t *sshTransport) lost(err error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.cause != nil && t.cause != io.EOF {
		err = t.cause
	}
	return fmt.Errorf("%w (%w)", ErrLost, err)
}

// start costs two round trips, the channel and the exec request; and one where the command
// before was followed by this one.
func (t *sshTransport) start(ctx context.Context, commandLine string, followed bool) (stream, error) {
	type started struct {
		s   stream
		err error
	}
	result := make(chan started, 1)
	go func() {
		s, err := t.exec(commandLine, followed)
		result <- started{s, err}
	}()
	select {
	case o := <-result:
		return o.s, o.err
	case <-ctx.Done():
		go func() { // the answer may still come
			if o := <-result; o.err == nil {
				o.s.kill()
			}
		}()
		return stream{}, fmt.Errorf("%w (%w)", ErrLost, context.Cause(ctx))
	}
}

func (t *sshTransport) exec(commandLine string, followed bool) (stream, error) {
	session, spare, err := t.session()
	if err != nil {
		return stream{}, t.refusedChannel(err)
	}
	if followed {
		t.open()
	}
	running, err := t.run(session, commandLine)
	// A spare that the server has closed since (ChannelTimeout in sshd_config(5)): it takes no
	// request, and has run nothing.
	if spare && errors.Is(err, io.EOF) && !t.ended() {
		if session, err = t.client.NewSession(); err != nil {
			return stream{}, t.refusedChannel(err)
		}
		running, err = t.run(session, commandLine)
	}
	if err == nil {
		return running, nil
	}
	if t.ended() {
		return stream{}, t.lost(err)
	}
	return stream{}, &Error{What: t.settings.alias, Problem: "the server refuses to run a command: " + err.Error(),
		Hint: "see ForceCommand and the account's restrictions in sshd_config and authorized_keys", Kinds: []error{ErrNotStarted, err}}
}

// open opens a session for the next command, beside what is under way, unless one is there.
func (t *sshTransport) open() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.spare != nil {
		return
	}
	spare := make(chan opened, 1)
	go func() {
		session, err := t.client.NewSession()
		spare <- opened{session, err}
	}()
	t.spare = spare
}

// session returns the spare one. Where there is none, or the server did not open it because as
// many run as may (MaxSessions), it opens one now.
func (t *sshTransport) session() (session *ssh.Session, spare bool, err error) {
	t.mu.Lock()
	waiting := t.spare
	t.spare = nil
	t.mu.Unlock()
	if waiting != nil {
		if o := <-waiting; o.err == nil {
			return o.session, true, nil
		}
	}
	session, err = t.client.NewSession()
	return session, false, err
}

// run has a session run a command line.
func (t *sshTransport) run(session *ssh.Session, commandLine string) (stream, error) {
	stdin, _ := session.StdinPipe() // these three fail only when called twice
	stdout, _ := session.StdoutPipe()
	stderr, _ := session.StderrPipe()
	if err := session.Start(commandLine); err != nil {
		session.Close()
		return stream{}, err
	}
	return stream{
		stdin: stdin, stdout: stdout, stderr: stderr,
		wait: func() error { return t.exit(session.Wait()) },
		kill: func() {
			session.Signal(ssh.SIGKILL) // sshd from OpenSSH 7.9 on heeds it; the rest sees its pipes closed
			session.Close()
		},
		release: func() { session.Close() },
	}, nil
}

func (t *sshTransport) exit(err error) error {
	var exit *ssh.ExitError
	switch {
	case err == nil:
		return nil
	case !errors.As(err, &exit):
		return t.lost(err) // ExitMissingError among others
	case exit.Signal() != "":
		return &ExitError{Code: -1, Signal: exit.Signal()}
	}
	return &ExitError{Code: exit.ExitStatus()}
}

// refusedChannel is the error for a session that the server does not open.
func (t *sshTransport) refusedChannel(err error) error {
	var refused *ssh.OpenChannelError
	if !errors.As(err, &refused) {
		return t.lost(err)
	}
	return &Error{What: t.settings.alias, Problem: "the server opens no session: " + refused.Message,
		Hint: "sshd's MaxSessions bounds the commands that run at the same time", Kinds: []error{ErrNotStarted, err}}
}

func (t *sshTransport) ended() bool {
	select {
	case <-t.done:
		return true
	default:
		return false
	}
}

func (t *sshTransport) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := t.client.DialContext(ctx, network, address)
	if err != nil {
		return nil, fmt.Errorf("%s: connect to %s: %w", t.settings.alias, address, err)
	}
	return conn, nil
}
