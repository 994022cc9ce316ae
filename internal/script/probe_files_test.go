package script_test

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"provision/internal/recipe"
)

// What another account's link leads to is not read: it might come back in a file of that account.
func TestContentByALinkOfAnotherAccount(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root, for chown")
	}
	dir := t.TempDir()
	theirs := filepath.Join(dir, "theirs")
	for _, made := range []string{theirs, filepath.Join(dir, "ours")} {
		if err := os.Mkdir(made, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write(t, filepath.Join(dir, "ours/file"), "root's")
	if err := os.Symlink("../ours", filepath.Join(theirs, "link")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("ours", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(theirs, 65534, 65534); err != nil {
		t.Fatal(err)
	}
	answer := ask(t, content(filepath.Join(theirs, "link/file")), content(filepath.Join(dir, "link/file")))
	if got := answer.Facts.Content(filepath.Join(theirs, "link/file")); got.Bytes != nil {
		t.Errorf("read: %q", got.Bytes)
	}
	if got := answer.Facts.Content(filepath.Join(dir, "link/file")); string(got.Bytes) != "root's" {
		t.Errorf("by root's own link: %q", got.Bytes)
	}
}

// A directory's digest here is the one that the controller makes of what should be in it, and only where
// it is another each entry is told.
func TestProbeOfFiles(t *testing.T) {
	dir := t.TempDir()
	name, group := owner(t)
	var entries []recipe.Entry
	for i, base := range nasty {
		file := filepath.Join(dir, base)
		is := recipe.Path{Owner: name, Group: group}
		switch i % 3 {
		case 0:
			write(t, file, base)
			is.Type, is.Mode, is.SHA256 = recipe.PathFile, 0o640, recipe.Digest([]byte(base))
		case 1:
			if err := os.Mkdir(file, 0o750); err != nil {
				t.Fatal(err)
			}
			write(t, filepath.Join(file, base), "in it")
			entries = append(entries, recipe.Entry{Name: base + "/" + base, Path: recipe.Path{Type: recipe.PathFile, Mode: 0o640, Owner: name, Group: group, SHA256: recipe.Digest([]byte("in it"))}})
			is.Type, is.Mode = recipe.PathDirectory, 0o750
		case 2:
			if err := os.Symlink("a//b "+base, file); err != nil {
				t.Fatal(err)
			}
			is.Type, is.Mode, is.Target = recipe.PathLink, 0o777, "a//b "+base
		}
		entries = append(entries, recipe.Entry{Name: base, Path: is})
	}
	probe := func(path, same string) recipe.Probe { return recipe.Probe{Key: recipe.FilesKey(path), Same: same} }
	digest := recipe.FilesDigest(entries)
	if got := ask(t, probe(dir, digest), path(dir)).Facts.Files(dir); got.Digest != digest || got.Entries != nil {
		t.Errorf("%s with %d entries, want %s", got.Digest, len(got.Entries), digest)
	}
	if os.Geteuid() == 0 { // whom they belong to, by name, and by number where there is no name
		for i, as := range []struct {
			user, group   int
			owner, within string
		}{{1, 2, "daemon", "bin"}, {4242, 2, "4242", "bin"}, {1, 4242, "daemon", "4242"}} {
			if err := os.Lchown(filepath.Join(dir, entries[i].Name), as.user, as.group); err != nil {
				t.Fatal(err)
			}
			entries[i].Owner, entries[i].Group = as.owner, as.within
		}
	}
	slices.SortFunc(entries, func(a, b recipe.Entry) int { return strings.Compare(a.Name, b.Name) })
	answer := ask(t, probe(dir, ""), probe(dir+"/none", ""), probe(dir+"/plain", ""))
	if got := answer.Facts.Files(dir); !reflect.DeepEqual(got.Entries, entries) {
		t.Errorf("entries %+v,\nwant %+v", got.Entries, entries)
	}
	for _, none := range []string{dir + "/none", dir + "/plain"} {
		if got := answer.Facts.Files(none); got.Digest != "" {
			t.Errorf("%s: %+v", none, got)
		}
	}
	empty := t.TempDir()
	if got := ask(t, probe(empty, "")).Facts.Files(empty).Digest; got != recipe.FilesDigest(nil) {
		t.Errorf("of nothing: %s", got)
	}
}
