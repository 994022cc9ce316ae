package resource

import (
	"slices"

	"golang.org/x/crypto/ssh"

	"provision/internal/recipe"
)

// This file says what two things that were wanted at one path have to do with each other: a file and
// a part of it, and two lines of which one is there only without the other.

// At returns the path that a trace is at, "" for none; whole says that it is all that is there.
func At(t recipe.Trace) (path string, whole bool) {
	switch {
	case t.Kind == "authorized_key":
		return AuthorizedKey{User: t.Name, Home: t.Home}.file(), false
	case t.Alone() || t.Part():
		return t.Name, t.Alone()
	}
	return "", false
}

// Meet reports whether one of two things cannot be taken away and leave the other as it is.
func Meet(one, other recipe.Trace) bool {
	path, whole := At(one)
	same, all := At(other)
	return path != "" && path == same && (whole || all || touches(one, other) || touches(other, one))
}

// touches reports whether one part of a file replaces the line of another. Of a secret line it is
// known how it begins, at the most: then it may be so.
func touches(t, other recipe.Trace) bool {
	line := other.Line
	if other.Secret {
		line = other.Key
	}
	switch {
	case t.Kind == "block" || other.Kind == "block":
		return false
	case line == "":
		return true
	}
	return isOf(t, line)
}

// isOf reports whether a part of a file stands in the place of a line.
func isOf(t recipe.Trace, line string) bool {
	if t.Kind == "authorized_key" {
		key, err := parseKey(line)
		return err == nil && ssh.FingerprintSHA256(key) == t.Key
	}
	replaces, err := lineOf(t).replaces()
	return err == nil && replaces(line)
}

func lineOf(t recipe.Trace) Line {
	return Line{Path: t.Name, Line: t.Line, Key: t.Key, Match: t.Match, Secret: t.Secret}
}

// Rest returns what is left of a line that is no longer wanted when another, which it would replace,
// has taken its place beside it.
func Rest(old, wanted recipe.Trace) (recipe.Trace, bool) {
	_, whole := At(wanted)
	if whole || old.Kind != "line" || old.Gone || old.Line == "" || isOf(wanted, old.Line) {
		return recipe.Trace{}, false
	}
	return recipe.Trace{Kind: "line", Name: old.Name, Line: old.Line, Notifies: old.Notifies, Before: &recipe.Before{Nothing: true}}, true
}

// Stays reports whether a line that is no longer wanted, and that another would not replace, is not
// known to be ours: then the other stands beside it, and takes the place of nothing.
func Stays(old, wanted recipe.Trace) bool {
	_, whole := At(wanted)
	if whole || old.Kind != "line" || old.Line == "" || isOf(wanted, old.Line) {
		return false
	}
	return old.Before == nil || slices.ContainsFunc(old.Before.Lines(), func(r recipe.Replaced) bool { return r.Line == old.Line })
}

// Inherits returns what stood in the place of a part of a file before any task wanted it or those
// that it meets, which were wanted before; nil where that is not known.
func Inherits(wanted recipe.Remembered, earlier []recipe.Trace, facts recipe.Facts) *recipe.Before {
	none := recipe.Before{Nothing: true}
	for _, t := range earlier {
		if t.Before == nil {
			return nil
		}
		none.NoFile = none.NoFile || t.Before.NoFile
		if !t.Before.Nothing && len(t.Before.Lines()) == 0 {
			return &recipe.Before{} // and what it was is not known
		}
	}
	line, ok := wanted.(Line)
	if !ok {
		none.Nothing = !slices.ContainsFunc(earlier, func(t recipe.Trace) bool { return !t.Before.Nothing })
		return &none
	}
	stood := line.stood(stoodFor(line.found(facts), earlier), none)
	return &stood
}

// stoodFor are lines with those of earlier tasks replaced by what stood in their place.
func stoodFor(found []recipe.Replaced, earlier []recipe.Trace) []recipe.Replaced {
	var stood []recipe.Replaced
	below := 0
	for _, line := range found {
		line.Below += below
		below = 0
		ours := slices.IndexFunc(earlier, func(t recipe.Trace) bool { return t.Line == line.Line || t.Secret && isOf(t, line.Line) })
		if ours < 0 {
			stood = append(stood, line)
			continue
		}
		back := earlier[ours].Before.Lines()
		if len(back) == 0 {
			below = line.Below
			continue
		}
		back[0].Below = line.Below
		stood = append(stood, back...)
	}
	if len(found) == 0 { // somebody has taken ours out
		for _, t := range earlier {
			stood = append(stood, t.Before.Lines()...)
		}
	}
	return stood
}
