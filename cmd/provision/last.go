package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"path/filepath"
	"strings"

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
	dir, err := ownCache("hosts")
	if err != nil {
		return nil
	}
	l := lastSaid{dir: dir, of: map[string]string{}}
	l.from = f.selection.path()
	if whole, err := filepath.Abs(l.from); err == nil {
		l.from = whole
	}
	for _, w := range e.work {
		if f.selection.adHoc() {
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
	text, err := readOwn(l.file(host), maxLast)
	var said saidBy
	if err != nil || json.Unmarshal(text, &said) != nil || said.Of != l.whose(host) {
		return run.Known{}, false
	}
	return said.Known, true
}

// Keep implements run.Last. What cannot be kept is asked again.
func (l lastSaid) Keep(host string, known run.Known) {
	text, err := json.Marshal(saidBy{l.whose(host), known})
	if err == nil && len(text) < maxLast {
		_ = writeOwn(l.file(host), append(text, '\n'))
	}
}
