package lab

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// lock makes this process the only one that changes the lab.
func (l *Lab) lock(ctx context.Context) (unlock func(), err error) {
	file, err := l.lockFile(ctx, filepath.Join(l.config.Dir, "lock"))
	if err != nil {
		return nil, err
	}
	return func() { file.Close() }, nil
}

// lockFile waits for the lock on a file. The kernel frees it when its holder
// ends, however that happens (flock(2)).
func (l *Lab) lockFile(ctx context.Context, path string) (*os.File, error) {
	for told := false; ; told = true {
		file, err := tryLock(path)
		if errors.Is(err, fs.ErrPermission) {
			return nil, fmt.Errorf("%w: needs root: run it with sudo: %w", ErrMachine, err)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		if file != nil {
			return file, nil
		}
		if !told {
			l.progress("waiting for another lab command to end")
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("%s: held by another lab command: %w", path, ctx.Err())
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// tryLock returns nil when another process has the lock.
func tryLock(path string) (*os.File, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		file.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) || errors.Is(err, syscall.EINTR) {
			return nil, nil
		}
		return nil, err
	}
	// Destroy removes the file with the lab: then what we locked is not the lock any more.
	held, heldErr := file.Stat()
	current, err := os.Stat(path)
	if heldErr != nil || err != nil || !os.SameFile(held, current) {
		file.Close()
		return nil, nil
	}
	return file, nil
}
