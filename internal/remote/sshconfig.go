package remote

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/crypto/ssh"
)

const (
	systemConfigFile = "/etc/ssh/ssh_config"
	maxIncludes      = 16     // readconf.c, READCONF_MAX_DEPTH
	maxConfigFiles   = 10_000 // read for one host; ten files of which each includes the next ten times would be read for ever
)

// reader reads the options and ssh_config for one host, in ssh's order and as ssh does, as far as
// it surely can: Host, Include, Match all, and plain values. What only ssh can answer is a doubt:
// the rest is still looked through, and then ssh is asked (askssh.go).
type reader struct {
	host    string
	read    int         // files
	lines   []directive // that hold for the host; the first of a keyword counts
	ignored string      // IgnoreUnknown
	doubt   error       // the first thing that only ssh can answer
	spaces  error       // a known_hosts file with a space in its name, which ssh -G prints as two
}

// place is where in a file the reader is.
type place struct {
	name   string
	user   bool // not the system's: ~/.ssh is where what it includes is
	check  bool // others must not be able to write it
	holds  bool // the section is the host's
	unsure bool // only ssh knows whether the section is the host's
	never  bool // included from a section that is not the host's: nothing in it is
	depth  int
}

// options reads what -o says.
func (r *reader) options(texts []string) error {
	for _, text := range texts {
		name, rest, _ := splitLine(text)
		if rest == "" || strings.ContainsAny(text, "\n\x00") {
			return configError("-o "+name, "is not Key=Value", "for example: -o StrictHostKeyChecking=accept-new")
		}
		l, row, err := r.parse("-o", name, rest)
		switch {
		case err != nil:
			return err
		case row.use == session || row.use == section:
			return configError(l.what(), "is not supported", "leave it out, or reach the host through a ProxyCommand that runs ssh")
		}
		r.take(l, row, &place{holds: true})
	}
	return nil
}

