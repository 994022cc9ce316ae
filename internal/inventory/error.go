// Package inventory reads hosts.yaml: the hosts, their groups, the tasks that belong on
// them and the variables of those tasks. It is strict: what it does not understand it
// refuses, with the place and what to write instead, before anything is connected to.
package inventory

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"provision/internal/recipe"
)

// Position is a place in a file. Line and Column count from 1, the column in characters;
// a Line of 0 is the file as a whole, or the command line where File says so.
type Position struct {
	File   string
	Line   int
	Column int
}

// String returns file:line:column, as compilers and editors write it.
func (p Position) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// Error is one thing that is refused, and where it stands.
type Error struct {
	Position
	What    string // "variable graphite.auth"; "" when the problem says it all
	Problem string
	Advice  string // what to do about it; "" when there is nothing to say
	Cause   error  // of a file that cannot be read
}

// Error returns "file:line:column: what: problem".
func (e *Error) Error() string {
	var parts []string
	for _, part := range []string{e.Position.String(), e.What, e.Problem} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, ": ")
}

// Hint returns what to do about it, "" when there is nothing to say.
func (e *Error) Hint() string { return e.Advice }

// Unwrap returns the cause, so that errors.Is(err, fs.ErrNotExist) tells of a missing file.
func (e *Error) Unwrap() error { return e.Cause }

// Errors is everything that is wrong with a file, in the file's order. Load and Parse
// return it when there is more than one thing; a single one is returned as *Error.
type Errors []*Error

// ShownErrors is how many of a file's errors are printed.
const ShownErrors = 20

// Error returns the errors, one a line, twenty at the most; each with its hint but the
// last, since whoever prints an error prints its Hint too.
func (e Errors) Error() string {
	var lines []string
	for i, err := range e[:min(len(e), ShownErrors)] {
		lines = append(lines, err.Error())
		if err.Advice != "" && i < len(e)-1 {
			lines = append(lines, "  hint: "+err.Advice)
		}
	}
	if more := len(e) - ShownErrors; more > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(lines, "\n")
}

// Hint returns the last error's hint, where that one is shown.
func (e Errors) Hint() string {
	if len(e) > ShownErrors {
		return ""
	}
	return e[len(e)-1].Hint()
}

// Unwrap returns each error.
func (e Errors) Unwrap() []error {
	all := make([]error, len(e))
	for i, err := range e {
		all[i] = err
	}
	return all
}

// result returns the errors sorted by place, nil when there are none.
func (e Errors) result() error {
	slices.SortStableFunc(e, func(a, b *Error) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	switch len(e) {
	case 0:
		return nil
	case 1:
		return e[0]
	}
	return e
}

// short cuts a text to what an error can show of it.
func short(text string) string {
	runes := []rune(text)
	if len(runes) <= 60 {
		return text
	}
	return string(runes[:57]) + "..."
}

// shownNames is how many names a hint lists.
const shownNames = 12

// didYouMean returns a hint with the nearest name, or with all of a few.
func didYouMean(word string, names []string) string {
	if near := recipe.Nearest(word, names); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	if len(names) == 0 || len(names) > shownNames {
		return ""
	}
	return "one of " + strings.Join(names, ", ")
}
