package resource

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"provision/internal/recipe"
)

// Block is some lines of a file that somebody else owns, between two that mark them as ours: they
// are replaced as a whole, and appended where they are not there.
//
//	Block{Path: "/etc/hosts", Name: "cluster", Text: "10.0.0.1 db1\n10.0.0.2 db2\n"}
//
// stands there as
//
//	# BEGIN provision cluster
//	10.0.0.1 db1
//	10.0.0.2 db2
//	# END provision cluster
type Block struct {
	Path    string
	Name    string // what tells it from other blocks of the file
	Text    string // its lines
	Comment string // what begins a comment there; default "#"
	Absent  bool
	Secret  bool // nothing of the file is shown
	Ours    bool // with Absent: its file was not there before, and goes when nothing else is in it
}

// ID implements recipe.Resource.
func (b Block) ID() string { return "block:" + b.Path + ":" + b.Name }

// Place implements recipe.Placed.
func (b Block) Place() string { return b.Path }

// Probes implements recipe.Resource.
func (b Block) Probes() []recipe.Probe { return b.part().probes() }

var blockName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9 ._@:-]*$`)

// Validate refuses what cannot be meant.
func (b Block) Validate() error {
	lines := strings.Split(b.Text, "\n")
	switch {
	case b.Text == "" && !b.Absent:
		return fmt.Errorf("block of %s: no text", b.Path)
	case strings.ContainsAny(b.Text, "\x00\r") || strings.ContainsAny(b.Comment, "\x00\r\n"):
		return fmt.Errorf("block of %s: it has a NUL or a carriage return", b.Path)
	case slices.Contains(lines, b.mark("BEGIN")) || slices.Contains(lines, b.mark("END")):
		return fmt.Errorf("block of %s: one of its lines marks where it begins or ends", b.Path)
	}
	if err := checkName("block", b.Name, blockName); err != nil {
		return err
	}
	return checkPath("block of", b.Path)
}

func (b Block) part() part {
	return part{
		path: b.Path, absent: b.Absent, ours: b.Ours, fresh: recipe.Attributes{Mode: 0o644, Owner: "root", Group: "root"},
		secret: b.Secret, what: "block", edit: b.edit,
	}
}

// mark is the line before, or after.
func (b Block) mark(which string) string {
	return cmp.Or(b.Comment, "#") + " " + which + " provision " + b.Name
}

// Diff implements recipe.Resource.
func (b Block) Diff(facts recipe.Facts) (recipe.Change, error) { return b.part().diff(facts) }

// edit replaces the first block of this name. Others of it are one too many.
func (b Block) edit(text string) (string, error) {
	begin, end := b.mark("BEGIN"), b.mark("END")
	whole := begin + "\n" + ended(b.Text) + end + "\n"
	var kept strings.Builder
	inside, placed := false, b.Absent
	for _, line := range strings.SplitAfter(text, "\n") {
		switch bare := strings.TrimSuffix(line, "\n"); {
		case !inside && bare == begin:
			inside = true
		case inside && bare == end:
			inside = false
			if !placed {
				kept.WriteString(whole)
				placed = true
			}
		case inside && bare == begin || bare == end:
			return "", errors.New(strconv.Quote(bare) + " stands there alone: where the block is has to be mended by hand")
		case !inside:
			kept.WriteString(line)
		}
	}
	if inside {
		return "", errors.New(strconv.Quote(begin) + " stands there without its end: where the block is has to be mended by hand")
	}
	if placed {
		return kept.String(), nil
	}
	return ended(kept.String()) + whole, nil
}

// Hidden is the block likewise: see File.Hidden.
func (b Block) Hidden() recipe.Resource {
	b.Secret = true
	return b
}

// Trace implements recipe.Remembered.
func (b Block) Trace() recipe.Trace {
	return recipe.Trace{Kind: "block", Name: b.Path, Key: b.Name, Comment: b.Comment, Gone: b.Absent, Secret: b.Secret}
}

// Stood implements recipe.Remembered.
func (b Block) Stood(facts recipe.Facts) recipe.Before {
	for line := range strings.Lines(string(facts.Content(b.Path).Bytes)) {
		if strings.TrimSuffix(line, "\n") == b.mark("BEGIN") {
			return recipe.Before{}
		}
	}
	return noPart(b.Path, facts)
}

// leave implements leaver: it goes, unless another stood in its place.
func (Block) leave(t recipe.Trace, _ Leaving) (recipe.Resource, string) {
	switch {
	case t.Gone:
		return nil, ""
	case !t.Before.Nothing:
		return nil, called(t)
	}
	return FormerPart{Block{Path: t.Name, Name: t.Key, Comment: t.Comment, Secret: t.Secret, Absent: true, Ours: t.Before.NoFile}}, ""
}
