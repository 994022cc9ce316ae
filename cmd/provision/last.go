package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"provision/internal/run"
)

// lastSaid keeps what hosts said of themselves in the person's cache, a file a host: nothing of it
// is secret. It implements run.Last. A file that is not there, is another account's or cannot be
// read is as none: then the host is asked as if for the first time.
type lastSaid struct {
	dir  string
	from string            // the inventory
	of   map[string]string // of hosts that are in none, by name: their addresses
}

// maxLast bounds such a file, in bytes.
const maxLast = 256 << 10

// saidBy is what a file holds.
type saidBy struct {
	Of string `json:"of"`
	run.Known
}

// lastSaid returns the cache for an errand; nil where the person has no place for one.
func (f *flags) lastSaid(e errand) run.Last {
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil
	}
	l := lastSaid{dir: filepath.Join(cache, "provision", "hosts"), of: map[string]string{}}
	l.from = f.selection.path()
	if whole, err := filepath.Abs(l.from); err == nil {
		l.from = whole
	}
	for _, w := range e.work {
		if len(f.selection.hosts) > 0 || f.selection.local {
			l.of[w.Target.Name] = w.Target.Address.String()
		}
	}
	return l
}

// whose says whose a file is: what begins with a host's name is something of it.
func (l lastSaid) whose(name string) string {
	host, what, _ := strings.Cut(name, " ")
	if address := l.of[host]; address != "" {
		return strings.TrimSpace(address + " " + what)
	}
	return l.from + " " + name
}

func (l lastSaid) file(host string) string {
	sum := sha256.Sum256([]byte(l.whose(host)))
	return filepath.Join(l.dir, hex.EncodeToString(sum[:16])+".json")
}

// Of implements run.Last.
func (l lastSaid) Of(host string) (run.Known, bool) {
	// Neither a link nor what might be waited for.
	file, err := os.OpenFile(l.file(host), os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return run.Known{}, false
	}
	defer file.Close()
	if info, err := file.Stat(); err != nil || !ours(info) || !info.Mode().IsRegular() {
		return run.Known{}, false
	}
	text, err := io.ReadAll(io.LimitReader(file, maxLast+1))
	var said saidBy
	if err != nil || len(text) > maxLast || json.Unmarshal(text, &said) != nil || said.Of != l.whose(host) {
		return run.Known{}, false
	}
	return said.Known, true
}

// Keep implements run.Last: the file is written beside its place, and renamed.
func (l lastSaid) Keep(host string, known run.Known) {
	text, err := json.Marshal(saidBy{l.whose(host), known})
	if err != nil || len(text) > maxLast || os.MkdirAll(l.dir, 0o700) != nil {
		return
	}
	if info, err := os.Lstat(l.dir); err != nil || !ours(info) || !info.IsDir() {
		return
	}
	file, err := os.CreateTemp(l.dir, ".new.*") // mode 0600
	if err != nil {
		return
	}
	_, err = file.Write(append(text, '\n'))
	if errors.Join(err, file.Close()) != nil || os.Rename(file.Name(), l.file(host)) != nil {
		os.Remove(file.Name())
	}
}

// ours reports whether nobody else can write something.
func ours(info os.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Geteuid() && info.Mode().Perm()&0o022 == 0
}
