package tasks

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"provision/internal/recipe"
)

// hostile are texts that would leave their place in nginx.conf, an ini file, Python, a unit
// file, redis.conf or a shell, or would be read as something else there.
var hostile = []string{
	"", " ", "a b", " a", "a ", "a\nb", "a\r\nb", "a\x00b", "a\tb", "a\x1b[31m", "a\u2028b", "a\u202eb", "\xff", "é",
	"a;", "a; }", "{", "}", "'", `"`, "`id`", "$(id)", "$host", "${HOME}", "%n", "%(x)s", "@(file)", "#", "\\", "*", "~^a", "^", "|", "(", "[", "<", "&",
	"-x", "--x", "../x", "/../x", "/a/../b", "/etc/a b", "/etc/a;b", "//", ".", "..", "0x10", "1e3", "0644", "-1", "no", "null",
	"10.0.0.1", "10.0.0.0/8", "10.0.0.1;", "::1", "[::1]:22", "fe80::1%e;id", "a:0", "a:70000", "a:+1", "80/tcp", "80/tcp; accept",
	"redis://a;b", "redis://a\nb", "unix:///x y", "unix:///a\nb", strings.Repeat("a", 300), strings.Repeat("9", 30),
}

// shaped returns a text in every form that a variable could be given.
func shaped(v recipe.Variable, text string) []any {
	switch v.Type {
	case recipe.TypeList:
		return []any{text, []any{text}, []any{"a", text}}
	case recipe.TypeRecords:
		raws := []any{text}
		good := map[string]string{}
		for _, field := range v.Fields {
			good[field] = "a"
		}
		if v.Name == "rules" { // of alerts: what else a rule needs
			good["critical"] = "10"
		}
		if shipped := v.Zero().([]map[string]string); len(shipped) > 0 {
			good = shipped[0]
		}
		for _, field := range v.Keys() {
			record := map[string]any{}
			for name, value := range good {
				record[name] = value
			}
			record[field] = text
			raws = append(raws, []any{record})
		}
		return raws
	}
	return []any{text}
}

// TestNoHostileValueGetsPastItsVariable gives each variable of each task what it may not
// have. What the variable takes, the recipe has to take too, for every release: a value that
// only a template refuses is refused without its place in hosts.yaml.
func TestNoHostileValueGetsPastItsVariable(t *testing.T) {
	taken, refused := 0, 0
	for _, task := range All() {
		for _, v := range task.Variables {
			for _, text := range hostile {
				for _, raw := range shaped(v, text) {
					if _, err := v.Decode(raw); err != nil {
						refused++
						if strings.ContainsAny(err.Error(), "\n\x00\x1b") {
							t.Errorf("%s.%s = %q: the reason is not one line: %q", task.Name, v.Name, raw, err)
						}
						continue
					}
					taken++
					settings := map[string]any{v.Name: raw}
					if slices.ContainsFunc(task.Variables, func(other recipe.Variable) bool { return other.Name == "tls_key" }) && strings.HasPrefix(v.Name, "tls_") {
						settings = map[string]any{"tls": "files", "tls_key": "/k", "tls_certificate": "/c", v.Name: raw}
					}
					buildsOrFails(t, task, settings)
				}
			}
		}
	}
	if taken < 50 || refused < 2000 {
		t.Errorf("%d values taken, %d refused", taken, refused)
	}
	t.Logf("%d values taken, %d refused", taken, refused)
}

func buildsOrFails(t *testing.T, task recipe.Task, settings map[string]any) {
	t.Helper()
	for _, platform := range recipe.Platforms() {
		in := input(t, task, platform, settings)
		if task.Check != nil {
			if _, err := task.Check(in.Vars); err != nil {
				return
			}
		}
		built, err := task.Build(in)
		if err == nil {
			built.Label(task.Name)
			err = built.Validate()
		}
		if err != nil {
			t.Errorf("%s: %s is taken, and then: %v", task.Name, fmt.Sprintf("%q", settings), err)
			return
		}
	}
}
