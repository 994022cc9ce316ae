package resource_test

import (
	"fmt"
	"strings"
	"testing"

	"provision/internal/recipe"
	"provision/internal/resource"
)

// holds is a file with its content, as a probe finds it.
func holds(path, content string, is recipe.Path) []recipe.Effect {
	is.Type, is.SHA256 = recipe.PathFile, recipe.Digest([]byte(content))
	return one(found(path, is), recipe.Known(recipe.ContentKey(path), recipe.Content{Bytes: []byte(content)}))
}

// becomes is one text of a file and what a part of it makes of that.
type becomes struct {
	wanted       recipe.Resource
	before, want string
}

func edits(t *testing.T, path string, besides []recipe.Effect, all []becomes) {
	t.Helper()
	for _, test := range all {
		facts := recipe.Facts{}
		facts.Apply(append(besides, holds(path, test.before, recipe.Path{Mode: 0o640})...))
		change, err := test.wanted.Diff(facts)
		if err != nil {
			t.Fatal(err)
		}
		if test.want == test.before {
			if !change.Empty() {
				t.Errorf("%s: %q is not left as it is: %+v", test.wanted.ID(), test.before, change)
			}
			continue
		}
		if change.Empty() {
			t.Errorf("%s: %q stays, want %q", test.wanted.ID(), test.before, test.want)
			continue
		}
		if write := change.Steps[0].(recipe.WriteFile); string(write.Content) != test.want || write.Mode != 0o640 {
			t.Errorf("%s: %q becomes %q with mode %o, want %q", test.wanted.ID(), test.before, write.Content, write.Mode, test.want)
		}
		facts.Apply(change.Effects())
		if again, err := test.wanted.Diff(facts); err != nil || !again.Empty() {
			t.Errorf("%s: then it wants %+v, %v", test.wanted.ID(), again, err)
		}
	}
}

func TestLineByMatch(t *testing.T) {
	wanted := resource.Line{Path: at, Line: "Port 2222", Match: `(?i)^#?\s*port\s`}
	gone := wanted
	gone.Absent = true
	secret := resource.Line{Path: at, Line: "password = hunter2", Match: `^password\b`, Secret: true}
	edits(t, at, nil, []becomes{
		{wanted, "", "Port 2222\n"},
		{wanted, "a\n#Port 22\nb\nport 23\n", "a\nPort 2222\nb\n"},
		{wanted, "PortX 1\n", "PortX 1\nPort 2222\n"},
		{wanted, "a\nPort 2222", "a\nPort 2222\n"},
		{wanted, "Port 2222\n", "Port 2222\n"},
		{gone, "a\n#Port 22\nPort 2222\nb", "a\nb"},
		{gone, "a", "a"},
		{secret, "password = old\n", "password = hunter2\n"},
	})
	facts := recipe.Facts{}
	facts.Apply(holds(at, "password = old\n", recipe.Path{Mode: 0o600}))
	change, err := secret.Diff(facts)
	if err != nil || !change.Diff.Secret || change.Diff.Before != nil || !recipe.SecretOf(change.Steps[0]) || strings.Contains(secret.ID(), "hunter2") {
		t.Errorf("%s: %+v, %v", secret.ID(), change, err)
	}
}

