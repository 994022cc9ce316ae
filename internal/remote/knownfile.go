package remote

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"
)

// knownFiles are the files of known hosts that were read: of thousands of connections each wants a few
// lines of the same ones. A file is read again where it has become another.
type knownFiles struct {
	mu    sync.Mutex
	files map[string]*knownFile
}

// read returns what files there are, as they are now. A line that makes no sense is skipped, as ssh
// skips it: also those of ssh's first protocol, and keys of a kind that is unknown here.
func (k *knownFiles) read(names []string, warn func(string)) []*knownFile {
	k.mu.Lock()
	defer k.mu.Unlock()
	var all []*knownFile
	for _, name := range names {
		info, err := os.Stat(name)
		if errors.Is(err, fs.ErrNotExist) || err == nil && !info.Mode().IsRegular() {
			continue
		}
		file := k.files[name]
		if err == nil && file != nil && file.is(info) {
			all = append(all, file)
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			warn("known_hosts: not used: " + err.Error())
			continue
		}
		if file == nil || !bytes.HasPrefix(text, file.text) || !endsLine(file.text) {
			file = &knownFile{name: name, byName: map[string][]int{}, sought: map[string]*sought{}}
		}
		file.goOn(text, info, warn)
		if k.files == nil {
			k.files = map[string]*knownFile{}
		}
		k.files[name] = file
		all = append(all, file)
	}
	return all
}

func endsLine(text []byte) bool { return len(text) == 0 || text[len(text)-1] == '\n' }

// knownFile is one of them. It grows where lines are appended.
type knownFile struct {
	name string

	mu      sync.Mutex
	info    fs.FileInfo
	text    []byte
	numbers int // lines that were read
	lines   []knownHost
	byName  map[string][]int // those for names that stand there as they are, or were found to be hashed
	others  []int            // those with a pattern
	hashed  []*hashedName    // those with a hashed name
	sought  map[string]*sought
	revoked []int
}

// is reports whether the file is the one that was read.
func (f *knownFile) is(info fs.FileInfo) bool {
	return os.SameFile(f.info, info) && f.info.Size() == info.Size() && f.info.ModTime().Equal(info.ModTime())
}

// goOn reads what a text has beyond that which was read.
func (f *knownFile) goOn(text []byte, info fs.FileInfo, warn func(string)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	rest := text[len(f.text):]
	f.text, f.info = text, info
	for line := range bytes.Lines(rest) {
		f.numbers++
		line = bytes.TrimSpace(line)
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		known, err := parseKnownHost(line)
		if err != nil {
			warn(fmt.Sprintf("%s:%d: skipped: %s", f.name, f.numbers, strings.TrimPrefix(err.Error(), "ssh: ")))
			continue
		}
		known.file, known.line = f.name, f.numbers
		f.add(known)
	}
}

func (f *knownFile) add(known knownHost) {
	at := len(f.lines)
	f.lines = append(f.lines, known)
	if known.marker == revoked {
		f.revoked = append(f.revoked, at)
	}
	if len(known.hosts) == 1 {
		if name, hashed := parseHashed(known.hosts[0]); hashed {
			name.line = at
			f.hashed = append(f.hashed, name)
			return
		}
	}
	if slices.ContainsFunc(known.hosts, func(name string) bool { return strings.ContainsAny(name, "*?!|") }) {
		f.others = append(f.others, at)
		return
	}
	for _, name := range known.hosts {
		name = strings.ToLower(name)
		f.byName[name] = append(f.byName[name], at)
	}
}

// seek finds the lines with a hashed name that are about a host. Each line has a salt of its own, so there is no
// shorter way than to hash the name with every salt (sshd(8)): once a run, and with none whose name is found by now.
func (f *knownFile) seek(name string) {
	f.mu.Lock()
	if f.sought[name] == nil {
		f.sought[name] = &sought{}
	}
	past := f.sought[name]
	f.mu.Unlock()
	past.mu.Lock() // others may seek other names meanwhile
	defer past.mu.Unlock()
	f.mu.Lock()
	hashed, to := f.hashed, len(f.lines)
	f.mu.Unlock()
	if past.lines == to {
		return
	}
	var found []int
	for _, one := range hashed {
		if one.line >= past.lines && one.line < to && !one.found.Load() && one.is(name) {
			one.found.Store(true)
			found = append(found, one.line)
		}
	}
	past.lines = to
	f.mu.Lock()
	defer f.mu.Unlock()
	f.byName[name] = append(f.byName[name], found...)
}

// sought is how many lines there were when a name was sought among the hashed ones. Who seeks it too waits: the lines
// that are found are for nobody until all are.
type sought struct {
	mu    sync.Mutex
	lines int
}

// about returns the lines about a host, by its name as known_hosts has it, that have a marker.
func (f *knownFile) about(name, marker string) []knownHost {
	f.seek(name)
	f.mu.Lock()
	defer f.mu.Unlock()
	may := slices.Concat(f.byName[name], f.others)
	slices.Sort(may)
	var found []knownHost
	for _, at := range slices.Compact(may) {
		if known := f.lines[at]; known.marker == marker && known.covers(name) {
			found = append(found, known)
		}
	}
	return found
}

// revokes returns the lines of keys that are revoked.
func (f *knownFile) revokes() []knownHost {
	f.mu.Lock()
	defer f.mu.Unlock()
	var found []knownHost
	for _, at := range f.revoked {
		found = append(found, f.lines[at])
	}
	return found
}
