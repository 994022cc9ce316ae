package resource

import (
	"cmp"
	"fmt"
	"regexp"
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
	match, err := regexp.Compile(l.Match)
	return func(old string) bool {
		return old == l.Line || l.Key != "" && strings.HasPrefix(old, l.Key) || l.Match != "" && match.MatchString(old)
	}, err
}