func TestBlock(t *testing.T) {
	wanted := resource.Block{Path: at, Name: "x", Text: "1\n2"}
	gone := resource.Block{Path: at, Name: "x", Absent: true}
	ini := resource.Block{Path: at, Name: "x", Text: "1\n", Comment: ";"}
	const whole, other = "# BEGIN provision x\n1\n2\n# END provision x\n", "# BEGIN provision xx\nother\n# END provision xx\n"
	const old = "# BEGIN provision x\nold\n# END provision x\n"
	edits(t, at, nil, []becomes{
		{wanted, "", whole},
		{wanted, whole, whole},
		{wanted, "a\n" + other, "a\n" + other + whole},
		{wanted, "a", "a\n" + whole},
		{wanted, "a\n" + old + "b", "a\n" + whole + "b"},
		{wanted, "a\n" + old + "b\n" + whole, "a\n" + whole + "b\n"},
		{wanted, "# BEGIN provision x\n# END provision x", whole},
		{gone, "a\n" + old + other + "b", "a\n" + other + "b"},
		{gone, "a", "a"},
		{ini, whole, whole + "; BEGIN provision x\n1\n; END provision x\n"},
	})
	half := "# BEGIN provision x\n1\n"
	check(t, []row{
		{name: "no file", wanted: wanted, kind: recipe.Create, steps: "write /etc/a"},
		{name: "no end", wanted: wanted, found: holds(at, half, recipe.Path{Mode: 0o644}), err: `/etc/a: "# BEGIN provision x" stands there without its end`},
		{name: "two beginnings", wanted: gone, found: holds(at, half+whole, recipe.Path{Mode: 0o644}), err: `"# BEGIN provision x" stands there alone`},
		{name: "no beginning", wanted: wanted, found: holds(at, "# END provision x\n", recipe.Path{Mode: 0o644}), err: `"# END provision x" stands there alone`},
		{name: "gone, no file", wanted: gone},
		{name: "link", wanted: wanted, found: isLink, err: "is a link, not a file"},
		{name: "secret", wanted: resource.Block{Path: at, Name: "x", Text: "1", Secret: true}, found: holds(at, old, recipe.Path{Mode: 0o644}), kind: recipe.Update, steps: "write /etc/a"},
	})
}

const (
	ed25519 = "AAAAC3NzaC1lZDI1NTE5AAAAIGPKSUTyz1HwHReFVvD5obVsALAgJRNarH4TRpNePnAS"
	another = "AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"
)

func TestAuthorizedKey(t *testing.T) {
	const file = "/home/u/.ssh/authorized_keys"
	wanted := resource.AuthorizedKey{User: "u", Key: `from="10.0.0.0/8" ssh-ed25519 ` + ed25519 + " u@laptop"}
	gone := resource.AuthorizedKey{User: "u", Key: "ssh-ed25519 " + ed25519, Absent: true}
	account := func(home string) recipe.Effect {
		return recipe.Known(recipe.UserKey("u"), recipe.User{Exists: true, UID: 1000, Group: "g", Home: home})
	}
	is := func(path string, mode uint32, owner string) recipe.Effect {
		return found(path, recipe.Path{Type: recipe.PathDirectory, Mode: mode, Owner: owner, Group: "g"})
	}
	base := one(account("/home/u"), is("/home/u", 0o755, "u"), is("/home/u/.ssh", 0o755, "u"))
	has := func(content string, mode uint32, owner string) []recipe.Effect {
		return append(base[:3:3], holds(file, content, recipe.Path{Mode: mode, Owner: owner, Group: "g"})...)
	}
	line := wanted.Key + "\n"
	other := "# mine\nssh-ed25519 " + another + " other\nno key at all\n"
	edits(t, file, base, []becomes{
		{wanted, "", line},
		{wanted, other, other + line},
		{wanted, "ssh-ed25519 " + ed25519 + "\n" + other + "ssh-ed25519 " + ed25519 + " again\n", line + other},
		{wanted, other + line, other + line},
		{gone, other + line + other, other + other},
		{gone, other, other},
	})
	check(t, []row{
		{name: "no account", wanted: wanted, err: "there is no user u"},
		{name: "another home", wanted: wanted, found: one(account("/srv/u")), err: "the home of u is /srv/u, not /home/u"},
		{name: "no home", wanted: wanted, found: one(account("/home/u")), err: "is no directory"},
		{name: "a home of others", wanted: wanted, found: one(account("/home/u"), is("/home/u", 0o775, "u")), err: "sshd takes no key from it"},
		{name: "a home of another", wanted: wanted, found: one(account("/home/u"), is("/home/u", 0o755, "v")), err: "sshd takes no key from it"},
		{name: "no directory", wanted: wanted, found: base[:2:2], kind: recipe.Create, steps: "make directory /home/u/.ssh; write " + file},
		{name: "no file", wanted: wanted, found: base, kind: recipe.Create, steps: "write " + file},
		{name: "same", wanted: wanted, found: has(line, 0o644, "u")},
		{name: "same, root's", wanted: wanted, found: has(line, 0o600, "root")},
		{name: "a directory of others", wanted: wanted, found: append(has(line, 0o600, "u"), is("/home/u/.ssh", 0o770, "u")), kind: recipe.Update, steps: "set mode and owner of /home/u/.ssh", deltas: "mode 0770→0700"},
		{name: "a file of others", wanted: wanted, found: has(line, 0o660, "u"), kind: recipe.Update, steps: "set mode and owner of " + file, deltas: "mode 0660→0600"},
		{name: "a file of others, without it", wanted: wanted, found: has(other, 0o660, "v"), kind: recipe.Update, steps: "write " + file + "; set mode and owner of " + file, deltas: "mode 0660→0600; owner v:g→u:g"},
		{name: "a link", wanted: wanted, found: append(base[:2:2], found("/home/u/.ssh", recipe.Path{Type: recipe.PathLink, Target: "/etc"})), err: "is a link, not a directory"},
		{name: "gone, no account", wanted: gone},
		{name: "gone, there", wanted: gone, found: has(other+line, 0o644, "u"), kind: recipe.Update, steps: "write " + file},
	})
	if id := wanted.ID(); id != gone.ID() || !strings.HasPrefix(id, "authorized_key:u:SHA256:") {
		t.Errorf("%s and %s are one key", id, gone.ID())
	}
	if place := (resource.AuthorizedKey{User: "root"}).Place(); place != "/root/.ssh/authorized_keys" {
		t.Errorf("root's are in %s", place)
	}
}

