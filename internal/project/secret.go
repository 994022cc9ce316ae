package project

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"provision/internal/recipe"
)

// secret is the value of a secret variable, or a text that was made of one. In another text a
// mark stands for it, which nobody can guess and which is filled in where a secret may be: in a
// file's content. So neither a path nor a command line nor what print says has it.
type secret struct {
	text recipe.Secret
	of   *building
}

// String is what stands for it in a text.
func (s *secret) String() string { return s.of.marked(s.text) }

// Type implements starlark.Value.
func (s *secret) Type() string { return "secret" }

// Freeze implements starlark.Value: it never changes.
func (s *secret) Freeze() {}

// Truth is whether there is a secret.
func (s *secret) Truth() starlark.Bool { return starlark.Bool(!s.text.Empty()) }

// Hash refuses it as a key.
func (s *secret) Hash() (uint32, error) { return 0, errCompared }

// CompareSameType implements starlark.Comparable.
func (s *secret) CompareSameType(syntax.Token, starlark.Value, int) (bool, error) {
	return false, errCompared
}

var errCompared = plain("a secret is compared: that would tell of it", "if v.token: is true where there is one; what depends on more belongs in a variable of its own")

// Binary implements starlark.HasBinary: text + secret is a text with its mark.
func (s *secret) Binary(op syntax.Token, y starlark.Value, side starlark.Side) (starlark.Value, error) {
	text := s.String()
	switch other, ok := y.(starlark.String); {
	case op != syntax.PLUS:
		return nil, nil
	case ok && side == starlark.Left:
		return starlark.String(text + string(other)), nil
	case ok:
		return starlark.String(string(other) + text), nil
	}
	if other, ok := y.(*secret); ok && side == starlark.Left {
		return starlark.String(text + other.String()), nil
	}
	return nil, nil
}

// markEnd ends a mark, behind its number.
const markEnd = "e"

// marked returns the mark of a secret.
func (b *building) marked(text recipe.Secret) string {
	for i, known := range b.secrets {
		if known == text {
			return b.project.mark + strconv.Itoa(i) + markEnd
		}
	}
	b.secrets = append(b.secrets, text)
	return b.project.mark + strconv.Itoa(len(b.secrets)-1) + markEnd
}

// revealed returns a text with the secrets in it, and whether there were any.
func (b *building) revealed(text string) (string, bool, error) {
	mark := b.project.mark
	if !strings.Contains(text, mark) {
		return text, false, b.whole(text)
	}
	var out strings.Builder
	for {
		before, after, found := strings.Cut(text, mark)
		out.WriteString(before)
		if err := b.whole(before); err != nil {
			return "", false, err
		}
		if !found {
			return out.String(), true, nil
		}
		digits, rest, closed := strings.Cut(after, markEnd)
		number, err := strconv.Atoi(digits)
		if !closed || err != nil || number < 0 || number >= len(b.secrets) {
			return "", false, errCut
		}
		out.WriteString(b.secrets[number].Reveal())
		text = rest
	}
}

var errCut = plain("a text with a secret in it was cut or changed", "make the text of its parts: \"user \" + v.token")

// whole refuses a text with half of a mark in it: one that was cut or written in capitals.
func (b *building) whole(text string) error {
	random := b.project.random
	lower := strings.ToLower(text)
	if strings.Contains(lower, random[:12]) || strings.Contains(lower, random[len(random)-12:]) {
		return errCut
	}
	return nil
}

// masked returns a text as it may be shown.
func (p *Project) masked(text string) string {
	for {
		before, after, found := strings.Cut(text, p.mark)
		if !found {
			return text
		}
		_, rest, _ := strings.Cut(after, markEnd)
		text = before + "[secret]" + rest
	}
}

// public refuses a text that has a secret in it, where it would be seen.
func (b *building) public(text string) error {
	_, has, err := b.revealed(text)
	if err != nil {
		return err
	}
	if has {
		return errSeen
	}
	return nil
}

var errSeen = plain("a secret would be seen here", "a secret goes into a file's content, or into input = of a command")

// guarded and uncut are names of functions that no task can call: a space is in them.
const (
	guarded = "not a secret"
	uncut   = "no secret's text"
)

