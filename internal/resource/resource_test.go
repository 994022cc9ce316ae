package resource_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"provision/internal/recipe"
	"provision/internal/resource"
)

// row is one cell of wanted × found: what is wanted, what is there, what comes of it.
type row struct {
	name   string
	wanted recipe.Resource
	found  []recipe.Effect
	kind   recipe.ChangeKind
	steps  string // titles, joined by "; "
	deltas string // "mode 0600→0644", joined by "; "
	err    string // in the error
}

func check(t *testing.T, rows []row) {
	t.Helper()
	for _, row := range rows {
		t.Run(row.wanted.ID()+" "+row.name, func(t *testing.T) {
			facts := recipe.Facts{}
			facts.Apply(row.found)
			if validator, ok := row.wanted.(recipe.Validator); ok {
				if err := validator.Validate(); err != nil {
					t.Fatalf("refused: %v", err)
				}
			}
			change, err := row.wanted.Diff(facts)
			if row.err != "" {
				if err == nil || !strings.Contains(err.Error(), row.err) {
					t.Errorf("error %v, want %q in it", err, row.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var titles, deltas []string
			for _, step := range change.Steps {
				titles = append(titles, step.Title())
			}
			for _, delta := range change.Deltas {
				deltas = append(deltas, delta.Name+" "+delta.Before+"→"+delta.After)
			}
			if change.Kind != row.kind || strings.Join(titles, "; ") != row.steps || strings.Join(deltas, "; ") != row.deltas {
				t.Errorf("%q %q %q,\nwant %q %q %q", change.Kind, titles, deltas, row.kind, row.steps, row.deltas)
			}
			if (change.Kind == recipe.NoChange) != (len(change.Steps) == 0) {
				t.Errorf("kind %q with %d steps", change.Kind, len(change.Steps))
			}
			pure(t, row.wanted, facts, change)
			settles(t, row.wanted, facts, change)
		})
	}
}

// pure holds a Diff to its word: it depends on what its probes ask and on nothing else, and
// changes nothing.
func pure(t *testing.T, wanted recipe.Resource, facts recipe.Facts, change recipe.Change) {
	t.Helper()
	asked := recipe.Facts{}
	for _, probe := range wanted.Probes() {
		asked[probe.Key] = facts[probe.Key]
	}
	before := asked.Clone()
	again, err := wanted.Diff(asked)
	if err != nil || !reflect.DeepEqual(again, change) {
		t.Errorf("with the answers to its probes alone: %+v, %v; want %+v", again, err, change)
	}
	if !reflect.DeepEqual(asked, before) {
		t.Error("Diff changed the facts")
	}
}

// settles fails unless a resource whose change is done wants nothing more: what the steps
// say of themselves is what Diff looks at. What only the host can tell is left to it.
func settles(t *testing.T, wanted recipe.Resource, facts recipe.Facts, change recipe.Change) {
	t.Helper()
	after := facts.Clone()
	after.Apply(change.Effects())
	for _, probe := range wanted.Probes() {
		if after[probe.Key].Until != "" {
			return
		}
	}
	second, err := wanted.Diff(after)
	if err != nil || !second.Empty() {
		t.Errorf("after its own change it wants %+v, %v", second, err)
	}
}

func found(path string, is recipe.Path) recipe.Effect {
	if is.Owner == "" {
		is.Owner, is.Group = "root", "root"
	}
	return recipe.Known(recipe.PathKey(path), is)
}

func foundFile(path, content string, mode uint32) recipe.Effect {
	return found(path, recipe.Path{Type: recipe.PathFile, Mode: mode, SHA256: recipe.Digest([]byte(content))})
}

func one(effects ...recipe.Effect) []recipe.Effect { return effects }

const at = "/etc/a"

var (
	isLink      = one(found(at, recipe.Path{Type: recipe.PathLink, Mode: 0o777, Target: "/b"}))
	isFile      = one(foundFile(at, "text\n", 0o644))
	isDirectory = one(found(at, recipe.Path{Type: recipe.PathDirectory, Mode: 0o755}))
	isOther     = one(found(at, recipe.Path{Type: recipe.PathOther, Mode: 0o600}))
)

func TestFile(t *testing.T) {
	wanted := resource.File{Path: at, Content: "text\n"}
	private := resource.File{Path: at, Content: "text\n", Attributes: recipe.Attributes{Mode: 0o4750, Owner: "a", Group: "b"}}
	gone := resource.File{Path: at, Absent: true}
	check(t, []row{
		{name: "none", wanted: wanted, kind: recipe.Create, steps: "write /etc/a"},
		{name: "same", wanted: wanted, found: isFile},
		{name: "content", wanted: wanted, found: one(foundFile(at, "old\n", 0o644)), kind: recipe.Update, steps: "write /etc/a"},
		{name: "mode", wanted: wanted, found: one(foundFile(at, "text\n", 0o600)), kind: recipe.Update, steps: "set mode and owner of /etc/a", deltas: "mode 0600→0644"},
		{name: "mode and content", wanted: wanted, found: one(foundFile(at, "old\n", 0o600)), kind: recipe.Update, steps: "write /etc/a", deltas: "mode 0600→0644"},
		{name: "owner", wanted: private, found: isFile, kind: recipe.Update, steps: "set mode and owner of /etc/a", deltas: "mode 0644→4750; owner root:root→a:b"},
		{name: "never filled in", wanted: resource.File{Path: at, Content: "{{K}}\n", Fill: map[string]string{"{{K}}": "/k"}}, found: one(found(at, recipe.Path{Type: recipe.PathFile, Mode: 0o644, SHA256: "unfilled"})), kind: recipe.Update, steps: "write /etc/a"},
		{name: "link", wanted: wanted, found: isLink, err: "/etc/a: is a link to /b, not a file"},
		{name: "directory", wanted: wanted, found: isDirectory, err: "is a directory, not a file"},
		{name: "other", wanted: wanted, found: isOther, err: "is a other, not a file"},
		{name: "gone, none", wanted: gone},
		{name: "gone, file", wanted: gone, found: isFile, kind: recipe.Delete, steps: "remove /etc/a"},
		{name: "gone, link", wanted: gone, found: isLink, err: "is a link"},
		{name: "gone, directory", wanted: gone, found: isDirectory, err: "is a directory"},
	})
}

func TestWhatHoldsASecretIsNotShown(t *testing.T) {
	filled := resource.File{Path: at, Content: "{{K}}\n", Fill: map[string]string{"{{K}}": "/k"}}
	filledGone := filled
	filledGone.Absent = true
	same := resource.File{Path: at, Content: "text\n", Secret: true, Attributes: recipe.Attributes{Mode: 0o600}}
	artifact := recipe.Artifact{Source: "x", SHA256: recipe.Digest([]byte("other"))}
	for _, wanted := range []recipe.Resource{
		filled, filledGone, resource.File{Path: at, Content: "x", Secret: true}, same,
		resource.File{Path: at, Secret: true, Absent: true}, resource.Secret{Path: at, Absent: true}, resource.Secret{Path: at},
		resource.Line{Path: at, Key: "a ", Line: "a b", Secret: true}, resource.Artifact{Path: at, Artifact: artifact, Secret: true},
	} {
		facts := recipe.Facts{}
		facts.Apply(append([]recipe.Effect{recipe.Known(recipe.ContentKey(at), recipe.Content{Bytes: []byte("text\n")})}, isFile...))
		change, err := wanted.Diff(facts)
		if err != nil || change.Empty() || change.Diff != nil && (!change.Diff.Secret || change.Diff.Before != nil) {
			t.Errorf("%+v: %+v %v", wanted, change, err)
		}
		for _, step := range change.Steps {
			if !recipe.SecretOf(step) {
				t.Errorf("%+v: its step %q is journaled as that of no secret", wanted, step.Title())
			}
		}
		if strings.Contains(fmt.Sprint(change.Summary, change.Deltas), artifact.SHA256[:12]) {
			t.Errorf("%+v: its digest is shown", wanted)
		}
	}
}

func TestDirectory(t *testing.T) {
	wanted := resource.Directory{Path: at}
	gone := resource.Directory{Path: at, Absent: true}
	all := resource.Directory{Path: at, Absent: true, Tree: true}
	deep := resource.Directory{Path: "/srv/a/b/c", Parents: true, Attributes: recipe.Attributes{Mode: 0o700}}
	with := func(tree recipe.Tree) []recipe.Effect {
		return append(one(recipe.Known(recipe.PathKey(at), recipe.Path{Type: recipe.PathDirectory})), recipe.Known(recipe.TreeKey(at), tree))
	}
	check(t, []row{
		{name: "none", wanted: wanted, kind: recipe.Create, steps: "make directory /etc/a"},
		{name: "same", wanted: wanted, found: isDirectory},
		{name: "mode", wanted: resource.Directory{Path: at, Attributes: recipe.Attributes{Mode: 0o2750}}, found: isDirectory, kind: recipe.Update, steps: "set mode and owner of /etc/a", deltas: "mode 0755→2750"},
		{name: "set-group-ID", wanted: wanted, found: one(found(at, recipe.Path{Type: recipe.PathDirectory, Mode: 0o2755})), kind: recipe.Update, steps: "set mode and owner of /etc/a", deltas: "mode 2755→0755"},
		{name: "file", wanted: wanted, found: isFile, err: "is a file, not a directory"},
		{name: "link", wanted: wanted, found: isLink, err: "is a link, not a directory"},
		{name: "parents, none", wanted: deep, found: one(found("/srv", recipe.Path{Type: recipe.PathDirectory})), kind: recipe.Create,
			steps: "make directory /srv/a; make directory /srv/a/b; make directory /srv/a/b/c", deltas: "above it →/srv/a; above it →/srv/a/b"},
		{name: "parents, there", wanted: deep, found: one(found("/srv/a/b/c", recipe.Path{Type: recipe.PathDirectory, Mode: 0o700}))},
		{name: "gone, none", wanted: gone},
		{name: "gone, there", wanted: gone, found: isDirectory, kind: recipe.Delete, steps: "remove /etc/a"},
		{name: "gone, file", wanted: gone, found: isFile, err: "is a file"},
		{name: "all of it", wanted: all, found: with(recipe.Tree{Kilobytes: recipe.MostCopied}), kind: recipe.Delete, steps: "remove /etc/a"},
		{name: "all of it, with a mount", wanted: all, found: with(recipe.Tree{Mounts: []string{"/etc/a/b"}}), err: "/etc/a: is not removed, for something is mounted there: /etc/a/b"},
		{name: "all of it, and that is much", wanted: all, found: with(recipe.Tree{Kilobytes: recipe.MostCopied + 1}), err: "more than 256 MiB are not copied there"},
	})
}

func TestLink(t *testing.T) {
	wanted := resource.Link{Path: at, Target: "/b"}
	gone := resource.Link{Path: at, Absent: true}
	check(t, []row{
		{name: "none", wanted: wanted, kind: recipe.Create, steps: "link /etc/a"},
		{name: "same", wanted: wanted, found: isLink},
		{name: "target", wanted: resource.Link{Path: at, Target: "../c"}, found: isLink, kind: recipe.Update, steps: "link /etc/a", deltas: "target /b→../c"},
		{name: "file", wanted: wanted, found: isFile, err: "is a file, not a link"},
		{name: "directory", wanted: wanted, found: isDirectory, err: "is a directory, not a link"},
		{name: "gone, none", wanted: gone},
		{name: "gone, there", wanted: gone, found: isLink, kind: recipe.Delete, steps: "remove /etc/a", deltas: "target /b→"},
		{name: "gone, file", wanted: gone, found: isFile, err: "is a file"},
	})
}

func TestLine(t *testing.T) {
	has := func(content string) []recipe.Effect {
		return one(foundFile(at, content, 0o640), recipe.Known(recipe.ContentKey(at), recipe.Content{Bytes: []byte(content)}))
	}
	wanted := resource.Line{Path: at, Line: "key = new", Key: "key ="}
	plain := resource.Line{Path: at, Line: "key = new"}
	gone := resource.Line{Path: at, Line: "key = new", Key: "key =", Absent: true}
	check(t, []row{
		{name: "no file", wanted: wanted, kind: recipe.Create, steps: "write /etc/a"},
		{name: "same", wanted: wanted, found: has("a\nkey = new\nb\n")},
		{name: "other value", wanted: wanted, found: has("a\nkey = old\nb\n"), kind: recipe.Update, steps: "write /etc/a"},
		{name: "no line", wanted: wanted, found: has("a\n"), kind: recipe.Update, steps: "write /etc/a"},
		{name: "without a key, other value", wanted: plain, found: has("key = old\n"), kind: recipe.Update, steps: "write /etc/a"},
		{name: "gone, no file", wanted: gone},
		{name: "gone, no line", wanted: gone, found: has("a\n")},
		{name: "gone, there", wanted: gone, found: has("a\nkey = x\n"), kind: recipe.Update, steps: "write /etc/a"},
		{name: "directory", wanted: wanted, found: isDirectory, err: "is a directory, not a file"},
		{name: "link", wanted: wanted, found: isLink, err: "is a link, not a file"},
		{name: "content cut off", wanted: wanted, found: one(foundFile(at, "long", 0o644), recipe.Known(recipe.ContentKey(at), recipe.Content{Size: 2 << 20})), err: "longer than 1 MiB"},
		{name: "content of another", wanted: wanted, found: one(foundFile(at, "theirs", 0o644), recipe.Known(recipe.ContentKey(at), recipe.Content{})), err: "longer than 1 MiB"},
		{name: "rewritten between the two questions", wanted: wanted, found: one(foundFile(at, "before", 0o644), recipe.Known(recipe.ContentKey(at), recipe.Content{Bytes: []byte("key = new\n")}))},
	})
	for _, test := range []struct {
		line         resource.Line
		before, want string
	}{
		{wanted, "", "key = new\n"},
		{wanted, "a\nkey = 1\nkey = 2\nb\n", "a\nkey = new\nb\n"},
		{wanted, "a\nkey = 1", "a\nkey = new\n"},
		{wanted, "a", "a\nkey = new\n"},
		{wanted, "# key = 1\n key = 2\n", "# key = 1\n key = 2\nkey = new\n"},
		{plain, "key = old\n", "key = old\nkey = new\n"},
		{gone, "a\nkey = 1\nkey = 2\nb", "a\nb"},
	} {
		facts := recipe.Facts{}
		facts.Apply(has(test.before))
		change, err := test.line.Diff(facts)
		if err != nil {
			t.Fatal(err)
		}
		write := change.Steps[0].(recipe.WriteFile)
		if string(write.Content) != test.want || write.Mode != 0o640 {
			t.Errorf("%q becomes %q with mode %o, want %q", test.before, write.Content, write.Mode, test.want)
		}
	}
}

func TestSecret(t *testing.T) {
	wanted := resource.Secret{Path: at}
	check(t, []row{
		{name: "none", wanted: wanted, kind: recipe.Create, steps: "make secret /etc/a"},
		{name: "there", wanted: wanted, found: one(foundFile(at, "whatever", 0o600))},
		{name: "mode", wanted: wanted, found: isFile, kind: recipe.Update, steps: "set mode and owner of /etc/a", deltas: "mode 0644→0600"},
		{name: "link", wanted: wanted, found: isLink, err: "is a link, not a file"},
		{name: "gone, none", wanted: resource.Secret{Path: at, Absent: true}},
		{name: "gone, there", wanted: resource.Secret{Path: at, Absent: true}, found: isFile, kind: recipe.Delete, steps: "remove /etc/a"},
	})
}

func TestArtifact(t *testing.T) {
	wanted := resource.Artifact{Path: at, Artifact: recipe.Artifact{Source: "x", Size: 5, SHA256: recipe.Digest([]byte("text\n"))}}
	check(t, []row{
		{name: "none", wanted: wanted, kind: recipe.Create, steps: "upload /etc/a"},
		{name: "same", wanted: wanted, found: one(foundFile(at, "text\n", 0o755))},
		{name: "mode", wanted: wanted, found: isFile, kind: recipe.Update, steps: "set mode and owner of /etc/a", deltas: "mode 0644→0755"},
		{name: "directory", wanted: wanted, found: isDirectory, err: "is a directory, not a file"},
	})
}
