package acceptance

import (
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// files are all files of a host by path: kind, mode, owner, size, digest or target.
type files map[string]string

// snapshot reads the host's whole file system, from outside: /proc, /sys, /dev, /run and
// /tmp are mounted inside only.
func (m machine) snapshot(t *testing.T) files {
	t.Helper()
	found := files{}
	root := m.Root()
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			if os.IsNotExist(err) {
				return nil // gone since its folder was read
			}
			return err
		}
		text, err := describe(path, entry)
		if err == nil {
			found["/"+strings.TrimPrefix(strings.TrimPrefix(path, root), "/")] = text
		} else if !os.IsNotExist(err) {
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func describe(path string, entry fs.DirEntry) (string, error) {
	info, err := entry.Info()
	if err != nil {
		return "", err
	}
	stat := info.Sys().(*syscall.Stat_t)
	text := fmt.Sprintf("%s %d:%d", info.Mode(), stat.Uid, stat.Gid)
	switch {
	case info.Mode()&fs.ModeSymlink != 0:
		target, err := os.Readlink(path)
		return text + " " + target, err
	case info.Mode().IsRegular():
		file, err := os.Open(path)
		if err != nil {
			return "", err
		}
		defer file.Close()
		digest := sha256.New()
		if _, err := io.Copy(digest, file); err != nil {
			return "", err
		}
		return fmt.Sprintf("%s %d %x", text, info.Size(), digest.Sum(nil)), nil
	}
	return text, nil
}

// changes lists what is different between two snapshots, but for the paths that an
// exception matches.
func (before files) changes(after files, except ...*regexp.Regexp) []string {
	var changed []string
	for _, path := range union(before, after) {
		if before[path] == after[path] || slices.ContainsFunc(except, func(e *regexp.Regexp) bool { return e.MatchString(path) }) {
			continue
		}
		changed = append(changed, fmt.Sprintf("%s: %q, was %q", path, after[path], before[path]))
	}
	return changed
}

func union(a, b files) []string {
	var paths []string
	for path := range a {
		paths = append(paths, path)
	}
	for path := range b {
		if _, both := a[path]; !both {
			paths = append(paths, path)
		}
	}
	slices.Sort(paths)
	return paths
}

// running matches what a running Debian writes by itself, whoever logs in: logs and the
// journal, who logged in when, systemd's and sudo's own state.
var running = regexp.MustCompile(`^/var/log/(journal/.*|[^/]*\.log|lastlog|wtmp|wtmp\.db|btmp|faillog)$` +
	`|^/var/lib/(systemd|sudo|private/systemd)(/|$)|^/var/lib/(wtmpdb|lastlog)/` +
	`|^/var/tmp/systemd-private-|^/tmp/systemd-private-|^/(root|home/[^/]+)/\.sudo_as_admin_successful$`)
