package remote

import (
	"strings"
)

// directive is a keyword of ssh_config with what follows it: a line of a file, a -o, or a line of
// what ssh -G prints.
type directive struct {
	where string   // "/root/.ssh/config:3", "-o", "ssh -G"
	name  string   // the keyword as it was written
	key   string   // the keyword in lower case, by its first name
	words []string // what follows it, as ssh splits that
	rest  string   // the same, unsplit: a command is taken whole

	expanded bool // ssh has put in what %h and the like stand for
}

// what names the line in an error.
func (l directive) what() string {
	if strings.HasPrefix(l.where, "-") {
		return l.where + " " + l.name
	}
	return l.where + ": " + l.name
}

// word is the line's one value.
func (l directive) word() string {
	if len(l.words) == 0 {
		return ""
	}
	return l.words[0]
}

// is tells whether the one value is this one, which stands for itself: none, SSH_AUTH_SOCK.
func (l directive) is(value string) bool {
	return len(l.words) == 1 && strings.EqualFold(l.words[0], value)
}

const blank = " \t\r\n"

// splitLine splits a line as ssh does (readconf.c, process_config_line): a keyword, white space
// or one "=", and the rest. ok is false for an empty line and a comment.
func splitLine(text string) (name, rest string, ok bool) {
	text = strings.Trim(text, blank+"\f")
	if text == "" || text[0] == '#' {
		return "", "", false
	}
	end := strings.IndexAny(text, blank+`="`)
	if end < 0 {
		return text, "", true
	}
	rest = strings.TrimLeft(text[end:], blank)
	return text[:end], strings.TrimLeft(strings.TrimPrefix(rest, "="), blank), true
}

// splitWords splits what follows a keyword (misc.c, argv_split). # begins a comment where a word
// could begin. ok is false where a quote is not closed.
func splitWords(text string) (words []string, ok bool) {
	for {
		text = strings.TrimLeft(text, " \t")
		if text == "" || text[0] == '#' {
			return words, true
		}
		var word string
		if word, text, ok = splitWord(text); !ok {
			return nil, false
		}
		words = append(words, word)
	}
}

// splitWord takes the first word off: it, or part of it, may stand in either quote; a backslash
// escapes quotes, itself and, outside quotes, a space.
func splitWord(text string) (word, rest string, ok bool) {
	var out strings.Builder
	var quote byte
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && i+1 < len(text) && (strings.IndexByte(`'"\`, text[i+1]) >= 0 || quote == 0 && text[i+1] == ' '):
			i++
			out.WriteByte(text[i])
		case quote == 0 && (c == '"' || c == '\''):
			quote = c
		case quote != 0 && c == quote:
			quote = 0
		case quote == 0 && (c == ' ' || c == '\t'):
			return out.String(), text[i:], true
		default:
			out.WriteByte(c)
		}
	}
	return out.String(), "", quote == 0
}

// matchHost tells whether the patterns after Host hold for a host: one matches, and none that is
// negated.
func matchHost(patterns []string, host string) bool {
	found := false
	for _, pattern := range patterns {
		if negated, ok := strings.CutPrefix(pattern, "!"); ok {
			if matchPattern(negated, host) {
				return false
			}
			continue
		}
		found = found || matchPattern(pattern, host)
	}
	return found
}

// matchList tells whether a text matches a pattern-list: patterns with commas between them. All
// compares in lower case, as ssh does for keywords.
func matchList(list, text string) bool {
	return matchHost(strings.Split(strings.ToLower(list), ","), strings.ToLower(text))
}
