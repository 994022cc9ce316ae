package script_test

import (
	"os/exec"
	"strings"
	"testing"

	"provision/internal/script"
)

// said is what dash makes of one word.
func said(t *testing.T, word string) string {
	t.Helper()
	cmd := exec.Command("/bin/sh")
	cmd.Stdin = strings.NewReader("printf %s " + word + "\n")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%q: %v: %s", word, err, out)
	}
	return string(out)
}

func TestQuote(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"", "''"},
		{"/etc/nginx/nginx.conf", "/etc/nginx/nginx.conf"},
		{"a b", "'a b'"},
		{"it's", `'it'\''s'`},
		{"$(id)", "'$(id)'"},
		{"a\x00b", "'ab'"},
		{"~", "'~'"},
		{"a=b", "'a=b'"},
		{"ü", "'ü'"},
		{"\xff", "'\xff'"},
	} {
		if got := script.Quote(test.text); got != test.want {
			t.Errorf("Quote(%q) = %s, want %s", test.text, got, test.want)
		}
	}
	if got, want := script.QuoteAll("a", "b c", ""), "a 'b c' ''"; got != want {
		t.Errorf("QuoteAll = %s, want %s", got, want)
	}
}

// What Quote makes of any text, dash reads as that text.
func FuzzQuote(f *testing.F) {
	for _, text := range []string{
		"", "a", "-n", "--", "it's", "''", `"`, `\`, `\'`, "$HOME", "$(id)", "`id`", "a\nb", "a\n", "\n", "*", "?", "[a]",
		"~", "~root", "#c", "!x", "a;b", "a&b", "a|b", "<a", ">a", "(a)", "{a,b}", "%s", "\t", "\r", "\x01", "\x7f", "\xff\xfe", "ü",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if got, want := said(t, script.Quote(text)), strings.ReplaceAll(text, "\x00", ""); got != want {
			t.Errorf("%q came as %q", want, got)
		}
	})
}
