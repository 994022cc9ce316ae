// Package listen opens the server's sockets: those that systemd hands over,
// and those of its own.
package listen

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// firstDescriptor is SD_LISTEN_FDS_START (sd_listen_fds(3)).
const firstDescriptor = 3

// Activated returns the sockets that systemd hands to this process: file
// descriptors from 3 on, LISTEN_FDS of them, meant for the process LISTEN_PID
// (sd_listen_fds(3)). There may be none.
func Activated(getenv func(string) string, pid int) ([]net.Listener, error) {
	return activated(getenv, pid, firstDescriptor)
}

func activated(getenv func(string) string, pid, first int) ([]net.Listener, error) {
	if getenv("LISTEN_PID") != strconv.Itoa(pid) {
		return nil, nil
	}
	count, err := strconv.Atoi(getenv("LISTEN_FDS"))
	if err != nil || count < 0 {
		return nil, fmt.Errorf("LISTEN_FDS: %q is no number of sockets", getenv("LISTEN_FDS"))
	}
	var listeners []net.Listener
	for descriptor := first; descriptor < first+count; descriptor++ {
		syscall.CloseOnExec(descriptor)
		file := os.NewFile(uintptr(descriptor), "LISTEN_FD_"+strconv.Itoa(descriptor))
		// FileListener duplicates the descriptor.
		listener, err := net.FileListener(file)
		file.Close()
		if err != nil {
			return nil, fmt.Errorf("socket %d of systemd: %w", descriptor, err)
		}
		listeners = append(listeners, listener)
	}
	return listeners, nil
}

// Open listens at unix:/path or HOST:PORT. A Unix socket that a dead process
// left is replaced; its mode is 0660.
func Open(address string) (net.Listener, error) {
	path, isUnix := strings.CutPrefix(address, "unix:")
	if !isUnix {
		return net.Listen("tcp", address)
	}
	if err := removeStale(path); err != nil {
		return nil, err
	}
	listener, err := net.Listen("unix", path)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, 0o660); err != nil {
		listener.Close()
		return nil, err
	}
	return listener, nil
}

// removeStale removes a socket where nobody listens.
func removeStale(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.Mode().Type() != fs.ModeSocket {
		return fmt.Errorf("listen unix:%s: there is a file that is no socket", path)
	}
	connection, err := net.Dial("unix", path)
	if err == nil {
		connection.Close()
		return fmt.Errorf("listen unix:%s: somebody else listens there", path)
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("listen unix:%s: %w", path, err)
	}
	return os.Remove(path)
}

// Check says what is wrong with an address for Open, without opening it.
func Check(address string) error {
	if path, isUnix := strings.CutPrefix(address, "unix:"); isUnix {
		if !strings.HasPrefix(path, "/") {
			return fmt.Errorf("%q: unix: needs an absolute path", address)
		}
		return nil
	}
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("%q is neither unix:/PATH nor HOST:PORT", address)
	}
	if number, err := strconv.Atoi(port); err != nil || number < 0 || number > 65535 {
		return fmt.Errorf("%q: bad port", address)
	}
	return nil
}
