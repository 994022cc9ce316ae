package inventory

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"provision/internal/recipe"
)

func TestParseExtra(t *testing.T) {
	tests := map[string]any{
		"graphite.time_zone=no":             "no", // a text is taken as it stands
		"graphite.time_zone=0644":           "0644",
		"graphite.time_zone=a=b: [c] # d":   "a=b: [c] # d",
		"graphite.time_zone=":               "",
		"graphite.tls=off":                  "off",
		"graphite.auth=false":               false,
		"graphite.workers=12":               int64(12),
		"graphite.allowed_hosts=[a, 'b c']": []any{"a", "b c"},
		"graphite.allowed_hosts=[]":         []any{},
		"graphite.schemas=[{name: a, pattern: b, retentions: '1s:1d'}]": []any{map[string]any{"name": "a", "pattern": "b", "retentions": "1s:1d"}},
	}
	for text, want := range tests {
		extra, err := ParseExtra(text, known())
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if diff := cmp.Diff(want, extra.Value); diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
		if key, _, _ := strings.Cut(text, "="); extra.Task+"."+extra.Variable != key {
			t.Errorf("%s: got %s.%s", text, extra.Task, extra.Variable)
		}
	}
}

const secretHint = "-e graphite.password=@FILE reads it from a file, =@- from standard input, =@env:NAME from the environment"

func TestParseExtraRefuses(t *testing.T) {
	tests := []struct{ text, problem, hint string }{
		{"graphite.auth", "-e: no = in it", "write -e task.variable=value"},
		{"graphite.aut=true", `-e graphite.aut: task graphite has no variable "aut"`, `did you mean "graphite.auth"?`},
		{"grafite.auth=true", `-e grafite.auth: there is no task "grafite"`, `did you mean "graphite"?`},
		{"auth=true", `-e auth: there is no task "auth"`, "a variable is written task.variable"},
		{"graphite.auth=no", `-e graphite.auth: want true or false, found the string "no"`, "write false, without quotes"},
		{"graphite.auth=", `-e graphite.auth: want true or false, found nothing`, "write true or false"},
		{"graphite.workers=1e3", `-e graphite.workers: want a whole number, found the number 1e3`, "digits only, without quotes and without a leading zero"},
		{"graphite.workers=[", `-e graphite.workers: YAML: sequence end token ']' not found`, "a bracket that opens has to close"},
		{"graphite.schemas=a", `-e graphite.schemas: want a list of mappings with name, pattern, retentions, found the string "a"`, "each entry has name, pattern, retentions"},
		{"graphite.schemas=[{name: a}]", `-e graphite.schemas: entry 1: pattern is missing`, "each entry has name, pattern, retentions"},
		{"graphite.allowed_hosts=a", `-e graphite.allowed_hosts: want a list, found the string "a"`, "write [a]"},
		{"graphite.allowed_hosts=[a, no]", "-e graphite.allowed_hosts: no is a boolean to many readers of YAML", `as a text it needs quotes: "no"`},
		{"graphite.allowed_hosts=*a", "-e graphite.allowed_hosts: an alias (*): anchors and aliases are not used here", "write it out at each place: an inventory is short, and aliases can grow without bound; a text that begins with * needs quotes"},
		{"graphite.carbon_listen=[x]", `-e graphite.carbon_listen: "x" is not a network`, "Networks that may send metrics."},
		{"graphite.tls=on", `-e graphite.tls: "on" is not one of off, self-signed, files`, "Where the certificate comes from."},
		{"graphite.tls=of", `-e graphite.tls: "of" is not one of off, self-signed, files`, `did you mean "off"?`},
		{"graphite.time_zone=a\nb", "-e graphite.time_zone: a control character in the value", "write it as one line"},
		{"graphite.password=hunter2", "-e graphite.password: a secret on the command line: everybody on this machine can read it", secretHint},
		{"graphite.password=", "-e graphite.password: a secret on the command line: everybody on this machine can read it", secretHint},
		{"graphite.password=@", "-e graphite.password: a secret on the command line: everybody on this machine can read it", secretHint},
		{"graphite.password=@/no/such/file", "-e graphite.password: /no/such/file: no such file or directory", secretHint},
		{"graphite.password=@env:NO_SUCH_VARIABLE", "-e graphite.password: env:NO_SUCH_VARIABLE: there is nothing in it", secretHint},
		{"graphite.password=@/proc", "-e graphite.password: /proc: is a directory", secretHint},
	}
	for _, test := range tests {
		_, err := ParseExtra(test.text, known())
		if err == nil || err.Error() != test.problem || hintOf(err) != test.hint {
			t.Errorf("%q: got %v, hint %q", test.text, err, hintOf(err))
		}
	}
}