// files reads the ssh_config files. One that was named must be there.
func (r *reader) files(named string) error {
	switch strings.ToLower(named) {
	case "none":
		return nil
	case "":
	default:
		return r.file(place{name: named, user: true, holds: true})
	}
	for _, p := range []place{{name: inHome(".ssh/config"), user: true, check: true, holds: true}, {name: systemConfigFile, holds: true}} {
		if err := r.file(p); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

func (r *reader) file(at place) error {
	if r.read++; r.read > maxConfigFiles {
		return tooManyFiles(at.name)
	}
	info, err := os.Stat(at.name)
	if err == nil && !info.Mode().IsRegular() && !info.IsDir() { // reading a FIFO or a device may never end
		return configError(at.name, "is not a regular file", "")
	}
	text, err := os.ReadFile(at.name)
	if err != nil {
		return unreadable(at.name, err)
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); at.check && ok &&
		(stat.Uid != 0 && int(stat.Uid) != os.Getuid() || info.Mode().Perm()&0o022 != 0) {
		r.doubts(at.name, "others may write it") // Debian's ssh allows a group of nobody else
	}
	for number, text := range strings.Split(string(text), "\n") {
		name, rest, ok := splitLine(text)
		if !ok {
			continue
		}
		where := fmt.Sprintf("%s:%d", at.name, number+1)
		l, row, err := r.parse(where, name, rest)
		if err != nil {
			return err
		}
		if row.use == section {
			err = r.section(l, &at)
		} else {
			r.take(l, row, &at)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// parse reads one line, which must be well formed whether it is the host's or not, as for ssh.
func (r *reader) parse(where, name, rest string) (directive, keyword, error) {
	l := directive{where: where, name: name, key: strings.ToLower(name), rest: rest}
	row, known := keywords[l.key]
	if row.as != "" {
		l.key, row = row.as, keywords[row.as]
	}
	words, closed := splitWords(rest)
	l.words = words
	switch {
	case !known && slices.Contains(strings.Fields(ignoredKeywords), l.key):
		return l, keyword{use: harmless}, nil
	case !known && r.ignored != "" && matchList(r.ignored, name):
		return l, keyword{use: harmless}, nil
	case !known: // without the value, which may be a password
		hint := "see ssh_config(5) for the names"
		if where != "-o" {
			hint += "; `IgnoreUnknown " + name + "` before it passes over it"
		}
		return l, row, configError(l.what(), "unknown ssh option", hint)
	case !closed:
		return l, row, configError(l.what(), "has a quote that is not closed", "see ssh_config(5)")
	case rest == "":
		return l, row, configError(l.what(), "has no value", "see ssh_config(5)")
	}
	if problem := row.form(words); problem != "" {
		return l, row, configError(l.what(), problem, "see ssh_config(5)")
	}
	return l, row, nil
}

// take keeps a line that holds for the host.
func (r *reader) take(l directive, row keyword, at *place) {
	if l.key == "ignoreunknown" && r.ignored == "" && (at.holds || at.unsure) {
		r.ignored = l.word()
	}
	if l.key == "userknownhostsfile" || l.key == "globalknownhostsfile" {
		for _, word := range l.words {
			if r.spaces == nil && strings.ContainsAny(os.ExpandEnv(word), " \t") {
				r.spaces = configError(l.what(), "a path with a space is told from two paths only where no Match or the like needs ssh's own answer",
					"-o "+l.name+"=PATH, with a link to it that has no space")
			}
		}
	}
	if !at.holds {
		return
	}
	if problem := uncertain(l, row); problem != "" {
		r.doubts(l.what(), problem)
	}
	r.lines = append(r.lines, l)
}

func (r *reader) doubts(what, problem string) {
	if r.doubt == nil {
		r.doubt = configError(what, problem+": only OpenSSH's client can answer that, and there is none here",
			"apt-get install openssh-client, or name another file with -F FILE")
	}
}

// uncertain says why only ssh can tell what a line means.
func uncertain(l directive, row keyword) string {
	switch l.key {
	case "user":
		if strings.ContainsAny(l.word(), "%$") { // a token only since OpenSSH 10
			return "has a token"
		}
	case "casignaturealgorithms", "ciphers", "hostkeyalgorithms", "kexalgorithms", "macs", "pubkeyacceptedalgorithms":
		for name := range strings.SplitSeq(l.word(), ",") {
			if !slices.Contains(implemented(l.key), name) { // +, - and ^ change ssh's own list
				return fmt.Sprintf("%q is in no list of ours", name)
			}
		}
	}
	if row.use == askSSH && !slices.Contains(row.not, strings.ToLower(l.word())) {
		return "is ssh's to look up"
	}
	return ""
}

// implemented are the algorithms that x/crypto/ssh has for a keyword.
func implemented(key string) []string {
	have := func(pick func(ssh.Algorithms) []string) []string {
		return append(pick(ssh.SupportedAlgorithms()), pick(ssh.InsecureAlgorithms())...)
	}
	switch key {
	case "ciphers":
		return have(func(a ssh.Algorithms) []string { return a.Ciphers })
	case "macs":
		return have(func(a ssh.Algorithms) []string { return a.MACs })
	case "kexalgorithms":
		return have(func(a ssh.Algorithms) []string { return a.KeyExchanges })
	case "hostkeyalgorithms":
		return have(func(a ssh.Algorithms) []string { return a.HostKeys })
	}
	return have(func(a ssh.Algorithms) []string { return a.PublicKeyAuths })
}

// section reads Host, Match and Include.
func (r *reader) section(l directive, at *place) error {
	switch {
	case l.key == "include":
		return r.include(l, *at)
	case at.never:
	case l.key == "host":
		at.holds, at.unsure = matchHost(l.words, r.host), false
	case len(l.words) == 1 && strings.EqualFold(l.word(), "all"):
		at.holds, at.unsure = true, false
	default:
		at.holds, at.unsure = false, true
		r.doubts(l.what()+" "+l.rest, "is a question")
	}
	return nil
}

func tooManyFiles(name string) error {
	return configError(name, fmt.Sprintf("is more than the %d files that may be included", maxConfigFiles), "see which file includes another one again and again: grep -ri include ~/.ssh /etc/ssh")
}

func (r *reader) include(l directive, at place) error {
	if at.depth++; at.depth > maxIncludes {
		return configError(l.what(), "includes itself, or too deep", "see ssh_config(5)")
	}
	at.never = at.never || !at.holds && !at.unsure
	at.check = true
	for _, pattern := range l.words {
		switch {
		case strings.Contains(pattern, "${") || strings.Contains(pattern, "%"): // since OpenSSH 9.9
			r.doubts(l.what(), "has a token")
			continue
		case strings.HasPrefix(pattern, "~"):
			path, err := expandTilde(pattern)
			if err != nil || !at.user {
				return configError(l.what(), fmt.Sprintf("%q is no path", pattern), "", err)
			}
			pattern = path
		case !filepath.IsAbs(pattern) && at.user:
			pattern = filepath.Join(inHome(".ssh"), pattern)
		case !filepath.IsAbs(pattern):
			pattern = filepath.Join(filepath.Dir(systemConfigFile), pattern)
		}
		names, err := filepath.Glob(pattern)
		if err != nil {
			return configError(l.what(), fmt.Sprintf("%q is no pattern of paths", pattern), "", err)
		}
		for _, name := range names {
			in := at
			in.name = name
			if err := r.file(in); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	return nil
}
