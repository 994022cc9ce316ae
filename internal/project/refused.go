package project

import (
	"errors"
	"strings"

	"go.starlark.net/resolve"
	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"provision/internal/recipe"
)

// advised is what a word of ours refuses: the place is where it was called.
type advised struct {
	problem, advice string
	cause           error
}

func (a *advised) Error() string { return a.problem }

func plain(problem, advice string) error { return &advised{problem: problem, advice: advice} }

// explain says where an error of Starlark stands, and what to write instead.
func (p *Project) explain(err error) *recipe.SourceError {
	var own *recipe.SourceError
	if errors.As(err, &own) { // of a file that was loaded
		return own
	}
	var syntaxError syntax.Error
	var names resolve.ErrorList
	var failed *starlark.EvalError
	switch {
	case errors.As(err, &syntaxError):
		return p.unread(p.beforeNewline(position(syntaxError.Pos), syntaxError.Msg), syntaxError.Msg)
	case errors.As(err, &names):
		return p.unresolved(position(names[0].Pos), names[0].Msg)
	case errors.As(err, &failed):
		return p.failed(failed)
	}
	return &recipe.SourceError{Problem: err.Error(), Cause: err}
}

// beforeNewline is the end of the line that ends too early: Starlark's place is behind its newline.
func (p *Project) beforeNewline(at recipe.Position, message string) recipe.Position {
	if at.Column != 1 || !strings.HasPrefix(message, "got newline, want") {
		return at
	}
	at.Line--
	at.Column = 1 + len([]rune(p.line(at)))
	return at
}

// failed is an error of what ran: at the innermost place of the project's files.
func (p *Project) failed(failed *starlark.EvalError) *recipe.SourceError {
	stack := failed.CallStack
	if callMismatch.MatchString(failed.Msg) && len(stack) > 1 { // the function has not begun
		stack = stack[:len(stack)-1]
	}
	refused := &recipe.SourceError{At: p.atWord(placeOf(stack), stack.At(0).Name), Problem: failed.Msg}
	var advice *advised
	if errors.As(failed, &advice) {
		refused.Problem, refused.Advice, refused.Cause = advice.problem, advice.advice, advice.cause
		return refused
	}
	if text, said := strings.CutPrefix(failed.Msg, "fail: "); said {
		refused.Problem = p.masked(text)
		return refused
	}
	refused.Problem, refused.Advice = reworded(p.masked(failed.Msg))
	return refused
}

// atWord is the place of a word that is called: Starlark's is that of the bracket behind it.
func (p *Project) atWord(at recipe.Position, word string) recipe.Position {
	before := []rune(p.line(at))
	if at.Column < 1 || at.Column > len(before) || !strings.HasSuffix(string(before[:at.Column-1]), word) {
		return at
	}
	at.Column -= len([]rune(word))
	return at
}

// placeOf is the innermost place of a call, and who called the function that it is in. What is
// not the project's has no file.
func placeOf(stack starlark.CallStack) recipe.Position {
	var at recipe.Position
	for depth := range len(stack) {
		here := stack.At(depth).Pos
		if here.Line == 0 {
			continue
		}
		if at.File != "" {
			at.By = recipe.Position{File: here.Filename(), Line: int(here.Line)}.Short()
			break
		}
		at = position(here)
	}
	return at
}

// line is a line of a file that was read, for what it says in Python.
func (p *Project) line(at recipe.Position) string {
	m := p.read[at.File]
	if m == nil {
		return ""
	}
	lines := strings.Split(m.text, "\n")
	if at.Line < 1 || at.Line > len(lines) {
		return ""
	}
	return lines[at.Line-1]
}
