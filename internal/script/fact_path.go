package script

import (
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"provision/internal/recipe"
)

// pathRows ask what stands at paths, and for the digests of files where they are wanted.
func pathRows() []row {
	isPath := ofKind(recipe.KindPath)
	return []row{
		{
			name: "paths", kind: recipe.KindPath, absent: recipe.Path{}, asks: isPath,
			source: []string{"ask/path"}, call: calls("ask_paths"), width: 6, read: readPath,
		},
		{
			name: "trees", kind: recipe.KindTree, absent: recipe.Tree{}, asks: ofKind(recipe.KindTree),
			source: []string{"mounts", "ask/tree"}, call: calls("ask_trees"), width: 3, read: readTree,
		},
		{
			name: "files", kind: recipe.KindFiles, absent: recipe.Files{}, asks: ofKind(recipe.KindFiles),
			source: []string{"way", "ask/files"}, call: callFiles, width: 3, read: readFiles,
		},
		{
			name:   "digests",
			asks:   func(p recipe.Probe) bool { return isPath(p) && p.Digest && len(p.Unfill) == 0 },
			source: []string{"ask/digest"}, call: calls("ask_digests"), width: 1, read: readDigest,
		},
		{
			name: "unfilled",
			asks: func(p recipe.Probe) bool { return isPath(p) && len(p.Unfill) > 0 },
			call: callUnfilled, source: []string{"swap", "ask/unfilled"}, width: 1, read: readDigest,
		},
	}
}

func readPath(a *answer, record []string, _ []recipe.Probe) error {
	mode, err := strconv.ParseUint(record[2], 8, 32)
	if err != nil {
		return fmt.Errorf("path %s: mode %q", record[0], record[2])
	}
	a.set(recipe.PathKey(record[0]), recipe.Path{Type: typeOf(record[1]), Mode: uint32(mode), Owner: record[3], Group: record[4], Target: record[5]})
	return nil
}

// typeOf is what find(1) calls by a letter.
func typeOf(letter string) recipe.PathType {
	switch letter {
	case "f":
		return recipe.PathFile
	case "d":
		return recipe.PathDirectory
	case "l":
		return recipe.PathLink
	}
	return recipe.PathOther
}

func readTree(a *answer, record []string, _ []recipe.Probe) error {
	kilobytes, err := strconv.Atoi(record[2])
	if err != nil {
		return fmt.Errorf("tree %s: %w", record[0], err)
	}
	tree := recipe.Tree{Kilobytes: kilobytes}
	if mounts := strings.Fields(record[1]); len(mounts) > 0 {
		tree.Mounts = mounts
	}
	a.set(recipe.TreeKey(record[0]), tree)
	return nil
}

func readDigest(a *answer, record []string, _ []recipe.Probe) error {
	digest, path, ok := strings.Cut(record[0], "  ")
	if !ok {
		return fmt.Errorf("digest %q", record[0])
	}
	found := a.Facts.Path(path)
	found.SHA256 = digest
	a.set(recipe.PathKey(path), found)
	return nil
}

func callUnfilled(asked []recipe.Probe) string {
	var s strings.Builder
	for _, probe := range asked {
		s.WriteString("ask_unfilled " + QuoteAll(append([]string{probe.Key.Name}, pairs(probe.Unfill)...)...) + "\n")
	}
	return s.String()
}

// pairs are placeholders and the paths of their secrets, one after the other.
func pairs(fill map[string]string) []string {
	var words []string
	for _, placeholder := range slices.Sorted(maps.Keys(fill)) {
		words = append(words, placeholder, fill[placeholder])
	}
	return words
}

// whose says of a file what stands beside its content (see opened in sh/opened.sh).
func whose(path recipe.Path) string {
	return fmt.Sprintf("%o %s %s", path.Mode, path.Owner, path.Group)
}

// contentRows ask for the bytes of files.
func contentRows() []row {
	return []row{{
		name: "contents", kind: recipe.KindContent, absent: recipe.Content{}, asks: ofKind(recipe.KindContent),
		source: []string{"way", "opened", "ask/content"}, call: calls("ask_contents"), width: 4,
		read: func(a *answer, record []string, _ []recipe.Probe) error {
			content, err := base64.StdEncoding.DecodeString(record[3])
			if err != nil {
				return fmt.Errorf("content of %s: %w", record[0], err)
			}
			long := recipe.Content{Bytes: content}
			if record[2] != "" {
				if long.Size, err = strconv.ParseInt(record[2], 10, 64); err != nil {
					return fmt.Errorf("content of %s: size %q", record[0], record[2])
				}
			}
			if path, asked := a.Facts[recipe.PathKey(record[0])].Value.(recipe.Path); asked && (path.Type != recipe.PathFile || record[1] != whose(path)) {
				return nil // what was read is not what was looked at
			}
			a.set(recipe.ContentKey(record[0]), long)
			return nil
		},
	}}
}