func TestPartsThatAreRefused(t *testing.T) {
	const private = "-----BEGIN OPENSSH PRIVATE KEY----- b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAA"
	for name, bad := range map[string]recipe.Validator{
		"a match that is none":         resource.Line{Path: "/a", Line: "x", Match: "("},
		"a match of other lines":       resource.Line{Path: "/a", Line: "x", Match: "^y"},
		"a match and a key":            resource.Line{Path: "/a", Line: "x", Match: "x", Key: "x"},
		"no text":                      resource.Block{Path: "/a", Name: "x"},
		"no name":                      resource.Block{Path: "/a", Text: "x"},
		"a name of two lines":          resource.Block{Path: "/a", Name: "a\nb", Text: "x"},
		"a block with a mark":          resource.Block{Path: "/a", Name: "x", Text: "1\n# END provision x\n"},
		"a block with NUL":             resource.Block{Path: "/a", Name: "x", Text: "\x00"},
		"a comment of 2 lines":         resource.Block{Path: "/a", Name: "x", Text: "x", Comment: "#\n"},
		"a block of a relative path":   resource.Block{Path: "a", Name: "x", Text: "x"},
		"a private key":                resource.AuthorizedKey{User: "u", Key: private},
		"no key":                       resource.AuthorizedKey{User: "u"},
		"two keys":                     resource.AuthorizedKey{User: "u", Key: "ssh-ed25519 " + ed25519 + "\nssh-ed25519 " + another},
		"a key of a user that is none": resource.AuthorizedKey{User: "a b", Key: "ssh-ed25519 " + ed25519},
		"a key's relative home":        resource.AuthorizedKey{User: "u", Home: "x", Key: "ssh-ed25519 " + ed25519},
	} {
		if err := bad.Validate(); err == nil {
			t.Errorf("%s: not refused", name)
		} else if strings.Contains(fmt.Sprint(err), private) {
			t.Errorf("%s: shown: %v", name, err)
		}
	}
}
