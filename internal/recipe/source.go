package recipe

import (
	"errors"
	"fmt"
	"strings"
)

// Position is where something stands in a task's source. Of a task in Go it is the zero value.
// Line and Column count from 1; a Line of 0 is the file as a whole.
type Position struct {
	File   string
	Line   int
	Column int
	By     string // FILE:LINE of the call of the function that it stands in, "" where there is none
}

// String returns file:line:column, as compilers and editors write it, "" of no position.
func (p Position) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// Short returns file:line, and by whom that was called: what a person is told of a resource.
func (p Position) Short() string {
	if p.Line == 0 {
		return p.File
	}
	text := fmt.Sprintf("%s:%d", p.File, p.Line)
	if p.By != "" {
		text += ", by " + p.By
	}
	return text
}

// SourceError is something that a task's source says and that is refused.
type SourceError struct {
	At      Position
	Problem string
	Advice  string   // what to write instead; "" when there is nothing to say
	For     []string // what it was built for when it failed: "web1", "on Debian 12, amd64"
	Guessed bool     // something that was made up was read before it failed: for a host it may be another
	Cause   error
}

// Error returns "file:line:column: problem", and behind it for what it was built.
func (e *SourceError) Error() string {
	text := e.Problem
	if at := e.At.String(); at != "" {
		text = at + ": " + text
	}
	about := e.For
	if e.At.By != "" {
		about = append([]string{"called at " + e.At.By}, about...)
	}
	if len(about) > 0 {
		text += " (" + strings.Join(about, ", ") + ")"
	}
	return text
}

// Hint returns what to write instead.
func (e *SourceError) Hint() string { return e.Advice }

// Unwrap returns the cause.
func (e *SourceError) Unwrap() error { return e.Cause }

// Within says for what an error came to be: behind the problem of one that has a place in a
// source, before any other.
func Within(what string, err error) error {
	var source *SourceError
	if !errors.As(err, &source) || source.At.File == "" {
		return fmt.Errorf("%s: %w", what, err)
	}
	about := *source
	about.For = append([]string{what}, source.For...)
	return &about
}

// Guessed reports whether an error may be none for a host that was asked.
func Guessed(err error) bool {
	var source *SourceError
	return errors.As(err, &source) && source.Guessed
}

// Where names an item for a person: its resource, and where its task says so.
func (i Item) Where() string {
	if at := i.At.Short(); at != "" {
		return i.Resource.ID() + " (" + at + ")"
	}
	return i.Resource.ID()
}

// At is where a recipe's task wants a resource.
func (r Recipe) At(id string) Position {
	for _, item := range r.Items {
		if item.Resource.ID() == id {
			return item.At
		}
	}
	return Position{}
}

// refuse is an error of an item: at its place in the source where it has one, else of its task.
func (i Item) refuse(err error, advice string) error {
	if i.At.File == "" {
		return fmt.Errorf("%s: %w", i.Task, err)
	}
	return &SourceError{At: i.At, Problem: err.Error(), Advice: advice, Cause: err}
}
