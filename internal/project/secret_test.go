package project

import (
	"reflect"
	"testing"

	"provision/internal/recipe"
	"provision/internal/resource"
)

// A secret is filled in where a file's content has it, and makes the file secret; print masks it.
func TestSecrets(t *testing.T) {
	p, printed := open(t, `
-- tasks/shop.star --
variables = [var("token", secret, default = None), var("word", str)]

def build(v, host):
    print("the token is", v.token, "and %s" % v.token)
    return [
        file("/a", template("a.tmpl", token = v.token)),
        file("/b", "token = %s, {}\n".format(v.token) % v.token),
        file("/c", "a" + v.token + "b"),
        file("/d", template("a.tmpl", token = "x-" + v.token)),
        file("/e", template("b.tmpl", tokens = [{"token": v.token}])),
        line("/f", "token " + v.token, key = "token "),
        command("log in", "shop login", unless = "false", input = "%s\n" % v.token),
        file("/g", "set" if v.token else "not set"),
        file("/h", v.word, absent = False),
        file("/i", v.token),
    ]
-- tasks/templates/a.tmpl --
{{ iniValue .token }}
-- tasks/templates/b.tmpl --
{{ range .tokens }}{{ .token }}{{ end }}
`)
	if of := p.Tasks()[0].Variables; of[0].Needed || !of[1].Needed {
		t.Error("default = None has to be set, or no default need not be")
	}
	const text, escaped = "50%", "50%%\n"
	r := built(t, p, recipe.Values{"token": recipe.NewSecret(text), "word": "open"})
	want := map[string]resource.File{
		"/a": {Content: escaped, Secret: true}, "/b": {Content: "token = " + text + ", " + text + "\n", Secret: true},
		"/c": {Content: "a" + text + "b", Secret: true}, "/d": {Content: "x-" + escaped, Secret: true}, "/e": {Content: text + "\n", Secret: true},
		"/g": {Content: "set"}, "/h": {Content: "open"}, "/i": {Content: text, Secret: true},
	}
	for _, one := range listed(r) {
		switch got := one.(type) {
		case resource.File:
			if w := want[got.Path]; got.Content != w.Content || got.Secret != w.Secret {
				t.Errorf("%s: %q %v, want %q %v", got.Path, got.Content, got.Secret, w.Content, w.Secret)
			}
		case resource.Line:
			if got.Line != "token "+text || !got.Secret {
				t.Errorf("the line is %q, secret %v", got.Line, got.Secret)
			}
		case resource.Command:
			if got.Input.Reveal() != text+"\n" {
				t.Errorf("the input is %q", got.Input.Reveal())
			}
		}
	}
	if want := []string{"tasks/shop.star:4: the token is [secret] and [secret]"}; !reflect.DeepEqual((*printed)[:1], want) {
		t.Errorf("printed %q, want %q", *printed, want)
	}
}

// A file is as secret without its secret as with it: what stands there before may have one.
func TestNoSecret(t *testing.T) {
	p, _ := open(t, `
-- tasks/shop.star --
variables = [var("token", secret)]

def build(v, host):
    return [file("/a", "token " + v.token), file("/b", "set" if v.token else "not set")]
`)
	want := []recipe.Resource{resource.File{Path: "/a", Content: "token ", Secret: true}, resource.File{Path: "/b", Content: "not set"}}
	if got := listed(built(t, p, nil)); !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
