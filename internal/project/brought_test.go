package project

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"provision/internal/recipe"
	"provision/internal/resource"
)

const brought = `
-- tasks/shop/task.star --
def build(v, host):
    return [
        tree("/srv/www", source = "www", files = {"conf/a.js": template("a.tmpl", x = 1)}, mode = "0640", group = "www-data"),
        tree("/srv/b", files = {"b": "2"}),
        deb("shop", "1.4.2", source = "shop.deb", sha256 = "%[1]s", brings = ["/etc/shop"], restarts = ["shop.service"]),
        download("/usr/local/bin/tool", "https://example.org/tool", sha256 = "%[1]s", mode = "0755"),
        archive("/opt/tool", "https://example.org/tool.tar.gz", sha256 = "%[1]s", strip = 1, owner = "shop"),
        git("/srv/shop", "ssh://git@example.org/shop.git", commit = "3f2a0c7de1b84c5f9a6e7d2b1c0f8e4d5a6b7c8d", group = "shop"),
        certificate("/etc/shop/tls.pem", key = "/etc/shop/tls.key", names = ["shop.example.org", "10.0.0.7"], days = 90),
        tree("/srv/c", absent = True),
        deb("old", absent = True),
        download("/srv/d", absent = True),
        archive("/srv/e", absent = True),
        git("/srv/f", absent = True),
        certificate("/srv/g", key = "/srv/h", absent = True),
    ]
-- tasks/shop/templates/a.tmpl --
x = {{ .x }}
-- tasks/shop/files/www/.well-known/security.txt --
Contact
-- tasks/shop/files/www/index.html --
Hello
-- tasks/shop/files/www/run.sh --
true
-- tasks/shop/files/shop.deb --
A package
`

// What a host is sent, or fetches, is as the words say.
func TestBrought(t *testing.T) {
	sum := recipe.Digest([]byte("A package\n"))
	unpack(t, txtar.Parse(fmt.Appendf(nil, brought, sum)))
	if err := os.Chmod("tasks/shop/files/www/run.sh", 0o755); err != nil {
		t.Fatal(err)
	}
	p, err := Open(".", Options{})
	if err != nil {
		t.Fatal(err)
	}
	place, err := filepath.Abs("tasks/shop/files/shop.deb")
	if err != nil {
		t.Fatal(err)
	}
	want := []recipe.Resource{
		resource.Tree{Path: "/srv/www", Attributes: recipe.Attributes{Mode: 0o640, Group: "www-data"}, Files: []resource.TreeFile{
			{Name: ".well-known/security.txt", Content: "Contact\n", SHA256: recipe.Digest([]byte("Contact\n"))}, {Name: "index.html", Content: "Hello\n", SHA256: recipe.Digest([]byte("Hello\n"))},
			{Name: "run.sh", Content: "true\n", Executable: true, SHA256: recipe.Digest([]byte("true\n"))}, {Name: "conf/a.js", Content: "x = 1\n"},
		}},
		resource.Tree{Path: "/srv/b", Files: []resource.TreeFile{{Name: "b", Content: "2"}}},
		resource.Deb{Name: "shop", Version: "1.4.2", Artifact: recipe.Artifact{Source: place, Size: 10, SHA256: sum}, Brings: []recipe.Key{recipe.PathKey("/etc/shop")}, Restarts: []string{"shop.service"}},
		resource.Download{Path: "/usr/local/bin/tool", URL: "https://example.org/tool", SHA256: sum, Attributes: recipe.Attributes{Mode: 0o755}},
		resource.Archive{Path: "/opt/tool", URL: "https://example.org/tool.tar.gz", SHA256: sum, Strip: 1, Owner: "shop"},
		resource.Git{Path: "/srv/shop", URL: "ssh://git@example.org/shop.git", Commit: "3f2a0c7de1b84c5f9a6e7d2b1c0f8e4d5a6b7c8d", Group: "shop"},
		resource.Certificate{Path: "/etc/shop/tls.pem", Key: "/etc/shop/tls.key", Names: []string{"shop.example.org", "10.0.0.7"}, Days: 90},
		resource.Tree{Path: "/srv/c", Absent: true}, resource.Deb{Name: "old", Absent: true}, resource.Download{Path: "/srv/d", Absent: true},
		resource.Archive{Path: "/srv/e", Absent: true}, resource.Git{Path: "/srv/f", Absent: true}, resource.Certificate{Path: "/srv/g", Key: "/srv/h", Absent: true},
	}
	for range 2 { // the second time nothing is read
		if diff := cmp.Diff(want, listed(built(t, p, nil))); diff != "" {
			t.Error(diff)
		}
		if err := os.WriteFile("tasks/shop/files/www/index.html", []byte("Another\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := buildAll(p, nil); err != nil {
		t.Error(err)
	}
}

// A folder with more files than somebody can have meant, as that of a build, is refused.
func TestTreeOfTooMany(t *testing.T) {
	p, _ := open(t, "-- tasks/shop.star --\ndef build(v, host):\n    return [tree(\"/srv/www\", source = \"www\")]\n")
	if err := os.MkdirAll("files/www", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("files/empty", nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for i := range maxFiles + 1 {
		if err := os.Link("files/empty", fmt.Sprintf("files/www/%d", i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := buildAll(p, nil); err == nil || !strings.Contains(err.Error(), "files/www: has more than 10000 files in it") {
		t.Error(err)
	}
	if err := os.Remove("files/www/0"); err != nil {
		t.Fatal(err)
	}
	if r := built(t, p, nil); len(r.Items[0].Resource.(resource.Tree).Files) != maxFiles {
		t.Error("that many are not taken")
	}
}

// A secret is taken wherever the kind takes one, and hides there what it is in.
func TestSecretKinds(t *testing.T) {
	p, _ := open(t, `
-- tasks/shop.star --
variables = [var("token", secret)]

def build(v, host):
    return [
        line("/a", "token " + v.token, key = "token "),
        block("/b", "shop", "token %s\n" % v.token),
        user("shop", password = v.token),
    ]
`)
	hash := "$6$abc$" + strings.Repeat("x", 86)
	token := recipe.NewSecret(hash)
	want := []recipe.Resource{
		resource.Line{Path: "/a", Line: "token " + hash, Key: "token ", Secret: true},
		resource.Block{Path: "/b", Name: "shop", Text: "token " + hash + "\n", Secret: true},
		resource.User{Name: "shop", Password: token},
	}
	if got := listed(built(t, p, recipe.Values{"token": token})); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}
