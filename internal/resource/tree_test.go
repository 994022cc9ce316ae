package resource_test

import (
	"testing"

	"provision/internal/recipe"
	"provision/internal/resource"
)

func TestTree(t *testing.T) {
	wanted := resource.Tree{Path: at, Files: []resource.TreeFile{{Name: "b/c/d", Content: "x"}, {Name: "a", Content: "new", Executable: true}}}
	gone := resource.Tree{Path: at, Absent: true}
	entry := func(name string, is recipe.Path) recipe.Entry {
		is.Owner, is.Group = "root", "root"
		return recipe.Entry{Name: name, Path: is}
	}
	directory := recipe.Path{Type: recipe.PathDirectory, Mode: 0o755}
	file := func(mode uint32, content string) recipe.Path {
		return recipe.Path{Type: recipe.PathFile, Mode: mode, SHA256: recipe.Digest([]byte(content))}
	}
	mark := entry(".tree", file(0o644, "All of this directory is provision's: what else is put into it goes.\n"))
	others := []recipe.Entry{entry("bin", directory), entry("bin/tool", file(0o755, "theirs"))}
	same := []recipe.Entry{entry("a", file(0o755, "new")), entry("b", directory), entry("b/c", directory), entry("b/c/d", file(0o644, "x")), mark}
	with := func(mode uint32, entries ...recipe.Entry) []recipe.Effect {
		return one(found(at, recipe.Path{Type: recipe.PathDirectory, Mode: mode}), recipe.Known(recipe.FilesKey(at), recipe.Files{Digest: recipe.FilesDigest(entries), Entries: entries}))
	}
	check(t, []row{
		{name: "none", wanted: wanted, kind: recipe.Create, steps: "write tree /etc/a"},
		{name: "same", wanted: wanted, found: with(0o755, same...)},
		{name: "mode", wanted: wanted, found: with(0o700, same...), kind: recipe.Update, steps: "set mode and owner of /etc/a", deltas: "mode 0700→0755"},
		{name: "empty", wanted: wanted, found: with(0o755), kind: recipe.Update, steps: "write tree /etc/a", deltas: "added →.tree, b, b/c, b/c/d, a"},
		{name: "just so, of others", wanted: wanted, found: with(0o755, same[:4]...), kind: recipe.Update, steps: "write tree /etc/a", deltas: "added →.tree"},
		{name: "of others", wanted: wanted, found: with(0o755, others...), err: "all of that would go: bin, bin/tool: name a directory of its own"},
		{name: "gone, of others", wanted: gone, found: append(with(0o755), in("bin")), err: "all of that would go: bin"},
		{name: "gone, with theirs in it", wanted: gone, found: append(with(0o755), in("bin", ".tree"), foundFile(at+"/.tree", "", 0o644)), kind: recipe.Delete, steps: "remove /etc/a", deltas: "goes bin→"},
		{name: "one changed, one too many", wanted: wanted, found: with(0o755, append(same[1:5:5], entry("a", file(0o755, "old")), entry("z", directory))...),
			kind: recipe.Update, steps: "write tree /etc/a", deltas: "changed →a; removed z→"},
		{name: "a mount", wanted: wanted, found: append(with(0o755), recipe.Known(recipe.TreeKey(at), recipe.Tree{Mounts: []string{"/etc/a/b"}})), err: "something is mounted there"},
		{name: "file", wanted: wanted, found: isFile, err: "is a file, not a directory"},
		{name: "link", wanted: wanted, found: isLink, err: "is a link, not a directory"},
		{name: "gone, none", wanted: gone},
		{name: "gone, there", wanted: gone, found: with(0o755, same...), kind: recipe.Delete, steps: "remove /etc/a"},
	})
	facts := recipe.Facts{}
	facts.Apply(with(0o755, append(same[1:5:5], entry("a", file(0o755, "old")))...))
	change, err := wanted.Diff(facts)
	if err != nil || change.Diff == nil || change.Diff.Path != "/etc/a/a" || string(change.Diff.After) != "new" {
		t.Errorf("the one file that changes is not shown: %+v, %v", change.Diff, err)
	}
	for name, bad := range map[string]resource.Tree{
		"a way out":           {Path: at, Files: []resource.TreeFile{{Name: "../x"}}},
		"an absolute name":    {Path: at, Files: []resource.TreeFile{{Name: "/x"}}},
		"no name":             {Path: at, Files: []resource.TreeFile{{}}},
		"a name of two lines": {Path: at, Files: []resource.TreeFile{{Name: "a\nb"}}},
		"one twice":           {Path: at, Files: []resource.TreeFile{{Name: "a"}, {Name: "a"}}},
		"one in a file":       {Path: at, Files: []resource.TreeFile{{Name: "a"}, {Name: "a/b/c"}}},
		"a relative path":     {Path: "x"},
		"a mode":              {Path: at, Attributes: recipe.Attributes{Mode: 644}},
	} {
		if err := bad.Validate(); err == nil {
			t.Errorf("%s: not refused", name)
		}
	}
	if err := wanted.Validate(); err != nil {
		t.Error(err)
	}
}

