package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
)

// errOthers is a file, or a directory, that another account may have written.
var errOthers = errors.New("is another account's, or others may write it")

// ownCache is a directory of the person's cache. An account whose home is not there has none: to root, who could make
// that, it would be litter (/nonexistent of base-passwd).
func ownCache(name string) (string, error) {
	cache, err := os.UserCacheDir()
	if err == nil && os.Getenv("XDG_CACHE_HOME") == "" {
		_, err = os.Stat(filepath.Dir(cache)) // $HOME
	}
	return filepath.Join(cache, "provision", name), err
}

// readOwn returns what a file of the person's has, of most bytes at the most: neither a link nor what
// might be waited for, and nothing that another account could have written.
func readOwn(path string, most int64) ([]byte, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if info, err := file.Stat(); err != nil || !ours(info) || !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: %w", path, errors.Join(errOthers, err))
	}
	text, err := io.ReadAll(io.LimitReader(file, most+1))
	if err == nil && int64(len(text)) > most {
		err = fmt.Errorf("%s: is longer than %d bytes", path, most)
	}
	return text, err
}

// writeOwn writes a file that only the person can read: beside its place, and renamed. Its directory is
// made.
func writeOwn(path string, text []byte) error {
	file, err := createOwn(path)
	if err != nil {
		return err
	}
	defer file.Close()
	return placeOwn(file, path, text)
}

// createOwn makes a file beside a place, in a directory that only the person can write.
func createOwn(path string) (*os.File, error) {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	if info, err := os.Lstat(dir); err != nil || !ours(info) || !info.IsDir() {
		return nil, fmt.Errorf("%s: %w", dir, errors.Join(errOthers, err))
	}
	return os.CreateTemp(dir, ".new.*") // mode 0600
}

// placeOwn writes such a file, and puts it into its place. It stays open.
func placeOwn(file *os.File, path string, text []byte) error {
	_, err := file.Write(text)
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		os.Remove(file.Name())
	}
	return err
}

// ours reports whether nobody else can write something.
func ours(info os.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Geteuid() && info.Mode().Perm()&0o022 == 0
}
