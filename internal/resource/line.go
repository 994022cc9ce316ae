package resource

import (
	"fmt"
	"strconv"
	"strings"

	"provision/internal/recipe"
)

// Line is one line of a file that somebody else owns, as a package's configuration. A
// line that starts with Key stands for it and is replaced; without one it is appended.
type Line struct {
	Path   string
	Line   string
	Key    string // the start of lines that this one replaces; "" is only the line itself
	Absent bool
	Secret bool // neither the line nor anything of its file is shown; it needs a Key
}

// ID implements recipe.Resource.
func (l Line) ID() string { return "line:" + l.Path + ":" + l.start() }

// Place implements recipe.Placed.
func (l Line) Place() string { return l.Path }

// Probes implements recipe.Resource.
func (l Line) Probes() []recipe.Probe {
	return []recipe.Probe{{Key: recipe.PathKey(l.Path), Digest: true}, {Key: recipe.ContentKey(l.Path)}}
}

// Validate refuses what cannot be meant.
func (l Line) Validate() error {
	shown := strconv.Quote(l.Line)
	if l.Secret {
		shown = "the secret one"
	}
	switch {
	case strings.ContainsAny(l.Line+l.Key, "\x00\n\r") || l.Line == "":
		return fmt.Errorf("line of %s: %s is not one line", l.Path, shown)
	case !strings.HasPrefix(l.Line, l.Key):
		return fmt.Errorf("line of %s: %s does not start with its key %q, so a second run would add it again", l.Path, shown, l.Key)
	case l.Secret && l.Key == "":
		return fmt.Errorf("line of %s: %s needs a key, by which it is called", l.Path, shown)
	}
	return checkPath("line of", l.Path)
}

func (l Line) start() string {
	if l.Key != "" {
		return l.Key
	}
	return l.Line
}

// Diff implements recipe.Resource.
func (l Line) Diff(facts recipe.Facts) (recipe.Change, error) {
	found := facts.Path(l.Path)
	switch {
	case found.Type == recipe.PathAbsent && l.Absent:
		return recipe.Change{}, nil
	case found.Type == recipe.PathAbsent:
		found = recipe.Path{Type: recipe.PathAbsent, Mode: 0o644, Owner: "root", Group: "root"}
	case found.Type != recipe.PathFile:
		return recipe.Change{}, fmt.Errorf("%s: is a %s, not a file", l.Path, found.Type)
	}
	before := facts.Content(l.Path).Bytes
	// A probe leaves out what is longer than a mebibyte: to edit nothing would empty the file.
	if found.SHA256 != "" && found.SHA256 != recipe.Digest(before) {
		return recipe.Change{}, fmt.Errorf("%s: longer than 1 MiB, or changed while it was read", l.Path)
	}
	after := l.edit(string(before))
	if after == string(before) && found.Type == recipe.PathFile {
		return recipe.Change{}, nil
	}
	write := recipe.WriteFile{
		Path: l.Path, Content: []byte(after),
		Attributes: recipe.Attributes{Mode: found.Mode, Owner: found.Owner, Group: found.Group}, Secret: l.Secret,
	}
	kind := recipe.Update
	if found.Type == recipe.PathAbsent {
		kind = recipe.Create
	}
	diff := &recipe.FileDiff{Path: l.Path, Exists: found.Type == recipe.PathFile, After: write.Content, Secret: l.Secret}
	if !l.Secret {
		diff.Before = before
	}
	return recipe.Change{
		Kind: kind, Summary: "line differs", Diff: diff,
		Steps: []recipe.Step{write},
	}, nil
}

// edit returns text with the line in place of the first one that it replaces, and without
// the others; at the end where there was none.
func (l Line) edit(text string) string {
	var kept []string
	placed := l.Absent
	for _, line := range strings.SplitAfter(text, "\n") {
		bare := strings.TrimSuffix(line, "\n")
		replaces := bare == l.Line || l.Key != "" && strings.HasPrefix(bare, l.Key)
		switch {
		case !replaces:
			kept = append(kept, line)
		case !placed:
			kept = append(kept, l.Line+"\n")
			placed = true
		}
	}
	joined := strings.Join(kept, "")
	if placed {
		return joined
	}
	if joined != "" && !strings.HasSuffix(joined, "\n") {
		joined += "\n"
	}
	return joined + l.Line + "\n"
}
