package report

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// shortest is the least number of bytes that can be masked by value: what is shorter stands
// in half of all words. Such a value is not masked, so a secret must not be that short.
const shortest = 4

// Masker replaces secrets in text by Mark: each value, each line of a value that has
// several, and the forms in which encodings carry them: base64 (also inside a longer text,
// as in HTTP's basic authentication), URL, hex, JSON, and the quotes of Go and of sh.
//
// It goes by value, so it cannot mask a value, or a line, of fewer than 4 bytes, nor one
// that was cut in pieces or wrapped.
type Masker struct{ forms []string }

// NewMasker returns a masker of values; empty and too short ones are left out.
func NewMasker(values []string) *Masker {
	known, seen := map[string]bool{}, map[string]bool{}
	for _, value := range values {
		if seen[value] { // thousands of hosts may have the same
			continue
		}
		seen[value] = true
		for _, text := range append(strings.Split(value, "\n"), value) {
			text = strings.TrimSpace(text)
			if len(text) < shortest {
				continue
			}
			for _, form := range forms(text) {
				known[form] = true
			}
		}
	}
	m := &Masker{}
	for form := range known {
		m.forms = append(m.forms, form)
	}
	slices.Sort(m.forms)
	return m
}

// forms returns the ways in which text may be written.
func forms(text string) []string {
	quoted := strconv.Quote(text)
	encoded, _ := json.Marshal(text) // of a string it cannot fail
	all := []string{
		text,
		strings.ReplaceAll(text, "'", `'\''`),
		quoted[1 : len(quoted)-1],
		string(encoded[1 : len(encoded)-1]),
		url.QueryEscape(text),
		url.PathEscape(text),
		hex.EncodeToString([]byte(text)),
	}
	for shift := range 3 {
		all = append(all, inBase64(text, shift)...)
	}
	return all
}

// inBase64 returns what base64 makes of text when it stands shift bytes after a multiple of
// three: only the characters that depend on nothing but text. A short rest would mask what
// is no secret, so from a shifted text at least 8 characters must be left.
func inBase64(text string, shift int) []string {
	padded := append(make([]byte, shift), text...)
	first := (shift*8 + 5) / 6
	last := len(padded) * 8 / 6
	if last-first < 8 && shift > 0 || last <= first {
		return nil
	}
	return []string{
		base64.StdEncoding.EncodeToString(padded)[first:last],
		base64.URLEncoding.EncodeToString(padded)[first:last],
	}
}

// Mask returns text with Mark in place of every secret. Secrets that overlap become one.
func (m *Masker) Mask(text string) string {
	var found []span
	for _, form := range m.forms {
		for from := 0; ; {
			at := strings.Index(text[from:], form)
			if at < 0 {
				break
			}
			found = append(found, span{from + at, from + at + len(form)})
			from += at + 1
		}
	}
	if len(found) == 0 {
		return text
	}
	slices.SortFunc(found, func(a, b span) int { return a.start - b.start })
	var masked strings.Builder
	shown := 0
	for i := 0; i < len(found); {
		end := found[i].end
		masked.WriteString(text[shown:found[i].start] + Mark)
		for i++; i < len(found) && found[i].start < end; i++ {
			end = max(end, found[i].end)
		}
		shown = end
	}
	return masked.String() + text[shown:]
}

// span is a part of a text, in bytes.
type span struct{ start, end int }
