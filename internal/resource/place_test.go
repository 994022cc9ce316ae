package resource_test

import (
	"strings"
	"testing"

	"provision/internal/recipe"
	"provision/internal/resource"
)

// Whatever the kinds: one path is one thing, of one task or of two. Only lines share a file.
func TestOnePathIsOneThing(t *testing.T) {
	kinds := []recipe.Resource{
		resource.File{Path: "/a"}, resource.Link{Path: "/a", Target: "b"}, resource.Directory{Path: "/a"},
		resource.Line{Path: "/a", Line: "x"}, resource.Secret{Path: "/a"}, resource.Artifact{Path: "/a"},
	}
	join := func(task, other string, one, two recipe.Resource) error {
		var first, second recipe.Recipe
		first.Add(one)
		first.Label(task)
		second.Add(two)
		second.Label(other)
		if task == other {
			first.Include(second)
			second = recipe.Recipe{}
		}
		_, err := recipe.Join(first, second)
		return err
	}
	for i, one := range kinds {
		for k, two := range kinds {
			for _, other := range []string{"x", "y"} {
				if err := join("x", other, one, two); (err == nil) != (i == k) {
					t.Errorf("%s of x, %s of %s: error %v", one.ID(), two.ID(), other, err)
				}
			}
		}
	}
	if err := join("x", "y", kinds[3], resource.Line{Path: "/a", Line: "y"}); err != nil {
		t.Errorf("two lines of a file: %v", err)
	}
	pair := func(path, key string) recipe.Resource {
		return resource.Certificate{Path: path, Key: key, Names: []string{"a"}}
	}
	makes := func(name, path string) recipe.Resource {
		return resource.Command{Name: name, Unless: "false", Script: "true", Makes: []string{path}}
	}
	keeps := resource.Command{Name: "three", Unless: "false", Script: "true", Secrets: []string{"/a"}}
	for _, other := range []string{"x", "y"} {
		for _, two := range [][]recipe.Resource{
			{pair("/a.crt", "/key"), pair("/b.crt", "/key")}, {pair("/a", "/key"), pair("/b", "/a")},
			{makes("one", "/a"), makes("two", "/a")}, {makes("one", "/a"), keeps},
		} {
			if err := join("x", other, two[0], two[1]); err == nil {
				t.Errorf("%s of x and %s of %s have one path", two[0].ID(), two[1].ID(), other)
			}
		}
		if err := join("x", other, makes("one", "/a"), makes("two", "/b")); err != nil {
			t.Error(err)
		}
		if err := join("x", other, pair("/a.crt", "/a.key"), pair("/b.crt", "/b.key")); err != nil {
			t.Error(err)
		}
	}
}

// Nothing is wanted in a directory that goes or is replaced with all that is in it, whichever task
// wants which of the two and wherever below; what is wanted away with all of it may also be named.
func TestNothingIsInsideAWhole(t *testing.T) {
	validate := func(whole, inner recipe.Resource) error {
		var one, other recipe.Recipe
		one.Add(whole)
		one.Label("x")
		other.Add(inner)
		other.Label("y")
		for _, recipes := range [][]recipe.Recipe{{one, other}, {other, one}} {
			joined, err := recipe.Join(recipes...)
			if err != nil {
				t.Fatal(err)
			}
			if err = joined.Validate(); err != nil {
				return err
			}
		}
		return nil
	}
	digest, commit := strings.Repeat("a", 64), strings.Repeat("a", 40)
	tree := resource.Tree{Path: "/d"}
	for _, whole := range []recipe.Resource{
		tree, resource.Archive{Path: "/d", URL: "https://example.org/d.tar", SHA256: digest},
		resource.Git{Path: "/d", URL: "https://example.org/d.git", Commit: commit}, resource.Directory{Path: "/d", Absent: true, Tree: true},
	} {
		for _, inner := range []recipe.Resource{
			resource.File{Path: "/d/a"}, resource.File{Path: "/d/e/f/a"}, resource.Link{Path: "/d/a", Target: "b"}, resource.Directory{Path: "/d/a"},
			resource.Line{Path: "/d/a", Line: "x"}, resource.Block{Path: "/d/a", Name: "x", Text: "y\n"}, resource.Secret{Path: "/d/a"}, resource.Tree{Path: "/d/a"},
			resource.Certificate{Path: "/etc/a.pem", Key: "/d/a.key", Names: []string{"a.example.org"}},
			resource.AuthorizedKey{User: "u", Home: "/d/u", Key: "ssh-ed25519 " + ed25519},
			resource.Command{Name: "make it", Unless: "false", Script: "true", Makes: []string{"/d/a"}},
			resource.Command{Name: "make a secret", Unless: "false", Script: "true", Secrets: []string{"/d/e/a"}},
		} {
			if err := validate(whole, inner); err == nil || !strings.Contains(err.Error(), inner.ID()+": y wants it in /d, which x wants ") {
				t.Errorf("%T, %s: error %v", whole, inner.ID(), err)
			}
		}
	}
	away := resource.File{Path: "/d/a", Absent: true}
	if err := validate(tree, away); err == nil {
		t.Error("what is wanted away in a tree is not refused")
	}
	for _, beside := range []struct{ one, other recipe.Resource }{
		{resource.Directory{Path: "/d", Absent: true, Tree: true}, away},
		{tree, resource.File{Path: "/d.conf"}}, {resource.Tree{Path: "/d/e"}, resource.Directory{Path: "/d"}}, {tree, resource.File{Path: "/e/d/a"}},
		{resource.Directory{Path: "/d"}, resource.File{Path: "/d/a"}}, {resource.Directory{Path: "/d", Absent: true}, resource.File{Path: "/e"}},
	} {
		if err := validate(beside.one, beside.other); err != nil {
			t.Errorf("%s, %s: %v", beside.one.ID(), beside.other.ID(), err)
		}
	}
}

// A line of a file that a command makes is no second thing at its path, in either order.
func TestALineInAMadeFile(t *testing.T) {
	command := recipe.Item{Resource: resource.Command{Name: "c", Unless: "false", Script: "true", Makes: []string{"/etc/a"}}}
	line := recipe.Item{Resource: resource.Line{Path: "/etc/a", Line: "x"}}
	file := recipe.Item{Resource: resource.File{Path: "/etc/a"}}
	for name, c := range map[string]struct {
		items   []recipe.Item
		refused bool
	}{
		"line last": {[]recipe.Item{command, line}, false}, "line first": {[]recipe.Item{line, command}, false},
		"file last": {[]recipe.Item{command, file}, true}, "file first": {[]recipe.Item{file, command}, true},
	} {
		if _, err := recipe.Join(recipe.Recipe{Items: c.items}); (err != nil) != c.refused {
			t.Errorf("%s: %v", name, err)
		}
	}
}
