package script

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"provision/internal/recipe"
)

// memoryRows ask for what the host has noted of what tasks wanted.
func memoryRows() []row {
	return []row{
		{
			name: "memory", kind: recipe.KindMemory, absent: recipe.Memory{}, asks: ofKind(recipe.KindMemory),
			source: []string{"ask/memory"}, call: calls("ask_memory"), width: 2,
			read: func(a *answer, record []string, _ []recipe.Probe) error {
				a.set(recipe.MemoryKey(record[0]), recipe.Memory{Head: record[1], Earlier: record[1] == ""})
				return nil
			},
		},
		{
			name: "touched", kind: recipe.KindTouched, absent: recipe.Touched(nil), asks: ofKind(recipe.KindTouched),
			source: []string{"ask/touched"}, call: calls("ask_touched"), width: 2, read: readTouched,
		},
		{
			name: "memories", kind: recipe.KindMemories, absent: recipe.Memories(nil), asks: ofKind(recipe.KindMemories),
			source: []string{"ask/memories"}, call: func([]recipe.Probe) string { return "ask_memories\n" }, width: 2,
			read: func(a *answer, record []string, _ []recipe.Probe) error {
				text, err := base64.StdEncoding.DecodeString(record[1])
				if err != nil {
					return fmt.Errorf("memory of %s: %w", record[0], err)
				}
				all := a.Facts.Memories()
				if all == nil {
					all = recipe.Memories{}
				}
				all[record[0]] = string(text)
				a.set(recipe.MemoriesKey(), all)
				return nil
			},
		},
		{
			name: "earlier", kind: recipe.KindEarlier, absent: recipe.Earlier(nil), asks: ofKind(recipe.KindEarlier),
			source: []string{"ask/memory"}, call: func([]recipe.Probe) string { return "ask_earlier\n" }, width: 1,
			read: func(a *answer, record []string, _ []recipe.Probe) error {
				if earlier := a.Facts.Earlier(); !slices.Contains(earlier, record[0]) {
					a.set(recipe.EarlierKey(), append(earlier, record[0]))
				}
				return nil
			},
		},
	}
}

// readTouched reads a path as runs code it: see code in sh/place.sh.
func readTouched(a *answer, record []string, _ []recipe.Probe) error {
	path := record[1]
	if !strings.HasPrefix(path, "/") {
		decoded, err := base64.StdEncoding.DecodeString(path)
		if err != nil {
			return fmt.Errorf("what was changed for %s: %w", record[0], err)
		}
		path = string(decoded)
	}
	a.set(recipe.TouchedKey(record[0]), append(a.Facts.Touched(record[0]), path))
	return nil
}

// leavingRows ask what decides whether something can go: whose a path is, and what is in a
// directory.
func leavingRows() []row {
	return []row{
		{
			name: "owners", kind: recipe.KindOwner, absent: recipe.Owner{}, asks: ofKind(recipe.KindOwner),
			source: []string{"ask/owner"}, call: calls("ask_owners"), width: 1, read: readOwners,
		},
		{
			name: "entries", kind: recipe.KindEntries, absent: recipe.Entries(nil), asks: ofKind(recipe.KindEntries),
			source: []string{"ask/entries"}, call: calls("ask_entries"), width: 2,
			read: func(a *answer, record []string, _ []recipe.Probe) error {
				a.set(recipe.EntriesKey(record[0]), append(a.Facts.Entries(record[0]), record[1]))
				return nil
			},
		},
	}
}

// readOwners reads lines of dpkg-query -S, with o before them, and paths of conffiles, with c and their
// package's digest, and s when they are as their package has them. A diversion is no package's.
func readOwners(a *answer, record []string, _ []recipe.Probe) error {
	for _, line := range lines(record) {
		how, rest, _ := strings.Cut(line, " ")
		path := rest
		if how == "o" {
			names, found, ok := strings.Cut(rest, ": ")
			if !ok || strings.HasPrefix(names, "diversion ") {
				continue
			}
			path = found
			owner := a.Facts.Owner(path)
			owner.Package, _, _ = strings.Cut(names, ",")
			a.set(recipe.OwnerKey(path), owner)
			continue
		}
		digest := ""
		if how == "c" {
			digest, path, _ = strings.Cut(rest, " ")
		}
		owner := a.Facts.Owner(path)
		owner.Conffile, owner.Shipped = true, how == "s"
		owner.Digest = cmp.Or(digest, owner.Digest)
		a.set(recipe.OwnerKey(path), owner)
	}
	return nil
}
