// Package script is what provision says to a host, and what the host answers:
// probes and steps as POSIX sh text, and the parser of a probe's answer. It is
// pure: it opens no connection and runs nothing.
package script

import "strings"

// Quote returns text as one word of POSIX sh, whatever it contains. Every value
// that reaches a host's shell goes through it. A single-quoted string has no
// escapes (POSIX.1-2017, XCU 2.2.2), so only the quote itself needs care.
//
// A NUL cannot stand in a shell word; names that hold one are refused where
// they enter (see resource and inventory), and are dropped here.
func Quote(text string) string {
	if text != "" && strings.IndexFunc(text, needsQuote) < 0 {
		return text
	}
	text = strings.ReplaceAll(text, "\x00", "")
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

// QuoteAll returns words quoted and joined by spaces.
func QuoteAll(words ...string) string {
	quoted := make([]string, len(words))
	for i, word := range words {
		quoted[i] = Quote(word)
	}
	return strings.Join(quoted, " ")
}

func needsQuote(r rune) bool {
	switch {
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
		return false
	}
	return !strings.ContainsRune("/._-+:,@%", r)
}
