package remote

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"sync"
	"syscall"
)

// commandConn is a connection to a ProxyCommand's stdin and stdout.
type commandConn struct {
	net.Conn
	cmd  *exec.Cmd
	once sync.Once
}

// dialCommand runs a ProxyCommand on one end of a socket pair. It ends with the
// connection.
func dialCommand(command string) (net.Conn, error) {
	// Closed in other children from the start: one that is made at this moment would keep it open.
	pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("socketpair: %w", err)
	}
	ours, theirs := os.NewFile(uintptr(pair[0]), "proxy"), os.NewFile(uintptr(pair[1]), "proxy")
	defer ours.Close() // FileConn takes a copy
	defer theirs.Close()
	conn, err := net.FileConn(ours)
	if err != nil {
		return nil, fmt.Errorf("socketpair: %w", err)
	}
	cmd := exec.Command("/bin/sh", "-c", "exec "+command)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = theirs, theirs, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		conn.Close()
		return nil, fmt.Errorf("ProxyCommand: %w", err)
	}
	return &commandConn{Conn: conn, cmd: cmd}, nil
}

func (c *commandConn) Close() error {
	err := c.Conn.Close()
	c.once.Do(func() {
		syscall.Kill(-c.cmd.Process.Pid, syscall.SIGTERM)
		go c.cmd.Wait() // it has lost both its pipes
	})
	return err
}
