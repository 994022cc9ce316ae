package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"provision/internal/script"
)

// checkOut refuses a place where no file of --out could be written, before the work for it is done.
func checkOut(path string) error {
	info, err := os.Lstat(path)
	switch {
	case err != nil:
	case info.IsDir():
		return usage(fmt.Errorf("--out %s: is a directory", path), "name a file in it")
	case !info.Mode().IsRegular(): // it is replaced: to root, /dev/null would be gone
		return usage(fmt.Errorf("--out %s: is there, and is no regular file", path), "name a file that is to be written, or replaced")
	}
	if info, err := os.Stat(filepath.Dir(path)); err != nil || !info.IsDir() {
		return usage(fmt.Errorf("--out %s: there is no directory %s", path, filepath.Dir(path)), "mkdir -p "+script.Quote(filepath.Dir(path)))
	}
	return nil
}

// writeOut writes the file of --out, which only the person can read: beside its place, and renamed.
func writeOut(path string, text []byte) error {
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*") // mode 0600
	if err != nil {
		return fmt.Errorf("--out %s: %w", path, err)
	}
	defer os.Remove(file.Name()) // gone already when all went well
	_, err = file.Write(text)
	err = errors.Join(err, file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("--out %s: %w", path, err)
	}
	return nil
}
