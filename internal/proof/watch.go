package proof

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// watch sees which files of a host are opened, from outside: the host has the same files under
// another mount (inotify(7)).
type watch struct {
	fd    int
	paths map[int32]string
}

func newWatch() (*watch, error) {
	fd, err := syscall.InotifyInit1(syscall.IN_CLOEXEC | syscall.IN_NONBLOCK)
	if err != nil {
		return nil, os.NewSyscallError("inotify_init1", err)
	}
	return &watch{fd, map[int32]string{}}, nil
}

func (w *watch) close() { syscall.Close(w.fd) }

// add watches a file of the host. A link on the way would lead out of it, into this machine: what is
// behind one is left out.
func (w *watch) add(root, path string) error {
	at := root
	for part := range strings.SplitSeq(strings.Trim(path, "/"), "/") {
		at = filepath.Join(at, part)
		info, err := os.Lstat(at)
		if errors.Is(err, fs.ErrNotExist) || err == nil && info.Mode()&fs.ModeSymlink != 0 {
			return nil
		}
		if err != nil {
			return err
		}
		if at == filepath.Join(root, path) && !info.Mode().IsRegular() {
			return nil
		}
	}
	number, err := syscall.InotifyAddWatch(w.fd, at, syscall.IN_OPEN|syscall.IN_DONT_FOLLOW)
	if err != nil {
		return os.NewSyscallError("inotify_add_watch", err)
	}
	w.paths[int32(number)] = path
	return nil
}

// opened are the files that were opened since they are watched.
func (w *watch) opened() (map[string]bool, error) {
	opened := map[string]bool{}
	buffer := make([]byte, 64<<10)
	for {
		n, err := syscall.Read(w.fd, buffer)
		if errors.Is(err, syscall.EAGAIN) {
			return opened, nil
		}
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if err != nil {
			return nil, os.NewSyscallError("read", err)
		}
		for at := 0; at+syscall.SizeofInotifyEvent <= n; {
			number := int32(binary.NativeEndian.Uint32(buffer[at:]))
			if path, watched := w.paths[number]; watched {
				opened[path] = true
			}
			at += syscall.SizeofInotifyEvent + int(binary.NativeEndian.Uint32(buffer[at+12:])) // the name's length
		}
	}
}
