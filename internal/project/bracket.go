package project

import (
	"regexp"
	"strings"

	"provision/internal/recipe"
)

// brackets are Starlark's messages of a file that goes on where something should be closed.
var brackets = regexp.MustCompile(`^got (end of file|newline|outdent|indent|identifier|def|return|if|for|'='|'[)\]}]')`)

// unclosed is the place of the innermost bracket before a place that nothing closes.
func (p *Project) unclosed(before recipe.Position) (recipe.Position, bool) {
	m := p.read[before.File]
	if m == nil {
		return recipe.Position{}, false
	}
	var open []recipe.Position
	lines := strings.Split(m.text, "\n")
	for i, line := range lines[:min(before.Line, len(lines))] {
		for column, letter := range []rune(withoutTexts(line)) {
			here := recipe.Position{File: before.File, Line: i + 1, Column: column + 1}
			switch {
			case here.Line == before.Line && here.Column == before.Column && len(open) > 0 && closes(lines, open[len(open)-1], letter):
				return here, false
			case here.Line == before.Line && here.Column >= before.Column:
			case strings.ContainsRune("([{", letter):
				open = append(open, here)
			case strings.ContainsRune(")]}", letter) && len(open) > 0:
				open = open[:len(open)-1]
			}
		}
	}
	if len(open) == 0 {
		return recipe.Position{}, false
	}
	return open[len(open)-1], true
}

// closes reports whether a letter closes the bracket at a place.
func closes(lines []string, open recipe.Position, letter rune) bool {
	opened := []rune(lines[open.Line-1])[open.Column-1]
	return strings.IndexRune("([{", opened) == strings.IndexRune(")]}", letter)
}
