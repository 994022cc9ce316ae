package remote

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// HostNames are the names that ssh_config has of hosts, in their order, each once: what stands behind Host
// without a pattern, in the file that is named, as ssh -F, or else the person's own and the machine's, and in
// what these include. Match has none.
func HostNames(file string) ([]string, error) {
	n := &names{seen: map[string]bool{}}
	switch strings.ToLower(file) {
	case "none":
	case "":
		for _, own := range []string{inHome(".ssh/config"), systemConfigFile} {
			if err := n.read(own, own != systemConfigFile, 0); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return nil, err
			}
		}
	default:
		if err := n.read(file, true, 0); err != nil {
			return nil, err
		}
	}
	return n.all, nil
}

type names struct {
	all   []string
	seen  map[string]bool
	files int
}

func (n *names) read(file string, user bool, depth int) error {
	if n.files++; n.files > maxConfigFiles {
		return tooManyFiles(file)
	}
	if info, err := os.Stat(file); err == nil && !info.Mode().IsRegular() { // reading a FIFO or a device may never end
		return configError(file, "is not a regular file", "")
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return unreadable(file, err)
	}
	for number, line := range strings.Split(string(text), "\n") {
		name, rest, ok := splitLine(line)
		if !ok {
			continue
		}
		where := fmt.Sprintf("%s:%d", file, number+1)
		words, closed := splitWords(rest)
		switch key := strings.ToLower(name); {
		case key != "host" && key != "include":
		case !closed:
			return configError(where+": "+name, "has a quote that is not closed", "see ssh_config(5)")
		case key == "host":
			n.take(words)
		default:
			if err := n.include(where, words, user, depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}

func (n *names) take(words []string) {
	for _, word := range words {
		if !strings.ContainsAny(word, "*?!,") && !n.seen[word] {
			n.seen[word] = true
			n.all = append(n.all, word)
		}
	}
}

// include reads other files. One whose name only ssh can complete has no names that are known here.
func (n *names) include(where string, patterns []string, user bool, depth int) error {
	if depth > maxIncludes {
		return configError(where+": Include", "includes itself, or too deep", "see ssh_config(5)")
	}
	for _, pattern := range patterns {
		if strings.ContainsAny(pattern, "%$") {
			continue
		}
		path, err := includedFrom(pattern, user)
		var files []string
		if err == nil {
			files, err = filepath.Glob(path)
		}
		if err != nil {
			return configError(where+": Include", fmt.Sprintf("%q is no pattern of paths", pattern), "", err)
		}
		for _, file := range slices.Sorted(slices.Values(files)) {
			if err := n.read(file, user, depth); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	return nil
}

// includedFrom is the path of what a file includes: the person's own beside ~/.ssh/config, the machine's beside
// its own.
func includedFrom(pattern string, user bool) (string, error) {
	switch {
	case strings.HasPrefix(pattern, "~"):
		return expandTilde(pattern)
	case filepath.IsAbs(pattern):
		return pattern, nil
	case user:
		return filepath.Join(inHome(".ssh"), pattern), nil
	}
	return filepath.Join(filepath.Dir(systemConfigFile), pattern), nil
}
