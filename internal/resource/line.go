package resource

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"provision/internal/recipe"
)

// Line is one line of a file that somebody else owns, as a package's configuration. It stands in
// the place of the first line that it replaces, and the others that it replaces go; where there is
// none it is appended. What is in a Block stays, whatever it is.
//
//	Line{Path: "/etc/ssh/sshd_config", Line: "PermitRootLogin no", Match: `^#?PermitRootLogin\s`}
//
// Match is a regular expression as of https://pkg.go.dev/regexp/syntax, which is tried on each line.
type Line struct {
	Path   string
	Line   string
	Key    string // the start of lines that this one replaces, itself among them; "" is only the line itself
	Match  string // or a regular expression that such lines match, itself among them
	Absent bool   // neither the line nor one that it would replace is there
	Secret bool   // neither the line nor anything of its file is shown; it needs a Key or a Match
	Ours   bool   // with Absent: its file was not there before, and goes when nothing else is in it
}

// ID implements recipe.Resource.
func (l Line) ID() string { return "line:" + l.Path + ":" + l.called() }

// Place implements recipe.Placed.
func (l Line) Place() string { return l.Path }

// Probes implements recipe.Resource.
func (l Line) Probes() []recipe.Probe { return l.part().probes() }

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
	case l.Key != "" && l.Match != "":
		return fmt.Errorf("line of %s: %s has a key and a match: one says what it replaces", l.Path, shown)
	case l.Secret && l.Key+l.Match == "":
		return fmt.Errorf("line of %s: %s needs a key, by which it is called", l.Path, shown)
	}
	match, err := regexp.Compile(l.Match)
	if err != nil {
		return fmt.Errorf("line of %s: %w", l.Path, err)
	}
	if !match.MatchString(l.Line) {
		return fmt.Errorf("line of %s: %s does not match %q, so a later one would not replace it", l.Path, shown, l.Match)
	}
	return checkPath("line of", l.Path)
}

// called is what tells a line from others of its file.
func (l Line) called() string { return cmp.Or(l.Key, l.Match, l.Line) }

func (l Line) part() part {
	return part{
		path: l.Path, absent: l.Absent, ours: l.Ours, fresh: recipe.Attributes{Mode: 0o644, Owner: "root", Group: "root"},
		secret: l.Secret, what: "line", edit: l.edit,
	}
}

// Diff implements recipe.Resource.
func (l Line) Diff(facts recipe.Facts) (recipe.Change, error) { return l.part().diff(facts) }

func (l Line) edit(text string) (string, error) {
	replaces, err := l.replaces()
	if err != nil {
		return "", err
	}
	line := l.Line
	if l.Absent {
		line = ""
	}
	inside, at := inBlocks(strings.SplitAfter(text, "\n")), -1
	return replaced(text, line, func(old string) bool {
		at++
		return !inside[at] && replaces(old)
	}), nil
}

// replaces returns what decides whether the line stands in the place of one that is there.
func (l Line) replaces() (func(old string) bool, error) {
	ours := func(old string) bool { return old == l.Line || l.Key != "" && strings.HasPrefix(old, l.Key) }
	if l.Match == "" {
		return ours, nil
	}
	match, err := regexp.Compile(l.Match)
	return func(old string) bool { return ours(old) || match.MatchString(old) }, err
}

// Hidden is the line likewise: see File.Hidden.
func (l Line) Hidden() recipe.Resource {
	l.Secret = true
	return l
}

// Trace implements recipe.Remembered.
func (l Line) Trace() recipe.Trace {
	trace := recipe.Trace{Kind: "line", Name: l.Path, Key: l.Key, Match: l.Match, Line: l.Line, Gone: l.Absent, Secret: l.Secret}
	if l.Secret {
		trace.Line = ""
	}
	return trace
}

// Stood implements recipe.Remembered: of a secret line only whether there was one.
func (l Line) Stood(facts recipe.Facts) recipe.Before {
	return l.stood(l.found(facts), noPart(l.Path, facts))
}

// leave implements leaver: it goes, or those that it replaced come back.
func (Line) leave(t recipe.Trace, _ Leaving) (recipe.Resource, string) {
	back := t.Before.Lines()
	switch {
	case len(back) > 0:
	case t.Gone:
		return nil, ""
	case !t.Before.Nothing:
		return nil, "secret line " + t.Key + " of " + t.Name
	}
	return FormerLine{Line: lineOf(t), Back: back, Ours: t.Before.NoFile}, ""
}

func (l Line) stood(found []recipe.Replaced, none recipe.Before) recipe.Before {
	switch {
	case len(found) == 0:
		return none
	case l.Secret:
		return recipe.Before{}
	}
	return recipe.Before{Line: found[0].Line, More: found[1:]}
}

// found are the lines of the file that the line replaces.
func (l Line) found(facts recipe.Facts) []recipe.Replaced {
	replaces, err := l.replaces()
	if err != nil { // Validate has refused it
		return nil
	}
	var found []recipe.Replaced
	below := 0
	lines := slices.Collect(strings.Lines(string(facts.Content(l.Path).Bytes)))
	inside := inBlocks(lines)
	for i, line := range lines {
		line = strings.TrimSuffix(line, "\n")
		if inside[i] || !replaces(line) {
			below++
			continue
		}
		if len(found) == 0 {
			below = 0
		}
		found = append(found, recipe.Replaced{Line: line, Below: below})
		below = 0
	}
	return found
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