// in are the names in the directory.
func in(names ...string) recipe.Effect {
	return recipe.Known(recipe.EntriesKey(at), recipe.Entries(names))
}

func TestArchive(t *testing.T) {
	wanted := resource.Archive{Path: at, URL: "https://example.org/a.tar", SHA256: recipe.Digest([]byte("a"))}
	gone := resource.Archive{Path: at, Absent: true}
	unpacked := func(digest string) []recipe.Effect {
		return append(one(foundFile(at+"/.archive.sha256", digest+"\n", 0o644)), isDirectory...)
	}
	check(t, []row{
		{name: "none", wanted: wanted, kind: recipe.Create, steps: "unpack /etc/a"},
		{name: "same", wanted: wanted, found: unpacked(wanted.SHA256)},
		{name: "another", wanted: wanted, found: unpacked(recipe.Digest([]byte("b"))), kind: recipe.Update, steps: "unpack /etc/a", deltas: "archive another→sha256 " + wanted.SHA256[:12]},
		{name: "another, with theirs in it", wanted: wanted, found: append(unpacked(recipe.Digest([]byte("b"))), in("theirs", ".archive.sha256", "bin")), kind: recipe.Update, steps: "unpack /etc/a",
			deltas: "archive another→sha256 " + wanted.SHA256[:12] + "; goes bin, theirs→"},
		{name: "empty", wanted: wanted, found: isDirectory, kind: recipe.Update, steps: "unpack /etc/a", deltas: "archive another→sha256 " + wanted.SHA256[:12]},
		{name: "a directory of others", wanted: wanted, found: append(isDirectory[:1:1], in("lib", "bin")), err: "all of that would go: bin, lib: name a directory of its own"},
		{name: "gone, of others", wanted: gone, found: append(isDirectory[:1:1], in("bin")), err: "all of that would go: bin"},
		{name: "gone, with theirs in it", wanted: gone, found: append(unpacked("x"), in("bin")), kind: recipe.Delete, steps: "remove /etc/a", deltas: "goes bin→"},
		{name: "owner", wanted: resource.Archive{Path: at, URL: wanted.URL, SHA256: wanted.SHA256, Owner: "u"}, found: unpacked(wanted.SHA256), kind: recipe.Update, steps: "unpack /etc/a",
			deltas: "owner root:root→u:root; archive another→sha256 " + wanted.SHA256[:12]},
		{name: "a mount", wanted: wanted, found: append(isDirectory[:1:1], recipe.Known(recipe.TreeKey(at), recipe.Tree{Mounts: []string{at}})), err: "something is mounted there"},
		{name: "file", wanted: wanted, found: isFile, err: "is a file, not a directory"},
		{name: "gone, there", wanted: gone, found: isDirectory, kind: recipe.Delete, steps: "remove /etc/a"},
		{name: "gone, none", wanted: gone},
	})
	for name, bad := range map[string]resource.Archive{
		"no digest":       {Path: at, URL: wanted.URL},
		"a password":      {Path: at, URL: "https://a:b@x/y", SHA256: wanted.SHA256},
		"too many":        {Path: at, URL: wanted.URL, SHA256: wanted.SHA256, Strip: -1},
		"a relative path": {Path: "x", URL: wanted.URL, SHA256: wanted.SHA256},
	} {
		if err := bad.Validate(); err == nil {
			t.Errorf("%s: not refused", name)
		}
	}
}

