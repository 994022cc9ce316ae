package resource

import (
	"slices"
	"strings"

	"provision/internal/recipe"
)

// FormerPart is a block or a key that no task wants any more. It goes, and decides nothing of what
// else stands at the path.
type FormerPart struct{ recipe.Resource }

func (f FormerPart) edit(text string) (string, error) {
	return f.Resource.(interface{ edit(string) (string, error) }).edit(text)
}

// FormerLine is a line that no task wants any more: it goes, and those that it replaced come back.
type FormerLine struct {
	Line Line              // as it was wanted; of a secret one only its Key or Match is known
	Ours bool              // its file was not there before
	Back []recipe.Replaced // what stood there before
}

// ID implements recipe.Resource.
func (f FormerLine) ID() string { return f.Line.ID() }

// Probes implements recipe.Resource.
func (f FormerLine) Probes() []recipe.Probe { return f.Line.Probes() }

// Diff implements recipe.Resource.
func (f FormerLine) Diff(facts recipe.Facts) (recipe.Change, error) {
	part := f.Line.part()
	part.absent, part.ours, part.edit = len(f.Back) == 0, f.Ours, f.edit
	return part.diff(facts)
}

// edit puts what stood there before in the place of the first line that ours replaces, the others as
// far below as they were.
func (f FormerLine) edit(text string) (string, error) {
	replaces, err := f.Line.replaces()
	if err != nil {
		return "", err
	}
	lines := strings.SplitAfter(text, "\n")
	inside := inBlocks(lines)
	var stay, went []string
	place := -1
	for i, line := range lines {
		bare := strings.TrimSuffix(line, "\n")
		if inside[i] || line == "" || !replaces(bare) {
			stay = append(stay, line)
			continue
		}
		if place < 0 {
			place = len(stay)
		}
		went = append(went, bare)
	}
	if f.isBack(went, lines) {
		return text, nil
	}
	if place < 0 {
		stay, place = []string{ended(text)}, 1
	}
	for i, line := range f.Back {
		if i > 0 {
			place = min(place+line.Below, len(stay))
		}
		stay = slices.Insert(stay, place, line.Line+"\n")
		place++
	}
	return strings.Join(stay, ""), nil
}

// isBack reports whether all that stood there before does, and nothing else that ours replaces.
func (f FormerLine) isBack(found, lines []string) bool {
	for _, line := range found {
		if !slices.ContainsFunc(f.Back, func(r recipe.Replaced) bool { return r.Line == line }) {
			return false
		}
	}
	for _, back := range f.Back {
		if !slices.ContainsFunc(lines, func(l string) bool { return strings.TrimSuffix(l, "\n") == back.Line }) {
			return false
		}
	}
	return true
}
