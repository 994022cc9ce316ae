package remote

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// source answers for one host, from the lines that hold for it: the first of a keyword counts.
type source struct {
	lines []directive
	err   error // the first that there was
}

// source finds the lines that hold for a host: what -o says, then ssh_config.
func (c Config) source(address Address) (*source, error) {
	r := reader{host: address.Host}
	if err := r.options(c.Options); err != nil {
		return nil, err
	}
	if err := r.files(c.ConfigFile); err != nil {
		return nil, err
	}
	lines := r.lines
	if r.doubt != nil {
		answer, err := c.askSSH(address, r.doubt)
		if err == nil {
			err = r.spaces
		}
		if err != nil {
			return nil, err
		}
		lines = answer
	}
	from := &source{lines: lines}
	from.refuse()
	return from, from.err
}

// refuse looks for what ssh would do and provision does not.
func (s *source) refuse() {
	seen := map[string]bool{}
	for _, l := range s.lines {
		row := keywords[l.key]
		if row.use == refused && !seen[l.key] && !slices.Contains(row.not, strings.ToLower(l.word())) && s.err == nil {
			s.err = configError(l.what(), "is not supported", row.note)
		}
		seen[l.key] = true
	}
}

func (s *source) fail(l directive, problem string) {
	if s.err == nil {
		s.err = configError(l.what(), problem, "see ssh_config(5)")
	}
}

// first returns the first line of any of the keywords.
func (s *source) first(keys ...string) (directive, bool) {
	at := slices.IndexFunc(s.lines, func(l directive) bool { return slices.Contains(keys, l.key) })
	if at < 0 {
		return directive{}, false
	}
	return s.lines[at], true
}

func (s *source) all(key string) []directive {
	var found []directive
	for _, l := range s.lines {
		if l.key == key {
			found = append(found, l)
		}
	}
	return found
}

func (s *source) word(key, otherwise string) string {
	if l, ok := s.first(key); ok {
		return l.word()
	}
	return otherwise
}

// choice is a word out of a list; ssh -G has names of its own for some.
func (s *source) choice(key, otherwise string) string {
	return strings.ToLower(s.word(key, otherwise))
}

func (s *source) yes(key string, otherwise bool) bool {
	switch s.choice(key, "") {
	case "":
		return otherwise
	case "no", "false":
		return false
	}
	return true
}

// time is a length of time; none and 0 are as if nothing had been said.
func (s *source) time(key string, otherwise time.Duration) time.Duration {
	if d, ok := parseTime(s.word(key, "")); ok && d > 0 {
		return d
	}
	return otherwise
}

func (s *source) number(key string, otherwise int) int {
	if n, err := strconv.Atoi(s.word(key, "")); err == nil {
		return n
	}
	return otherwise
}

// expand puts into a text of the line what tokens stand for, unless ssh has.
func (s *source) expand(l directive, text string, t tokens) string {
	if l.expanded {
		return text
	}
	text, err := t.expand(text)
	if err != nil {
		s.fail(l, err.Error())
	}
	return text
}

// paths are the files that a line names.
func (s *source) paths(l directive, t tokens) []string {
	var paths []string
	for _, word := range l.words {
		if l.is("none") {
			return nil
		}
		path := word
		if !l.expanded {
			var err error
			if path, err = t.path(word); err != nil {
				s.fail(l, err.Error())
			}
		}
		paths = append(paths, path)
	}
	return paths
}

// list is a list of algorithms; nil is whatever is the default.
func (s *source) list(key string) []string {
	if l, ok := s.first(key); ok {
		return strings.Split(l.word(), ",")
	}
	return nil
}

// offered is a list of algorithms as far as there is code for them, of which there must be one.
func (s *source) offered(key string) []string {
	l, ok := s.first(key)
	if !ok {
		return nil
	}
	have, wanted := implemented(key), s.list(key)
	offered := slices.DeleteFunc(slices.Clone(wanted), func(name string) bool { return !slices.Contains(have, name) })
	if len(offered) == 0 {
		s.fail(l, fmt.Sprintf("none of %s is supported; those that are: %s", strings.Join(wanted, ","), strings.Join(have, ",")))
	}
	return offered
}
