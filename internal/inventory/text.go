package inventory

import (
	"bytes"
	"fmt"
	"unicode"
	"unicode/utf8"
)

// What the parser is spared: its time and memory grow with the square of these.
const (
	maxEntries  = 40_000 // lines and commas; at the worst they take it a few seconds
	maxBrackets = 1_000  // open at once
)

// checkText refuses what is no text, and what would keep the parser busy for long.
func checkText(file string, data []byte) error {
	line, open, entries := 0, 0, 0
	for text := range bytes.Lines(data) {
		line++
		if bytes.HasSuffix(text, []byte("\r\n")) {
			text = text[:len(text)-2]
		}
		entries++
		at := Position{file, line, 1}
		if dashes := len(text) - len(bytes.TrimLeft(text, "- ")); bytes.Count(text[:dashes], []byte("- ")) > maxDepth {
			return &Error{Position: at, Problem: "nested too deep", Advice: flat}
		}
		comment := false
		for ; len(text) > 0; at.Column++ {
			r, size := utf8.DecodeRune(text)
			text = text[size:]
			comment = comment || r == '#'
			problem, hint := checkRune(r, size, comment)
			switch {
			case comment:
			case r == ',':
				entries++
			case r == '[', r == '{':
				open++
			case r == ']', r == '}':
				open = max(0, open-1)
			}
			if open > maxBrackets {
				problem, hint = "too many brackets", flat
			}
			if entries > maxEntries {
				problem, hint = fmt.Sprintf("more than %d entries", maxEntries), flat
			}
			if problem != "" {
				return &Error{Position: at, Problem: problem, Advice: hint}
			}
		}
	}
	return nil
}

// checkRune refuses what is no text, and tabs, whose width in columns nobody knows.
func checkRune(r rune, size int, comment bool) (problem, hint string) {
	switch {
	case r == utf8.RuneError && size == 1:
		return "not UTF-8 text", "save the file as UTF-8"
	case r == '\ufeff':
		return "a byte order mark", "save the file as UTF-8 without BOM"
	case r == '\t' && !comment:
		return "a tab", `YAML is indented with spaces; inside double quotes write \t`
	case unicode.IsControl(r) && r != '\n' && r != '\t':
		return fmt.Sprintf("a control character (%U): not a text file", r), "name the file that has your hosts: --inventory FILE"
	}
	return "", ""
}
