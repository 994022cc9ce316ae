package templates

import (
	"errors"
	"io/fs"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestRenderTellsWhereItFails(t *testing.T) {
	cases := []struct {
		name, text string
		data       any
		want       string
	}{
		{"unknown field", "a\nb {{.Port}}\n", struct{ Host string }{"x"}, `templates/x/y.tmpl:2: <.Port>: can't evaluate field Port in type struct { Host string }`},
		{"missing key", "{{.port}}", map[string]string{"host": "x"}, `templates/x/y.tmpl:1: <.port>: map has no entry for key "port"`},
		{"syntax", "a\n\n{{if}}", nil, "templates/x/y.tmpl:3: missing value for if"},
		{"unknown function", "{{shout .}}", "x", `templates/x/y.tmpl:1: function "shout" not defined`},
		{"unfit value", "listen {{nginxValue .}};", "a;b", `templates/x/y.tmpl:1: <nginxValue .>: "a;b" cannot stand there: not a value for nginx`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			out, err := render("x/y.tmpl", c.text, c.data)
			if err == nil || err.Error() != c.want {
				t.Errorf("got %q, %v\nwant %s", out, err, c.want)
			}
		})
	}
}

func TestRenderUnknown(t *testing.T) {
	if _, err := Render("graphite/nothing.tmpl", nil); !errors.Is(err, ErrUnknown) {
		t.Errorf("got %v", err)
	}
}

// Every template must at least parse, and refuse data that is not its own.
func TestAllTemplatesParseAndAreStrict(t *testing.T) {
	names, err := fs.Glob(files, "*/*.tmpl")
	if err != nil || len(names) == 0 {
		t.Fatalf("no templates: %v", err)
	}
	for _, name := range names {
		text, err := files.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := render(name, string(text)+"{{.NoSuchField}}", struct{}{}); err == nil || !strings.HasPrefix(err.Error(), "templates/"+name+":") {
			t.Errorf("%s: got %v", name, err)
		}
		if !strings.HasSuffix(string(text), "\n") {
			t.Errorf("%s: no newline at its end", name)
		}
	}
}