// guardSecrets puts what tells of a text through functions that refuse secrets. Of a comparison each
// side: Starlark itself asks a value only when both sides are of one type, and finds all others
// different, so that v.token == "" would be false, whatever the token is. Of a text what is cut out of
// it, or asked of it: str(v.token)[3:9] would be of the mark that stands for it.
func guardSecrets(file *syntax.File) {
	methods := starlark.String("").AttrNames()
	syntax.Walk(file, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.BinaryExpr:
			if compares(n.Op) {
				n.X, n.Y = guardedOperand(guarded, n.OpPos, n.X), guardedOperand(guarded, n.OpPos, n.Y)
			}
		case *syntax.SliceExpr:
			n.X = guardedOperand(uncut, n.Lbrack, n.X)
		case *syntax.IndexExpr:
			n.X = guardedOperand(uncut, n.Lbrack, n.X)
		case *syntax.CallExpr:
			// format and join make longer texts of theirs, which are as secret.
			if dot, ok := n.Fn.(*syntax.DotExpr); ok && dot.Name.Name != "format" && dot.Name.Name != "join" && slices.Contains(methods, dot.Name.Name) {
				dot.X = guardedOperand(uncut, dot.Dot, dot.X)
			}
		}
		return true
	})
}

func compares(op syntax.Token) bool {
	switch op {
	case syntax.EQL, syntax.NEQ, syntax.LT, syntax.LE, syntax.GT, syntax.GE, syntax.IN, syntax.NOT_IN:
		return true
	}
	return false
}

func guardedOperand(by string, at syntax.Position, operand syntax.Expr) syntax.Expr {
	if _, literal := operand.(*syntax.Literal); literal {
		return operand
	}
	return &syntax.CallExpr{Fn: &syntax.Ident{NamePos: at, Name: by}, Lparen: at, Args: []syntax.Expr{operand}, Rparen: at}
}

func notSecret(thread *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
	b := buildingOf(thread)
	if b != nil && b.holds(args[0], 3) {
		return nil, errCompared
	}
	return args[0], nil
}

// uncutText refuses a text with a secret in it, and passes all else on: a list or a dict of them too.
func uncutText(thread *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
	b := buildingOf(thread)
	if b != nil && b.holds(args[0], 0) {
		return nil, errAsked
	}
	return args[0], nil
}

var errAsked = plain("a text with a secret in it is cut, or asked what is in it: that would tell of it", "make the text of its parts: \"user \" + v.token; what depends on a part belongs in a variable of its own")

// counted is Starlark's len, of what is no secret's text.
func counted(thread *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, named []starlark.Tuple) (starlark.Value, error) {
	b := buildingOf(thread)
	if b != nil && len(args) == 1 && b.holds(args[0], 0) {
		return nil, errAsked
	}
	return starlark.Call(thread, starlark.Universe["len"], args, named)
}

// hashed is Starlark's hash, of what has no secret in it: what stands for one is another in every
// process, and so would be what is computed of it.
func hashed(thread *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, named []starlark.Tuple) (starlark.Value, error) {
	b := buildingOf(thread)
	if b != nil && len(args) == 1 && b.holds(args[0], 1) {
		return nil, plain("hash: of a secret there is none: that would tell of it", "what changes with the secret is the file that it is in: notify = restart(…) there")
	}
	return starlark.Call(thread, starlark.Universe["hash"], args, named)
}

// holds reports whether a value is a secret, or has one in it.
func (b *building) holds(value starlark.Value, depth int) bool {
	switch value := value.(type) {
	case *secret:
		return true
	case starlark.String:
		return strings.Contains(string(value), b.project.mark)
	case *starlark.List:
		for i := range value.Len() {
			if depth > 0 && b.holds(value.Index(i), depth-1) {
				return true
			}
		}
	case starlark.Tuple:
		for _, one := range value {
			if depth > 0 && b.holds(one, depth-1) {
				return true
			}
		}
	case *starlark.Dict:
		for _, item := range value.Items() {
			if depth > 0 && b.holds(item[1], depth-1) {
				return true
			}
		}
	}
	return false
}

// shownText is a value in an error, without what is secret.
func (p *Project) shownText(value starlark.Value) string {
	return p.masked(fmt.Sprint(value))
}
