package report

import (
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestSanitize(t *testing.T) {
	tests := []struct {
		name, text string
		ascii      bool
		want       string
	}{
		{"plain", "all is well\n", false, "all is well\n"},
		{"colour", "\x1b[31mred\x1b[0m", false, "^[[31mred^[[0m"},
		{"title of the window", "\x1b]0;owned\x07", false, "^[]0;owned^G"},
		{"progress by carriage return", "5 %\r10 %", false, "5 %^M10 %"},
		{"DOS line", "one\r\ntwo\r\n", false, "one\ntwo\n"},
		{"not UTF-8", "caf\xe9", false, `caf\xe9`},
		{"C1 control", "\u009b31m", false, `\u009b31m`},
		{"turned around", "a\u202eb\u200bc", false, `a\u202eb\u200bc`},
		{"UTF-8", "naïve → ✓", false, "naïve → ✓"},
		{"UTF-8 where there is none", "naïve 😀", true, `na\u00efve \U0001f600`},
		{"tab", "a\tb", false, "a\tb"},
		{"delete", "a\x7fb", false, "a^?b"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := sanitize(test.text, test.ascii); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// FuzzSanitize checks that nothing stays that a terminal would obey.
func FuzzSanitize(f *testing.F) {
	f.Add("\x1b[2J\xff\u202e\r\x00", true)
	f.Fuzz(func(t *testing.T, text string, ascii bool) {
		for _, r := range sanitize(text, ascii) {
			if r != '\n' && r != '\t' && (unicode.IsControl(r) || !unicode.IsGraphic(r)) {
				t.Fatalf("%q stays in %q", r, sanitize(text, ascii))
			}
		}
		if !utf8.ValidString(sanitize(text, ascii)) {
			t.Fatalf("not UTF-8: %q", sanitize(text, ascii))
		}
	})
}

func TestExpandTabs(t *testing.T) {
	for text, want := range map[string]string{"a\tb": "a       b", "\tb": "        b", "12345678\tb": "12345678        b", "none": "none"} {
		if got := expandTabs(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}
