package project

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
)

// Bounds of the files of a project: they are against mistakes.
const (
	maxSource  = 1 << 20  // of a .star file
	maxContent = 16 << 20 // of a template, of a file, and of what is written to a host
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

// has reports whether a folder has a file of that form.
func (s source) has(folder, form string) bool {
	matches, err := fs.Glob(s.root.FS(), path.Join(folder, form))
	return err == nil && len(matches) > 0
}

// errOutside says that a name leads out of the project.
var errOutside = errors.New("is outside of the project")

// read returns a file's bytes, and never more than most of them.
func (s source) read(name string, most int64) (string, error) {
	if strings.HasPrefix(name, "/") || !fs.ValidPath(path.Clean(name)) {
		return "", errOutside
	}
	// Before it is opened: opening a FIFO would wait for a writer.
	info, err := s.root.Stat(name)
	switch {
	case err != nil:
		return "", rootReason(err)
	case info.IsDir():
		return "", errors.New("is a directory")
	case !info.Mode().IsRegular():
		return "", errors.New("is not a regular file")
	case info.Size() > most:
		return "", fmt.Errorf("is larger than %d MiB", most>>20)
	}
	file, err := s.root.Open(name)
	if err != nil {
		return "", rootReason(err)
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, most+1))
	if int64(len(data)) > most {
		return "", fmt.Errorf("is larger than %d MiB", most>>20)
	}
	return string(data), err
}

// rootReason says of an error of os.Root what it is about. The one of a name that leads
// outside has no value of its own (os.Root).
func rootReason(err error) error {
	if strings.HasSuffix(err.Error(), "path escapes from parent") {
		return errOutside
	}
	if errors.Is(err, fs.ErrNotExist) {
		return fs.ErrNotExist
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
