package report

import (
	"io"
	"strings"
)

// Word is one of the words of own tasks, as it is told.
type Word struct {
	Name       string
	Group      string
	About      string
	Leaves     string // what becomes of what is no longer wanted
	Signature  string
	Example    string
	Manual     string
	Parameters []WordParameter
}

// WordParameter is one argument of a word.
type WordParameter struct {
	Name, Type, Default, Help string
	Required                  bool
}

// Words writes the words of own tasks by what they are for, a line each: what list --kinds
// prints.
func Words(w io.Writer, o Options, words []Word) error {
	p := newPage(o)
	columns := 0
	for _, word := range words {
		columns = max(columns, width(word.Name))
	}
	var lines []string
	group := ""
	for _, word := range words {
		if word.Group != group {
			if group != "" {
				lines = append(lines, "")
			}
			lines = append(lines, p.paint.strong.Render(word.Group))
		}
		group = word.Group
		first, _, _ := strings.Cut(word.About, ". ")
		lines = append(lines, p.prose("  "+p.paint.act.Render(pad(word.Name, columns))+"  ", strings.TrimSuffix(first, "."), p.paint.plain)...)
	}
	return writeLines(w, lines)
}

// OneWord writes all that there is to know of a word: what list kind:NAME prints.
func OneWord(w io.Writer, o Options, word Word) error {
	p := newPage(o)
	lines := []string{p.paint.strong.Render(word.Signature), ""}
	lines = append(lines, p.prose("  ", word.About, p.paint.plain)...)
	if word.Leaves != "" {
		lines = append(lines, "")
		lines = append(lines, p.prose("  ", "No longer wanted: "+word.Leaves, p.paint.plain)...)
	}
	if word.Manual != "" {
		lines = append(lines, "")
		lines = append(lines, p.prose("  ", "See "+word.Manual+".", p.paint.plain)...)
	}
	lines = append(lines, "")
	for line := range strings.Lines(word.Example) {
		lines = append(lines, "  "+p.paint.act.Render(strings.TrimSuffix(line, "\n")))
	}
	for _, parameter := range word.Parameters {
		standard := ""
		switch {
		case parameter.Required:
			standard = "required"
		case parameter.Default != "":
			standard = "default " + parameter.Default
		}
		lines = append(lines, "")
		lines = append(lines, p.withDetails("  "+p.paint.act.Render(parameter.Name), p.join(parameter.Type, standard))...)
		lines = append(lines, p.prose("      ", parameter.Help, p.paint.plain)...)
	}
	return writeLines(w, lines)
}
