package project

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"
)

// Bounds of the files of a project: they are against mistakes.
const (
	maxSource   = 1 << 20  // of a .star file
	maxContent  = 16 << 20 // of a template, of a file, and of what is written to a host
	maxArtifact = 1 << 30  // of a file that is sent as it is
	maxFiles    = 10_000   // in a folder that is sent
)

// source reads the files of a project, and none outside: neither .. nor an absolute name nor a
// link leads out of an os.Root.
type source struct{ root *os.Root }

func (s *source) open(folder string) error {
	root, err := os.OpenRoot(folder)
	s.root = root
	return err
}

func (s source) list(folder string) ([]fs.DirEntry, error) { return fs.ReadDir(s.root.FS(), folder) }

// is reports whether there is a file of that name.
func (s source) is(name string) bool {
	_, err := s.root.Lstat(name)
	return err == nil
}

// outside reports whether a link leads out of the project.
func (s source) outside(name string) bool {
	_, err := s.root.Stat(name)
	return err != nil && rootReason(err) == errOutside
}

// has reports whether a folder has a file of that form.
func (s source) has(folder, form string) bool {
	matches, err := fs.Glob(s.root.FS(), path.Join(folder, form))
	return err == nil && len(matches) > 0
}

var (
	errOutside     = errors.New("is outside of the project") // a name that leads there
	errDirectory   = errors.New("is a directory")
	errNoDirectory = errors.New("is no directory")
)

// regular opens a file that is no larger than most.
func (s source) regular(name string, most int64) (*os.File, error) {
	if strings.HasPrefix(name, "/") || !fs.ValidPath(path.Clean(name)) {
		return nil, errOutside
	}
	// Opening a FIFO would wait for a writer, but for O_NONBLOCK (fifo(7)).
	file, err := s.root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, rootReason(err)
	}
	info, err := file.Stat()
	switch {
	case err != nil:
		err = rootReason(err)
	case info.IsDir():
		err = errDirectory
	case !info.Mode().IsRegular():
		err = errors.New("is not a regular file")
	case info.Size() > most:
		err = tooLarge(most)
	default:
		return file, nil
	}
	file.Close()
	return nil, err
}

func tooLarge(most int64) error { return fmt.Errorf("is larger than %d MiB", most>>20) }

// read returns a file's bytes, and never more than most of them.
func (s source) read(name string, most int64) (string, error) {
	file, err := s.regular(name, most)
	if err != nil {
		return "", err
	}
	defer file.Close()
	var text strings.Builder
	if info, err := file.Stat(); err == nil {
		text.Grow(int(info.Size()))
	}
	read, err := io.Copy(&text, io.LimitReader(file, most+1))
	if read > most {
		return "", tooLarge(most)
	}
	return text.String(), err
}

// digest returns a file's size and its SHA-256, without holding it whole.
func (s source) digest(name string) (size int64, sum string, err error) {
	file, err := s.regular(name, maxArtifact)
	if err != nil {
		return 0, "", err
	}
	defer file.Close()
	hash := sha256.New()
	size, err = io.Copy(hash, io.LimitReader(file, maxArtifact+1))
	if size > maxArtifact {
		return 0, "", tooLarge(maxArtifact)
	}
	return size, hex.EncodeToString(hash.Sum(nil)), err
}

// walk goes through what is in a folder and below and is no directory, in the order of its names; the
// source that each is called with has the folder alone, and takes the name as it is. On the way to a file
// an os.Root opens each folder anew: of thousands of files a way that is short counts. A link is told and
// not followed.
func (s source) walk(folder string, each func(in source, name string, info fs.FileInfo) error) error {
	switch info, err := s.root.Stat(folder); {
	case err != nil:
		return err
	case !info.IsDir():
		return errNoDirectory
	}
	root, err := s.root.OpenRoot(folder)
	if err != nil {
		return err
	}
	defer root.Close()
	return fs.WalkDir(root.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		return each(source{root}, name, info)
	})
}

// rootReason says of an error of os.Root what it is about. The one of a name that leads
// outside has no value of its own (os.Root).
func rootReason(err error) error {
	if strings.HasSuffix(err.Error(), "path escapes from parent") {
		return errOutside
	}
	for _, known := range []error{fs.ErrNotExist, errNoDirectory} {
		if errors.Is(err, known) {
			return known
		}
	}
	return errors.New(reason(err))
}

// reason is an error without the path, which the message has already.
func reason(err error) string {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err.Error()
	}
	return err.Error()
}