func TestEscapes(t *testing.T) {
	accept := []struct {
		name   string
		escape func(string) (string, error)
		in     string
		want   string
	}{
		{"nginx name", nginxValue, "*.example.org", "*.example.org"},
		{"nginx path", nginxValue, "/etc/ssl/a_b-1.pem", "/etc/ssl/a_b-1.pem"},
		{"ini pattern", iniValue, `^a\.(b|c)[^.]+$`, `^a\.(b|c)[^.]+$`},
		{"ini per cent", iniValue, "50%", "50%%"},
		{"python quote", pythonString, `it's "x"\`, `"it's \"x\"\\"`},
		{"python lines", pythonString, "a\nb\x00é😀", `"a\nb\x00\u00e9\U0001f600"`},
		{"unit per cent", unitValue, "A (50%)", "A (50%%)"},
		{"unit assignment", unitAssignment, "A=50%", "A=50%%"},
		{"unit assignment with a blank", unitAssignment, "A=a LD_PRELOAD=b", `"A=a LD_PRELOAD=b"`},
		{"unit assignment with quotes", unitAssignment, `A="a" 'b' \c $d ;50%`, `"A=\"a\" 'b' \\c $d ;50%%"`},
		{"network", prefix, "10.0.0.0/8", "10.0.0.0/8"},
		{"uwsgi path", uwsgiValue, "/run/a-b/uwsgi.sock", "/run/a-b/uwsgi.sock"},
		{"section", iniName, "default", "default"},
	}
	for _, c := range accept {
		if got, err := c.escape(c.in); err != nil || got != c.want {
			t.Errorf("%s: got %q, %v, want %q", c.name, got, err, c.want)
		}
	}
	refuse := map[string]struct {
		escape func(string) (string, error)
		values []string
	}{
		"nginxValue":       {nginxValue, []string{"", "a b", "a\nb", "a;", "a{", "a}", "$host", `"a"`, "a'", `a\`, "#a", "~a", "é", "a\x00"}},
		"iniValue":         {iniValue, []string{"", " a", "a ", "a\nb", "a\rb", "a\x00", "\xff", "a\u2028b"}},
		"iniName":          {iniName, []string{"", "DEFAULT", "a]", "a\nb", "a b"}},
		"pythonString":     {pythonString, []string{"\xff"}},
		"javascriptString": {javascriptString, []string{"\xff"}},
		"unitValue":        {unitValue, []string{"", " a", "a\nb", `a\`, `"a"`, "$a", "a;b"}},
		"unitWord":         {unitWord, []string{"", "a b", "a\tb", " a", "a\nb", `a\`, `"a"`, "$a", "a;b"}},
		"unitAssignment":   {unitAssignment, []string{"", "a", "=a", "a b=c", "A=a\nb", "A=a\x00", "A=a\tb", "A=\xff"}},
		"uwsgiValue":       {uwsgiValue, []string{"", "a b", "a\nb", "%n", "$(HOME)", "@(file)", "_graphité"}},
		"redisValue":       {redisValue, []string{"", "a b", "a\nb", `"a"`, "a'", `a\`, "#a", "a\x00", "é"}},
		"lineValue":        {lineValue, []string{"", " a", "a ", "a\nb", "a\rb", "a\x00", "\xff", "a\u2028b"}},
		"prefix":           {prefix, []string{"", "10.0.0.0", "10.0.0.1/8", "10.0.0.0/33", "x/8", "fe80::1%eth0/64"}},
		"address":          {address, []string{"", "a", "10.0.0.0/8", "010.0.0.1", "fe80::1%eth0", "2001:DB8::1"}},
	}
	for name, c := range refuse {
		for _, value := range c.values {
			if got, err := c.escape(value); err == nil {
				t.Errorf("%s(%q) = %q, want an error", name, value, got)
			} else if !errors.Is(err, ErrUnfit) {
				t.Errorf("%s(%q): %v does not wrap ErrUnfit", name, value, err)
			}
		}
	}
}

// One word of nginx.conf: whatever goes in, what comes out holds nothing that nginx would
// take for the end of the word.
func FuzzNginxValue(f *testing.F) {
	f.Fuzz(func(t *testing.T, value string) {
		got, err := nginxValue(value)
		if err == nil && (got != value || got == "" || strings.ContainsAny(got, " \t\r\n;{}\"'\\#$\x00")) {
			t.Errorf("nginxValue(%q) = %q", value, got)
		}
	})
}

// What configparser gives back is what went in: one line, trimmed, each %% a %.
func FuzzIniValue(f *testing.F) {
	f.Fuzz(func(t *testing.T, value string) {
		got, err := iniValue(value)
		if err != nil {
			return
		}
		if strings.ContainsAny(got, "\r\n\x00") || strings.TrimSpace(got) != got {
			t.Errorf("iniValue(%q) = %q: not one trimmed line", value, got)
		}
		back := strings.ReplaceAll(got, "%%", "%")
		if back != value || strings.Contains(strings.ReplaceAll(got, "%%", ""), "%") {
			t.Errorf("iniValue(%q) = %q, which reads as %q", value, got, back)
		}
	})
}

// Of gimel's settings the whole rest of a line is the value.
func FuzzLineValue(f *testing.F) {
	f.Add("correct horse")
	f.Fuzz(func(t *testing.T, value string) {
		got, err := lineValue(value)
		if err == nil && (got != value || strings.TrimSpace(got) != got || strings.ContainsAny(got, "\r\n\x00\u2028") || !utf8.ValidString(got)) {
			t.Errorf("lineValue(%q) = %q", value, got)
		}
	})
}

// What stands as one word in redis.conf, in uWSGI's ini and as a section's name goes through
// unchanged, and holds nothing that ends a word or has a meaning there.
func FuzzWords(f *testing.F) {
	f.Add("/run/redis/redis-server.sock")
	f.Fuzz(func(t *testing.T, value string) {
		for name, escape := range map[string]func(string) (string, error){"redisValue": redisValue, "uwsgiValue": uwsgiValue, "iniName": iniName} {
			got, err := escape(value)
			if err == nil && (got != value || got == "" || got == "DEFAULT" && name == "iniName" ||
				strings.ContainsFunc(got, func(r rune) bool { return r <= ' ' || r > '~' }) || strings.ContainsAny(got, "\"'\\#;%$()[]{}")) {
				t.Errorf("%s(%q) = %q", name, value, got)
			}
		}
		if got, err := prefix(value); err == nil {
			if network, err := netip.ParsePrefix(got); err != nil || network != network.Masked() {
				t.Errorf("prefix(%q) = %q", value, got)
			}
		}
	})
}

// Go and Python agree on ASCII literals; so Go may read what Python will.
func FuzzPythonString(f *testing.F) {
	f.Fuzz(func(t *testing.T, value string) {
		got, err := pythonString(value)
		if err != nil {
			if utf8.ValidString(value) {
				t.Errorf("pythonString(%q): %v", value, err)
			}
			return
		}
		back, err := strconv.Unquote(got)
		if err != nil || back != value {
			t.Errorf("pythonString(%q) = %s, which reads as %q, %v", value, got, back, err)
		}
		for _, r := range got {
			if r < ' ' || r > '~' {
				t.Errorf("pythonString(%q) = %s: not printable ASCII", value, got)
			}
		}
	})
}

// A value of a unit file stays on its line and is no specifier.
func FuzzUnitValue(f *testing.F) {
	f.Fuzz(func(t *testing.T, value string) {
		got, err := unitValue(value)
		if err == nil && (strings.ContainsAny(got, "\r\n\\\"'$;\x00") || strings.Contains(strings.ReplaceAll(got, "%%", ""), "%")) {
			t.Errorf("unitValue(%q) = %q", value, got)
		}
	})
}
