package resource

import (
	"fmt"
	"slices"
	"strings"

	"provision/internal/recipe"
)

// part is what is wanted of a file that is somebody else's: a line of it, a block, a key.
type part struct {
	path   string
	absent bool              // it is not wanted: where there is no file, nothing is to be done
	ours   bool              // then the file goes too, when nothing else is in it
	fresh  recipe.Attributes // of a file that is not there yet
	secret bool              // nothing of the file is shown
	what   string            // differs, for people: "line"
	edit   func(text string) (string, error)
}

// probes are what diff goes by.
func (p part) probes() []recipe.Probe {
	return []recipe.Probe{{Key: recipe.PathKey(p.path), Digest: true}, {Key: recipe.ContentKey(p.path)}}
}

// diff edits what is there. The file keeps its mode and its owners.
func (p part) diff(facts recipe.Facts) (recipe.Change, error) {
	found := facts.Path(p.path)
	exists := found.Type == recipe.PathFile
	attributes := recipe.Attributes{Mode: found.Mode, Owner: found.Owner, Group: found.Group}
	switch {
	case found.Type == recipe.PathAbsent && p.absent:
		return recipe.Change{}, nil
	case found.Type == recipe.PathAbsent:
		attributes = p.fresh
	case !exists:
		return recipe.Change{}, fmt.Errorf("%s: is a %s, not a file", p.path, found.Type)
	}
	content := facts.Content(p.path)
	before := content.Bytes
	// What its daemon rewrote between the two questions is as it was read, whose file is still the same
	// one's: Redis and Sentinel write to their own configuration.
	if found.SHA256 != "" && len(before) > 0 && content.Size == 0 {
		found.SHA256 = recipe.Digest(before)
	}
	// A probe leaves out what is longer than a mebibyte: to edit nothing would empty the file. One
	// without a digest was not there when that was made: what was read may be another.
	if exists && found.SHA256 != recipe.Digest(before) {
		return recipe.Change{}, fmt.Errorf("%s: longer than 1 MiB, or became another while it was read, or reached by a link of another account", p.path)
	}
	after, err := p.edit(string(before))
	if err != nil {
		return recipe.Change{}, fmt.Errorf("%s: %w", p.path, err)
	}
	if after == string(before) && exists {
		return recipe.Change{}, nil
	}
	if p.absent && p.ours && after == "" {
		return File{Path: p.path, Secret: p.secret}.remove(found), nil
	}
	change := recipe.Change{
		Kind: recipe.Update, Summary: p.what + " differs",
		Diff:  &recipe.FileDiff{Path: p.path, Exists: exists, After: []byte(after), Secret: p.secret},
		Steps: []recipe.Step{recipe.WriteFile{Path: p.path, Content: []byte(after), Attributes: attributes, Secret: p.secret}},
	}
	if !exists { // all of it is the part
		change.Kind, change.Summary = recipe.Create, ""
	}
	if !p.secret {
		change.Diff.Before = before
	}
	return change, nil
}

// matching are the lines of a text that something is true of.
func matching(text string, is func(line string) bool) []string {
	var lines []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSuffix(line, "\n"); is(line) {
			lines = append(lines, line)
		}
	}
	return lines
}

// replaced returns text with a line in place of the first that it replaces, and without the
// others of these; at the end where there was none. An empty line only takes them away.
func replaced(text, line string, replaces func(line string) bool) string {
	var kept []string
	placed := line == ""
	for _, old := range strings.SplitAfter(text, "\n") {
		switch {
		case !replaces(strings.TrimSuffix(old, "\n")):
			kept = append(kept, old)
		case !placed:
			kept = append(kept, line+"\n")
			placed = true
		}
	}
	joined := strings.Join(kept, "")
	if placed {
		return joined
	}
	return ended(joined) + line + "\n"
}

// inBlocks tells of each line of a file whether it is in a block of ours, or marks one: that is the
// block's alone.
func inBlocks(lines []string) []bool {
	inside := make([]bool, len(lines))
	for i, line := range lines {
		comment, name, begins := strings.Cut(strings.TrimSuffix(line, "\n"), " BEGIN provision ")
		if !begins || inside[i] {
			continue
		}
		end := slices.IndexFunc(lines[i:], func(l string) bool {
			return strings.TrimSuffix(l, "\n") == comment+" END provision "+name
		})
		for j := i; j <= i+end; j++ {
			inside[j] = true
		}
	}
	return inside
}

// ended returns text with a newline at its end, where it has any.
func ended(text string) string {
	if text != "" && !strings.HasSuffix(text, "\n") {
		return text + "\n"
	}
	return text
}

// noPart is what stood before a part of a file that was not there.
func noPart(file string, facts recipe.Facts) recipe.Before {
	return recipe.Before{Nothing: true, NoFile: facts.Path(file).Type == recipe.PathAbsent}
}

// FormerPart is a block or a key that no task wants any more. It goes, and decides nothing of what
// else stands at the path.
type FormerPart struct{ recipe.Resource }

func (f FormerPart) edit(text string) (string, error) {
	return f.Resource.(interface{ edit(string) (string, error) }).edit(text)
}