func TestExtraSecretsComeFromElsewhere(t *testing.T) {
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte("from a file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("GRAPHITE_PASSWORD", "from the environment")
	for source, want := range map[string]string{"@" + file: "from a file", "@env:GRAPHITE_PASSWORD": "from the environment"} {
		extra, err := ParseExtra("graphite.password="+source, known())
		if err != nil {
			t.Fatal(err)
		}
		values, err := (Host{}).Values("graphite", known(), []Extra{extra})
		if err != nil || values.Secret("password").Reveal() != want {
			t.Errorf("%s: %v", source, err)
		}
		if shown := fmt.Sprintf("%#v %v", extra, values); strings.Contains(shown, want) {
			t.Errorf("shown: %s", shown)
		}
	}
}

// fixed decrypts everything to the same text.
type fixed struct{ text string }

func (f fixed) Decrypt(Ciphertext) (recipe.Secret, error) { return recipe.NewSecret(f.text), nil }

func FuzzParseExtra(f *testing.F) {
	for _, text := range []string{"graphite.auth=true", "graphite.workers=3", "graphite.allowed_hosts=[a, b]", "graphite.user=x", "graphite.password=hunter2",
		"graphite.schemas=[{name: a, pattern: b, retentions: c}]", "=", ".=", "graphite.auth=&a", "graphite.auth={", "graphite.tls=off"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(text, "=@") {
			return // it would read files
		}
		extra, err := ParseExtra(text, known())
		if err != nil {
			if strings.ContainsAny(err.Error(), "\n\r\x00") {
				t.Errorf("the error is more than a line: %q", err)
			}
			if strings.HasPrefix(text, "graphite.password=") && len(text) > 30 && strings.Contains(err.Error(), text[18:]) {
				t.Errorf("the secret is in the error: %q", err)
			}
			return
		}
		if _, err := (Host{}).Values(extra.Task, known(), []Extra{extra}); err != nil {
			t.Errorf("%q is taken and then refused: %v", text, err)
		}
	})
}

func FuzzParse(f *testing.F) {
	files, _ := filepath.Glob("testdata/refused/*.yaml")
	for _, file := range append(files, "../../hosts.example.yaml") {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte(web))
	f.Fuzz(func(t *testing.T, data []byte) {
		inv, err := Parse("hosts.yaml", data, known(), fixed{"the marker"})
		if err != nil {
			placed(t, string(data), err)
			return
		}
		if len(inv.Hosts()) == 0 {
			t.Error("an inventory without hosts was taken")
		}
		for _, host := range inv.Hosts() {
			if _, err := ParseHost(host.Address.String()); err != nil {
				t.Errorf("%q: %v", host.Address, err)
			}
			for task := range known() {
				if _, err := host.Values(task, known(), nil); err != nil {
					t.Errorf("%s: taken and then refused: %v", host.Name, err)
				}
			}
			if got, err := inv.Select([]string{host.Name}); err != nil || len(got) != 1 {
				t.Errorf("%q: selected %d, %v", host.Name, len(got), err)
			}
		}
	})
}
