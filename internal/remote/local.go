package remote

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
)

// Local is this machine: the same methods, without SSH.
func Local(config Config) (*Connection, error) {
	open, end := context.WithCancel(context.Background())
	return newConnection(&localTransport{open: open, end: end}, "localhost", os.Geteuid() == 0, config), nil
}

// localTransport runs commands here. Closing it kills those that still run.
type localTransport struct {
	open context.Context
	end  func()
}

func (t *localTransport) start(_ context.Context, commandLine string, _ bool) (stream, error) {
	cmd := exec.Command("/bin/sh", "-c", commandLine)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // so that kill reaches the children, and a terminal's Ctrl-C does not
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return stream{}, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return stream{}, err
	}
	stderr, err := cmd.StderrPipe()
	if err != nil {
		return stream{}, err
	}
	if err := cmd.Start(); err != nil {
		return stream{}, fmt.Errorf("start /bin/sh: %w", err)
	}
	var ended atomic.Bool
	kill := func() {
		if ended.Load() {
			return // its number may be another's by now
		}
		syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		stdin.Close()
		stdout.Close() // a root child of sudo outlives the signal: do not wait for it
		stderr.Close()
	}
	stop := context.AfterFunc(t.open, kill)
	return stream{
		stdin: stdin, stdout: stdout, stderr: stderr, kill: kill,
		release: func() {}, // Wait closes the pipes
		wait: func() error {
			defer stop()
			err := cmd.Wait()
			ended.Store(true)
			return localExit(err)
		},
	}, nil
}

func localExit(err error) error {
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return err
	}
	status, ok := exit.Sys().(syscall.WaitStatus)
	if ok && status.Signaled() {
		return &ExitError{Code: -1, Signal: signalName(status.Signal())}
	}
	return &ExitError{Code: exit.ExitCode()}
}

// signalName is the name as SSH spells it (RFC 4254, 6.10): without SIG.
func signalName(signal syscall.Signal) string {
	names := map[syscall.Signal]string{
		syscall.SIGABRT: "ABRT", syscall.SIGALRM: "ALRM", syscall.SIGFPE: "FPE", syscall.SIGHUP: "HUP",
		syscall.SIGILL: "ILL", syscall.SIGINT: "INT", syscall.SIGKILL: "KILL", syscall.SIGPIPE: "PIPE",
		syscall.SIGQUIT: "QUIT", syscall.SIGSEGV: "SEGV", syscall.SIGTERM: "TERM",
		syscall.SIGUSR1: "USR1", syscall.SIGUSR2: "USR2",
	}
	if name, ok := names[signal]; ok {
		return name
	}
	return strings.ToUpper(signal.String())
}

func (t *localTransport) dial(ctx context.Context, network, address string) (net.Conn, error) {
	var dialer net.Dialer
	return dialer.DialContext(ctx, network, address)
}

func (t *localTransport) ended() bool { return t.open.Err() != nil }

func (t *localTransport) close() error {
	t.end()
	return nil
}
