package report

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Sanitize makes text from a host harmless on a terminal.
func Sanitize(text string) string { return sanitize(text, false) }

// sanitize makes text from a host harmless on a terminal: escape codes and other control
// characters, bytes that are not UTF-8, and the invisible characters that turn a line
// around are shown in writing, ^[ and \xff and \u202e, instead of being obeyed. Newlines
// and tabs stay, and the carriage return of a DOS line goes.
func sanitize(text string, ascii bool) string {
	clean := true
	for i := 0; i < len(text) && clean; i++ {
		clean = text[i] >= ' ' && text[i] < 0x7f || text[i] == '\n'
	}
	if clean {
		return text
	}
	text = strings.ReplaceAll(text, "\r\n", "\n")
	var out strings.Builder
	for len(text) > 0 {
		r, size := utf8.DecodeRuneInString(text)
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&out, `\x%02x`, text[0])
		case r == '\n' || r == '\t':
			out.WriteRune(r)
		case r < ' ':
			out.WriteString("^" + string(r+'@'))
		case r == 0x7f:
			out.WriteString("^?")
		case r > 0x7f && (ascii || !unicode.IsGraphic(r)):
			out.WriteString(escape(r))
		default:
			out.WriteRune(r)
		}
		text = text[size:]
	}
	return out.String()
}

func escape(r rune) string {
	if r > 0xffff {
		return fmt.Sprintf(`\U%08x`, r)
	}
	return fmt.Sprintf(`\u%04x`, r)
}

// oneLine joins the lines of a text that has to stand on one.
func oneLine(text string) string {
	lines := strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' })
	return strings.ReplaceAll(strings.Join(lines, "; "), "\t", " ")
}

// expandTabs puts spaces in the place of tabs, to stops of 8 columns, so that a line can be
// indented and its width be known.
func expandTabs(line string) string {
	if !strings.Contains(line, "\t") {
		return line
	}
	var out strings.Builder
	for i, part := range strings.Split(line, "\t") {
		if i > 0 {
			out.WriteString(strings.Repeat(" ", 8-width(out.String())%8))
		}
		out.WriteString(part)
	}
	return out.String()
}
