package report

import (
	"io"
	"strings"
)

// Word is one of the words of own tasks, as it is told.
type Word struct {
	Name       string          `json:"name"`
	Group      string          `json:"group"`
	About      string          `json:"about"`
	Leaves     string          `json:"leaves,omitempty"` // what becomes of what is no longer wanted
	Signature  string          `json:"signature"`
	Example    string          `json:"example"`
	Manual     string          `json:"see,omitempty"`
	Parameters []WordParameter `json:"arguments"`
	Gives      []WordGiven     `json:"gives,omitempty"`
}

// WordGiven is something to know of what a word has made.
type WordGiven struct {
	Name string `json:"name"`
	Help string `json:"help"`
}

// WordParameter is one argument of a word.
type WordParameter struct {
	Name     string `json:"name"`
	Type     string `json:"type"`
	Default  string `json:"default,omitempty"` // as it would be written
	Help     string `json:"help"`
	Required bool   `json:"needed,omitempty"`
	ByName   bool   `json:"by_name,omitempty"` // it cannot be given by its place
}

// listedKind is a line of list --kinds --json.
type listedKind struct {
	head
	Word
}

// Kinds writes a line for each word of own tasks.
func (j *JSON) Kinds(words []Word) error {
	for _, word := range words {
		j.write(&listedKind{head{Time: newStamp(j.now()), Event: "kind"}, word})
	}
	return j.Close()
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
	for _, given := range word.Gives {
		lines = append(lines, "")
		lines = append(lines, p.withDetails("  "+p.paint.act.Render("."+given.Name), "to know of it")...)
		lines = append(lines, p.prose("      ", given.Help, p.paint.plain)...)
	}
	return writeLines(w, lines)
}
