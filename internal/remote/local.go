package remote

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
)

// Local is this machine: the same methods, without SSH.
func Local(config Config) (*Connection, error) {
	return newConnection(localTransport{}, "localhost", os.Geteuid() == 0, config), nil
}

type localTransport struct{}

func (localTransport) start(_ context.Context, commandLine string) (stream, error) {
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
	return stream{
		stdin: stdin, stdout: stdout, stderr: stderr,
		wait: func() error { return localExit(cmd.Wait()) },
		kill: func() {
			syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
			stdin.Close()
			stdout.Close() // a root child of sudo outlives the signal: do not wait for it
			stderr.Close()
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

func (localTransport) dial(ctx context.Context, network, address string) (net.Conn, error) {
	var dialer net.Dialer
	return dialer.DialContext(ctx, network, address)
}

func (localTransport) close() error { return nil }
