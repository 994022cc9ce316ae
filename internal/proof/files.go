package proof

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// Digests remembers what files held, so that of a whole file system only what changed is read again.
// Nobody can set a file's ctime (inode(7)). The device is another after each boot of a host, and its
// overlay's files keep the numbers that they have below it (overlayfs.rst, Inode properties).
type Digests map[identity]string

// identity is a file with a content: one that is written has another.
type identity struct {
	inode   uint64
	size    int64
	changed syscall.Timespec
}

// files reads a host's whole file system, from outside: /proc, /sys, /dev, /run and /tmp are
// mounted inside only.
func files(root string, digests Digests, into State) error {
	// Of one that is mounted no more all would look as if it were gone.
	if entries, err := os.ReadDir(root); err != nil || len(entries) == 0 {
		return fmt.Errorf("the host's file system: %s: nothing is there: %w", root, cmp.Or(err, fs.ErrNotExist))
	}
	return filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if os.IsNotExist(err) {
			return nil // gone since its folder was read
		}
		if err != nil {
			return err
		}
		text, err := describe(path, entry, digests)
		if os.IsNotExist(err) {
			return nil
		}
		if err != nil {
			return err
		}
		into[Thing{"file", "/" + strings.TrimPrefix(strings.TrimPrefix(path, root), "/")}] = text
		return nil
	})
}

// describe says kind, mode and owner of a file, then its size and digest, or where it leads.
func describe(path string, entry fs.DirEntry, digests Digests) (string, error) {
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
	case info.Mode()&fs.ModeDevice != 0:
		return fmt.Sprintf("%s %d", text, stat.Rdev), nil
	case info.Mode().IsRegular():
		it := identity{stat.Ino, stat.Size, stat.Ctim}
		digest, known := digests[it]
		if !known {
			if digest, err = digestOf(path); err != nil {
				return "", err
			}
			if digests != nil {
				digests[it] = digest
			}
		}
		return fmt.Sprintf("%s %d %s", text, info.Size(), digest), nil
	}
	return text, nil
}

func digestOf(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	digest := sha256.New()
	if _, err := io.Copy(digest, file); err != nil {
		return "", err
	}
	return fmt.Sprintf("%x", digest.Sum(nil)), nil
}
