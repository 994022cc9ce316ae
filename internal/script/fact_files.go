package script

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"provision/internal/recipe"
)

func callFiles(asked []recipe.Probe) string {
	var s strings.Builder
	for _, probe := range asked {
		s.WriteString("ask_files " + QuoteAll(probe.Key.Name, orDash(probe.Same)) + "\n")
	}
	return s.String()
}

// readFiles reads what find says of each entry, and then what sha256sum says of each file.
func readFiles(a *answer, record []string, _ []recipe.Probe) error {
	text, err := base64.StdEncoding.DecodeString(record[2])
	if err != nil {
		return fmt.Errorf("files of %s: %w", record[0], err)
	}
	files := recipe.Files{Digest: record[1]}
	digests := map[string]string{}
	for _, line := range strings.Split(strings.TrimSuffix(string(text), "\x00"), "\x00") {
		digest, name, ok := strings.Cut(line, "  ./")
		if ok && len(digest) == 64 && strings.Trim(digest, "0123456789abcdef") == "" {
			digests[name] = digest
			continue
		}
		if line == "" {
			continue
		}
		entry, err := readEntry(line)
		if err != nil {
			return fmt.Errorf("files of %s: %w", record[0], err)
		}
		files.Entries = append(files.Entries, entry)
	}
	for i, entry := range files.Entries {
		files.Entries[i].SHA256 = digests[entry.Name]
	}
	slices.SortFunc(files.Entries, func(a, b recipe.Entry) int { return strings.Compare(a.Name, b.Name) })
	a.set(recipe.FilesKey(record[0]), files)
	return nil
}

// readEntry reads "f 644 root:root a/b//", with a link's target behind the two slashes.
func readEntry(line string) (recipe.Entry, error) {
	words := strings.SplitN(line, " ", 4)
	if len(words) != 4 {
		return recipe.Entry{}, fmt.Errorf("entry %q", line)
	}
	mode, err := strconv.ParseUint(words[1], 8, 32)
	if err != nil {
		return recipe.Entry{}, fmt.Errorf("entry %q: %w", line, err)
	}
	owner, group, _ := strings.Cut(words[2], ":")
	name, target, _ := strings.Cut(words[3], "//")
	return recipe.Entry{Name: name, Path: recipe.Path{Type: typeOf(words[0]), Mode: uint32(mode), Owner: owner, Group: group, Target: target}}, nil
}
