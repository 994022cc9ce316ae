package inventory

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"provision/internal/recipe"
)

// written is a file as people write it: comments everywhere, blank lines, mixed styles.
const written = `# Our hosts.
recipients: [PUBLIC]   # anna

vars:
  # Everybody's.
  graphite.time_zone: Europe/Berlin  # not UTC

  graphite.user: "anna # no comment"  # the user
# A comment that is out.
groups:
  metrics:
    hosts: [web1]  # ünïcode

    vars:
      graphite.password: hunter2  # to be encrypted
      # after

  empty:
    hosts:
    - web1
    # at the end of empty

hosts:
  web1:          # it has nothing yet
  # between

  web2:
    address: root@192.0.2.1
    vars: {graphite.auth: false}
  # the end
`

func open(t *testing.T, text string) *Document {
	t.Helper()
	doc, err := OpenDocument("hosts.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// shape returns a document with each encrypted value as one line, <secret>.
func shape(doc *Document) string {
	var lines []string
	inside := false
	for line := range strings.Lines(string(doc.Bytes())) {
		bare := strings.TrimSpace(line)
		if strings.HasPrefix(bare, "-----BEGIN AGE") {
			inside = true
			lines = append(lines, strings.Replace(line, bare, "<secret>", 1))
		}
		if !inside {
			lines = append(lines, line)
		}
		if strings.HasPrefix(bare, "-----END AGE") {
			inside = false
		}
	}
	return strings.Join(lines, "")
}

func TestEncryptValueChangesNothingElse(t *testing.T) {
	file, public := ageKey(t)
	text := strings.Replace(written, "PUBLIC", public, 1)
	tests := []struct{ where, variable, old, new string }{
		{"metrics", "graphite.password",
			"      graphite.password: hunter2  # to be encrypted\n",
			"      graphite.password: |  # to be encrypted\n        <secret>\n"},
		{"all", "graphite.user",
			"  graphite.user: \"anna # no comment\"  # the user\n",
			"  graphite.user: |  # the user\n    <secret>\n"},
		{"all", "graphite.password",
			"# the user\n",
			"# the user\n  graphite.password: |\n    <secret>\n"},
		{"web1", "graphite.password",
			"  web1:          # it has nothing yet\n",
			"  web1:          # it has nothing yet\n    vars:\n      graphite.password: |\n        <secret>\n"},
		{"empty", "graphite.password",
			"    - web1\n",
			"    - web1\n    vars:\n      graphite.password: |\n        <secret>\n"},
	}
	for _, test := range tests {
		for _, end := range []string{"\n", "\r\n"} {
			doc := open(t, strings.ReplaceAll(text, "\n", end))
			place, err := doc.Place(test.where, test.variable)
			if err != nil {
				t.Fatal(err)
			}
			if err := doc.EncryptValue(place, recipe.NewSecret(marker)); err != nil {
				t.Fatalf("%s: %v", place, err)
			}
			want := strings.ReplaceAll(strings.Replace(text, test.old, test.new, 1), "\n", end)
			if diff := cmp.Diff(want, shape(doc)); diff != "" {
				t.Errorf("%s: %s", place, diff)
			}
			if secret, err := doc.decrypt(place, keys(t, file)); err != nil || secret.Reveal() != marker {
				t.Errorf("%s: %v", place, err)
			}
		}
	}
}

func TestEncryptValueRefuses(t *testing.T) {
	_, public := ageKey(t)
	doc := open(t, strings.Replace(written, "PUBLIC", public, 1))
	before := string(doc.Bytes())
	place, err := doc.Place("web2", "graphite.password")
	if err != nil {
		t.Fatal(err)
	}
	err = doc.EncryptValue(place, recipe.NewSecret(marker))
	if err == nil || err.Error() != "hosts.yaml:29:11: is written in { }" || string(doc.Bytes()) != before {
		t.Errorf("got %v", err)
	}
	if _, err := doc.Place("web3", "graphite.password"); err == nil || hintOf(err) != `did you mean "web1"?` {
		t.Errorf("got %v, hint %q", err, hintOf(err))
	}
	err = open(t, "hosts:\n  web1:\n").EncryptValue(Place{"hosts", "web1", "graphite.password"}, recipe.NewSecret(marker))
	if err == nil || !strings.Contains(err.Error(), "there are none to encrypt for") {
		t.Errorf("no recipients: got %v", err)
	}
}

func TestPlainIsWhatIsToBeEncrypted(t *testing.T) {
	doc := open(t, written)
	if secret, there := doc.Plain(Place{"groups", "metrics", "graphite.password"}); !there || secret.Reveal() != "hunter2" {
		t.Errorf("got %v", there)
	}
	if _, there := doc.Plain(Place{"hosts", "web1", "graphite.password"}); there {
		t.Error("there is none")
	}
}

func TestEditValue(t *testing.T) {
	file, public := ageKey(t)
	k := keys(t, file)
	doc := open(t, strings.Replace(written, "PUBLIC", public, 1))
	place := Place{"groups", "metrics", "graphite.password"}
	if err := doc.EncryptValue(place, recipe.NewSecret(marker)); err != nil {
		t.Fatal(err)
	}
	before := string(doc.Bytes())
	same := func(s recipe.Secret) (recipe.Secret, error) { return s, nil }
	if err := doc.EditValue(place, k, same); err != nil || string(doc.Bytes()) != before {
		t.Errorf("an edit that changes nothing: %v", err)
	}
	stopped := errors.New("stopped")
	if err := doc.EditValue(place, k, func(s recipe.Secret) (recipe.Secret, error) { return s, stopped }); err != stopped || string(doc.Bytes()) != before {
		t.Errorf("an edit that stops: %v", err)
	}
	longer := recipe.NewSecret(strings.Repeat("two lines\n", 30))
	if err := doc.EditValue(place, k, func(recipe.Secret) (recipe.Secret, error) { return longer, nil }); err != nil {
		t.Fatal(err)
	}
	if secret, err := doc.decrypt(place, k); err != nil || secret != longer {
		t.Errorf("got %v", err)
	}
	if diff := cmp.Diff(shape(open(t, before)), shape(doc)); diff != "" {
		t.Error(diff)
	}
	if err := doc.EditValue(Place{Variable: "graphite.user"}, k, same); err == nil || err.Error() != "hosts.yaml:8:18: variable graphite.user: is not encrypted" {
		t.Errorf("got %v", err)
	}
}

func TestRotateAll(t *testing.T) {
	oldFile, oldPublic := ageKey(t)
	newFile, newPublic := ageKey(t)
	doc := open(t, strings.Replace(written, "PUBLIC", oldPublic, 1))
	places := []Place{{Variable: "graphite.password"}, {"groups", "metrics", "graphite.password"}, {"hosts", "web1", "graphite.password"}}
	for _, place := range places {
		if err := doc.EncryptValue(place, recipe.NewSecret(place.String())); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(places, doc.Encrypted()); diff != "" {
		t.Fatal(diff)
	}
	// Someone has left: the recipients are others, and the old key opens nothing any more.
	doc = open(t, strings.Replace(string(doc.Bytes()), oldPublic, newPublic, 1))
	before := string(doc.Bytes())
	if _, err := doc.RotateAll(keys(t, newFile)); !errors.Is(err, ErrNoKey) || string(doc.Bytes()) != before {
		t.Errorf("without the key: %v", err)
	}
	n, err := doc.RotateAll(keys(t, oldFile))
	if err != nil || n != len(places) {
		t.Fatalf("got %d, %v", n, err)
	}
	for _, place := range places {
		if secret, err := doc.decrypt(place, keys(t, newFile)); err != nil || secret.Reveal() != place.String() {
			t.Errorf("%s: %v", place, err)
		}
		if _, err := doc.decrypt(place, keys(t, oldFile)); !errors.Is(err, ErrNoKey) {
			t.Errorf("%s: the old key still opens it: %v", place, err)
		}
	}
	if diff := cmp.Diff(shape(open(t, before)), shape(doc)); diff != "" {
		t.Error(diff)
	}
}

func TestRewriteFile(t *testing.T) {
	_, public := ageKey(t)
	folder := t.TempDir()
	path, link := filepath.Join(folder, "hosts.yaml"), filepath.Join(folder, "link.yaml")
	text := strings.Replace(written, "PUBLIC", public, 1)
	if err := os.WriteFile(path, []byte(text), 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("hosts.yaml", link); err != nil {
		t.Fatal(err)
	}
	stopped := errors.New("stopped")
	if err := RewriteFile(link, func(*Document) error { return stopped }); err != stopped {
		t.Errorf("got %v", err)
	}
	place := Place{"groups", "metrics", "graphite.password"}
	if err := RewriteFile(link, func(doc *Document) error { return doc.EncryptValue(place, recipe.NewSecret(marker)) }); err != nil {
		t.Fatal(err)
	}
	if target, err := os.Readlink(link); err != nil || target != "hosts.yaml" {
		t.Errorf("the link is gone: %v", err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if _, err := Load(link, known(), nil); err != nil {
		t.Errorf("what was written is refused: %v", err)
	}
	if entries, err := os.ReadDir(folder); err != nil || len(entries) != 2 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}

// Whatever the file looks like, a value is set without changing anything else, or refused.
func FuzzEncryptValue(f *testing.F) {
	const public = "age1kfjxf6jnanxt5l3c3munlpkmnuxk9uyzr22zvr232wrr5mlqre6qkqeypa" // nobody has its private key
	for _, text := range []string{written, web, "hosts:\n  web1:\n    vars:\n      graphite.password: >\n        a\n        b\n", "hosts:\n  web1: ~\n",
		"hosts:\n  web1:\n    vars:\n      graphite.password:\n        # c\n        x # d\n", "hosts:\n    web1:\n        vars:\n            graphite.password: 'x\n              y'\n            graphite.user: z\n",
		"hosts: {web1: }\n", "hosts:\n  web1:\n    vars:\n      \"graphite.password\": |-\n       # text\n       b\n     # comment\n", "hosts:\n  web1: # c\n"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		text = strings.Replace("recipients: [PUBLIC]\n"+text, "PUBLIC", public, 2)
		doc, err := OpenDocument("hosts.yaml", []byte(text))
		if err != nil {
			return
		}
		before := string(doc.Bytes())
		place := Place{"hosts", "web1", "graphite.password"}
		others := doc.others(place.path())
		if err := doc.EncryptValue(place, recipe.NewSecret(marker)); err != nil {
			if string(doc.Bytes()) != before {
				t.Error("refused, and changed all the same")
			}
			return
		}
		again, err := OpenDocument("hosts.yaml", doc.Bytes())
		if err != nil {
			t.Fatalf("what was written cannot be read: %v\n%s", err, doc.Bytes())
		}
		if diff := cmp.Diff(others, again.others(place.path())); diff != "" {
			t.Errorf("%s\n%s", diff, doc.Bytes())
		}
		if n := again.at(place.path()); n == nil || !isCiphertext(n.text) || checkArmor(n.text) != nil {
			t.Errorf("it is not there:\n%s", doc.Bytes())
		}
	})
}