func TestGit(t *testing.T) {
	const commit = "0123456789abcdef0123456789abcdef01234567"
	wanted := resource.Git{Path: at, URL: "https://example.org/a.git", Commit: commit}
	gone := resource.Git{Path: at, Absent: true}
	head := func(commit string) []recipe.Effect {
		return append(one(foundFile(at+"/.git/HEAD", commit+"\n", 0o644)), isDirectory...)
	}
	check(t, []row{
		{name: "none", wanted: wanted, kind: recipe.Create, steps: "check out /etc/a"},
		{name: "same", wanted: wanted, found: head(commit)},
		{name: "another", wanted: wanted, found: append(head("ref: refs/heads/main"), foundFile(at+"/.git/provision", "x", 0o644), in(".git", "README")), kind: recipe.Update, steps: "check out /etc/a",
			deltas: "commit another→0123456789ab; goes README→"},
		{name: "a clone of others", wanted: wanted, found: append(head("ref: refs/heads/main"), in(".git", "README")), err: "all of that would go: .git, README"},
		{name: "a directory of others", wanted: wanted, found: append(isDirectory[:1:1], in("bin")), err: "all of that would go: bin"},
		{name: "gone, a clone of others", wanted: gone, found: append(head(commit), in(".git")), err: "all of that would go: .git"},
		{name: "no repository", wanted: wanted, found: isDirectory, kind: recipe.Update, steps: "check out /etc/a", deltas: "commit another→0123456789ab"},
		{name: "a mount", wanted: wanted, found: append(isDirectory[:1:1], recipe.Known(recipe.TreeKey(at), recipe.Tree{Mounts: []string{at}})), err: "something is mounted there"},
		{name: "file", wanted: wanted, found: isFile, err: "is a file, not a directory"},
		{name: "gone, there", wanted: gone, found: head(commit), kind: recipe.Delete, steps: "remove /etc/a"},
		{name: "gone, none", wanted: gone},
	})
	for name, bad := range map[string]resource.Git{
		"a branch":         {Path: at, URL: wanted.URL, Commit: "main"},
		"a short name":     {Path: at, URL: wanted.URL, Commit: commit[:12]},
		"a password":       {Path: at, URL: "https://me:hunter2@x/a", Commit: commit},
		"a token":          {Path: at, URL: "https://hunter2@x/a", Commit: commit},
		"a path":           {Path: at, URL: "/srv/a.git", Commit: commit},
		"an option":        {Path: at, URL: "--upload-pack=x", Commit: commit},
		"an option's host": {Path: at, URL: "ssh://-oProxyCommand=x/a", Commit: commit},
		"a helper":         {Path: at, URL: "ext::sh -c x", Commit: commit},
		"a relative path":  {Path: "x", URL: wanted.URL, Commit: commit},
	} {
		if err := bad.Validate(); err == nil {
			t.Errorf("%s: not refused", name)
		}
	}
	if err := (resource.Git{Path: at, URL: "ssh://git@example.org/a.git", Commit: commit}).Validate(); err != nil {
		t.Error(err)
	}
}

// A directory that was replaced with all that was in it comes back, though it is one now too.
func TestKeptTree(t *testing.T) {
	const kept = "/var/lib/provision/runs/000001/kept/1"
	was := resource.Kept{Path: at, Run: "000001", Step: 1, Copy: kept, Tree: true}
	files := func(path, digest string) []recipe.Effect {
		return one(found(path, recipe.Path{Type: recipe.PathDirectory, Mode: 0o755}), recipe.Known(recipe.FilesKey(path), recipe.Files{Digest: digest}))
	}
	check(t, []row{
		{name: "same", wanted: was, found: append(files(at, "1"), files(kept, "1")...)},
		{name: "another", wanted: was, found: append(files(at, "2"), files(kept, "1")...), kind: recipe.Update, steps: "restore /etc/a"},
		{name: "none", wanted: was, found: files(kept, "1"), kind: recipe.Create, steps: "restore /etc/a"},
	})
}
