package script

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"provision/internal/recipe"
)

// packageRows ask dpkg for packages, and apt for what it would install.
func packageRows() []row {
	return []row{
		{
			name: "packages", kind: recipe.KindPackage, absent: recipe.Package{}, asks: ofKind(recipe.KindPackage),
			source: []string{"ask/package"}, call: calls("ask_packages"), width: 1, read: readPackages,
		},
		{
			name: "candidates", kind: recipe.KindCandidate, absent: recipe.Candidate{}, asks: ofKind(recipe.KindCandidate),
			source: []string{"ask/candidate"}, call: calls("ask_candidates"), width: 1, read: readCandidates,
		},
		{
			name: "removals", kind: recipe.KindRemoval, absent: recipe.Removal{}, asks: ofKind(recipe.KindRemoval),
			source: []string{"purge", "ask/removal"}, call: calls("ask_removals"), width: 1, read: readRemovals,
		},
		{
			name: "lists", kind: recipe.KindLists, absent: recipe.Lists{}, asks: ofKind(recipe.KindLists),
			source: []string{"ask/lists"}, call: func([]recipe.Probe) string { return "ask_lists\n" }, width: 2, read: readLists,
		},
	}
}

// readPackages takes in those of the host's own architecture, which a name without another one
// means to apt; of one that dpkg has only heard of it knows none.
func readPackages(a *answer, record []string, _ []recipe.Probe) error {
	for _, line := range lines(record) {
		fields := strings.Split(line, "\t")
		if len(fields) != 4 {
			return fmt.Errorf("package %q", line)
		}
		switch fields[1] {
		case a.Platform.Arch, "all", "":
			a.set(recipe.PackageKey(fields[0]), recipe.Package{Status: strings.TrimSpace(fields[2]), Version: fields[3]})
		}
	}
	return nil
}

func readCandidates(a *answer, record []string, _ []recipe.Probe) error {
	for _, line := range lines(record) {
		name, version, ok := strings.Cut(line, "\t")
		if !ok {
			return fmt.Errorf("candidate %q", line)
		}
		a.set(recipe.CandidateKey(name), recipe.Candidate{Version: version})
	}
	return nil
}

func readRemovals(a *answer, record []string, _ []recipe.Probe) error {
	for _, line := range lines(record) {
		name, words, ok := strings.Cut(line, "\t")
		if !ok {
			return fmt.Errorf("removal %q", line)
		}
		var removal recipe.Removal
		for _, word := range strings.Fields(words) {
			switch comes, is := strings.CutPrefix(word, "+"); {
			case is:
				removal.Comes = append(removal.Comes, comes)
			case word != name:
				removal.Along = append(removal.Along, word)
			}
		}
		a.set(recipe.RemovalKey(name), removal)
	}
	return nil
}

func readLists(a *answer, record []string, _ []recipe.Probe) error {
	fetched, err := strconv.ParseInt(record[0], 10, 64)
	if err != nil {
		return fmt.Errorf("lists: %w", err)
	}
	now, err := strconv.ParseInt(record[1], 10, 64)
	if err != nil {
		return fmt.Errorf("lists: %w", err)
	}
	a.set(recipe.ListsKey(), recipe.Lists{Known: true, Age: time.Duration(now-fetched) * time.Second})
	return nil
}
