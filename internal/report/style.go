package report

import (
	"io"
	"strings"

	"github.com/charmbracelet/lipgloss"
	"github.com/charmbracelet/x/ansi"
	"github.com/muesli/termenv"

	"provision/internal/recipe"
)

// page is what a writer can show: how wide, with which colours and signs. What renders
// records is a method of page, and pure.
type page struct {
	width   int // columns, 0 for any
	ascii   bool
	colored bool
	at      bool // where a task says what it wants is told
	paint   paint
	sign    signs
}

// paint are the colours: the terminal's own sixteen, so that they go with its background.
type paint struct {
	create, update, remove, act, maybe lipgloss.Style
	good, bad, strong, faint, plain    lipgloss.Style
}

// signs are the single characters, each one column wide in its own set.
type signs struct {
	act, good, bad, restored, bar, arrow, dot, more, full, rest string
	spinner                                                     []string
}

func newPage(o Options) page {
	renderer := lipgloss.NewRenderer(io.Discard)
	renderer.SetColorProfile(termenv.Ascii)
	if o.Color {
		renderer.SetColorProfile(termenv.ANSI)
	}
	style := func(color string) lipgloss.Style {
		return renderer.NewStyle().TabWidth(lipgloss.NoTabConversion).Foreground(lipgloss.Color(color))
	}
	none := renderer.NewStyle().TabWidth(lipgloss.NoTabConversion)
	return page{width: o.Width, ascii: o.ASCII, colored: o.Color, at: o.Verbosity >= 1, sign: newSigns(o.ASCII), paint: paint{
		create: style("2"), update: style("3"), remove: style("1"), act: style("6"), maybe: style("5"),
		good: style("2"), bad: style("1").Bold(true), strong: none.Bold(true), faint: none.Faint(true), plain: none,
	}}
}

func newSigns(ascii bool) signs {
	if ascii {
		return signs{act: ">", good: "*", bad: "!", restored: "<", bar: "|", arrow: "->", dot: ", ", more: "...",
			full: "#", rest: ".", spinner: []string{"-", `\`, "|", "/"}}
	}
	return signs{act: "▸", good: "✓", bad: "✗", restored: "↺", bar: "│", arrow: "→", dot: " · ", more: "…",
		full: "━", rest: "╌", spinner: []string{"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"}}
}

// symbol returns the sign of a kind of change, coloured.
func (p page) symbol(kind recipe.ChangeKind) string {
	switch kind {
	case recipe.Create:
		return p.paint.create.Render("+")
	case recipe.Update:
		return p.paint.update.Render("~")
	case recipe.Delete:
		return p.paint.remove.Render("-")
	case recipe.Act:
		return p.paint.act.Render(p.sign.act)
	case recipe.Becomes, recipe.MayBe:
		return p.paint.maybe.Render("?")
	}
	return p.paint.faint.Render("=")
}

// join puts texts that are not empty side by side, with a dot between.
func (p page) join(texts ...string) string {
	var some []string
	for _, text := range texts {
		if text != "" {
			some = append(some, text)
		}
	}
	return strings.Join(some, p.sign.dot)
}

// width is the number of columns that text takes, escape codes left out.
func width(text string) int { return ansi.StringWidth(text) }

// pad fills text up to a number of columns.
func pad(text string, columns int) string {
	return text + strings.Repeat(" ", max(0, columns-width(text)))
}

// cut shortens text to a number of columns.
func (p page) cut(text string, columns int) string {
	return ansi.Truncate(text, max(columns, 1), p.sign.more)
}

// prose wraps text between words: first stands before its first line, and as many spaces
// before the others. What is meant to be read is never wider than 100 columns, and a word
// that is wider is left whole, for it is a path or an address to copy.
func (p page) prose(first, text string, paint lipgloss.Style) []string {
	room := max(min(p.width, 100)-width(first)-1, 20)
	indent := strings.Repeat(" ", width(first))
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && p.width > 0 && width(line)+1+width(word) > room {
			lines = append(lines, line)
			line = ""
		}
		line = strings.TrimPrefix(line+" "+word, " ")
	}
	lines = append(lines, line)
	for i, line := range lines {
		before := indent
		if i == 0 {
			before = first
		}
		lines[i] = before + paint.Render(line)
	}
	return lines
}

// barred sets lines of text behind a bar, wrapped at the width: the text is whole.
func (p page) barred(indent, text string, paint lipgloss.Style) []string {
	var lines []string
	before := indent + p.paint.faint.Render(p.sign.bar) + " "
	for _, line := range strings.Split(strings.TrimRight(text, "\n"), "\n") {
		for _, part := range p.wrap(expandTabs(line), width(before)) {
			lines = append(lines, strings.TrimRight(before+paint.Render(part), " "))
		}
	}
	return lines
}

// wrap breaks a line that is too wide, between words where it can.
func (p page) wrap(line string, used int) []string {
	if p.width == 0 {
		return []string{line}
	}
	return strings.Split(ansi.Wrap(line, max(p.width-used-1, 20), " "), "\n")
}
