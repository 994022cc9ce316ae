package journal_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"provision/internal/recipe"
	"provision/internal/resource"
)

// A tree has its files and nothing else, whatever they are called; another takes its place, and the
// one before comes back.
func TestTree(t *testing.T) {
	t.Parallel()
	for name, apart := range map[string]bool{"in the copies' file system": false, "in another": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMachine(t)
			at := m.root + "/two words/tree"
			m.write(t, m.root+"/two words/x", "")
			if apart {
				m.apart("'"+m.root+"/two words'", "100m")
			}
			c := m.begin(t)
			tree := resource.Tree{Path: at, Attributes: recipe.Attributes{Mode: 0o640, Group: "daemon"}}
			for i, name := range nasty {
				name = strings.ReplaceAll(name, "\n", "n")
				tree.Files = append(tree.Files,
					resource.TreeFile{Name: name, Content: strings.Repeat(name, i)},
					resource.TreeFile{Name: "dir " + name + "/sub/" + name, Content: "x", Executable: true})
			}
			c.becomes(t, tree)
			c.do(t, run("look", `cd `+`"`+at+`"`+` && [ "$(stat -c '%a %G' .)" = '750 daemon' ] && [ "$(stat -c '%a %G' plain)" = '640 daemon' ] &&
				[ "$(stat -c '%a %G' 'dir plain/sub')" = '750 daemon' ] && [ "$(stat -c '%a %G' 'dir plain/sub/plain')" = '750 daemon' ]`))
			c.do(t, run("disturb", `cd "`+at+`" && echo theirs >orphan && mkdir -m 0700 orphans && ln -s /etc plain.link && rm ./plain && ln -s /etc/passwd plain && chmod 0600 -- ./-n`))
			change := c.becomes(t, tree)
			if deltas := deltasOf(change); deltas != "changed →plain, -n; removed orphan, orphans, plain.link→" {
				t.Errorf("deltas %q", deltas)
			}
			number := c.number
			c.do(t, recipe.Restore{Number: number, Path: at}, run("is it back", `cd "`+at+`" && grep theirs orphan && [ -L plain ]`))
			if !apart { // what a rollback takes away comes back by a rollback of it
				c.do(t, recipe.Restore{Number: number + 1, Path: at}, run("is the new one back", `cd "`+at+`" && [ ! -e orphan ] && [ ! -L plain ]`))
				c.do(t, recipe.Restore{Number: number, Path: at})
			}
			c.becomes(t, tree)
			c.do(t, recipe.Restore{Number: 1, Path: at}, run("is it gone", `[ ! -e "`+at+`" ]`)) // before the first there was none
			if !apart {
				c.do(t, recipe.Restore{Number: c.number - 1, Path: at}, run("is it back again", `[ -e "`+at+`/plain" ]`))
				c.do(t, recipe.Restore{Number: 1, Path: at})
			}
			c.becomes(t, tree)
			tree.Absent = true
			c.becomes(t, tree)
			c.do(t, run("nothing is left", `[ "$(ls -A "`+m.root+`/two words" | grep -v '^x$')" = '' ]`))
			c.finish(t)
			m.noTemporaries(t)
		})
	}
}

func deltasOf(change recipe.Change) string {
	var all []string
	for _, delta := range change.Deltas {
		all = append(all, delta.Name+" "+delta.Before+"→"+delta.After)
	}
	return strings.Join(all, "; ")
}

// What is mounted in a tree is not its own, and what is no directory is not taken for one.
func TestTreeIsNoMount(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.write(t, m.root+"/tree/mount/x", "")
	m.write(t, m.dir+"/elsewhere/data", "precious")
	m.write(t, m.root+"/file", "precious")
	m.setup = "mount --bind " + m.dir + "/elsewhere " + m.root + "/tree/mount"
	c := m.begin(t)
	for path, problem := range map[string]string{"/tree": "something is mounted there", "/file": "is no directory"} {
		change, err := resource.Tree{Path: m.root + path, Files: []resource.TreeFile{{Name: "a"}}}.Diff(recipe.Facts{})
		if err != nil {
			t.Fatal(err)
		}
		if failed := c.fails(t, change.Steps...); !strings.Contains(failed.Output, problem) {
			t.Errorf("%s: said %q", path, failed.Output)
		}
	}
	if read(t, m.dir+"/elsewhere/data") != "precious" || read(t, m.root+"/file") != "precious" {
		t.Error("what is there was touched")
	}
	c.finish(t)
	m.noTemporaries(t)
}

// packed is an archive that would do more than it should: with an owner, a set-user-ID program and a
// way out of its directory.
func packed(t *testing.T, version string, besides ...tar.Header) string {
	t.Helper()
	var all bytes.Buffer
	compressed := gzip.NewWriter(&all)
	archive := tar.NewWriter(compressed)
	add := func(header tar.Header, content string) {
		header.Size, header.Format = int64(len(content)), tar.FormatGNU
		if err := archive.WriteHeader(&header); err != nil {
			t.Fatal(err)
		}
		if _, err := archive.Write([]byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	add(tar.Header{Name: "tool-1/", Typeflag: tar.TypeDir, Mode: 0o777, Uid: 1234, Gid: 1234}, "")
	add(tar.Header{Name: "tool-1/bin/tool", Mode: 0o4775, Uid: 1234}, version)
	add(tar.Header{Name: "tool-1/.archive.sha256", Mode: 0o666}, "forged")
	add(tar.Header{Name: "tool-1/link", Typeflag: tar.TypeSymlink, Linkname: "bin/tool"}, "")
	for _, header := range besides {
		add(header, "")
	}
	archive.Close()
	compressed.Close()
	return all.String()
}

func TestArchive(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	one, two := packed(t, "one"), packed(t, "two")
	device := packed(t, "three", tar.Header{Name: "tool-1/null", Typeflag: tar.TypeChar, Devmajor: 1, Devminor: 3, Mode: 0o666})
	wayOut := packed(t, "four", tar.Header{Name: "tool-1/out", Typeflag: tar.TypeSymlink, Linkname: m.root}, tar.Header{Name: "tool-1/out/planted", Mode: 0o644})
	url := m.serving(t, map[string]string{"/1.tar.gz": one, "/2.tar.gz": two, "/3.tar.gz": device, "/4.tar.gz": wayOut, "/none": "no archive", "/empty.tar": string(make([]byte, 10240))})
	c := m.begin(t)
	archive := resource.Archive{Path: m.root + "/tree", URL: url + "/1.tar.gz", SHA256: recipe.Digest([]byte(one)), Strip: 1}
	c.becomes(t, archive)
	stat, err := os.Stat(archive.Path + "/link")
	if err != nil || stat.Mode() != 0o755 || stat.Sys().(*syscall.Stat_t).Uid != 0 || read(t, archive.Path+"/bin/tool") != "one" {
		t.Errorf("%v, %v", stat, err)
	}
	m.write(t, archive.Path+"/theirs", "x")
	archive.URL, archive.SHA256, archive.Owner, archive.Group = url+"/2.tar.gz", recipe.Digest([]byte(two)), "daemon", "daemon"
	c.becomes(t, archive)
	if read(t, archive.Path+"/bin/tool") != "two" || exists(archive.Path+"/theirs") {
		t.Error("the other is not in its place")
	}
	for _, bad := range []struct{ name, text, problem string }{
		{"/none", "no archive", "nothing can be unpacked there"}, {"/empty.tar", string(make([]byte, 10240)), "nothing can be unpacked there"},
		{"/3.tar.gz", device, "neither a file nor a directory nor a link"}, {"/4.tar.gz", wayOut, "nothing can be unpacked there"},
	} {
		change, err := resource.Archive{Path: archive.Path, URL: url + bad.name, SHA256: recipe.Digest([]byte(bad.text))}.Diff(recipe.Facts{})
		if err != nil {
			t.Fatal(err)
		}
		if failed := c.fails(t, change.Steps...); !strings.Contains(failed.Output, bad.problem) || exists(m.root+"/planted") {
			t.Errorf("%s: said %q", bad.name, failed.Output)
		}
	}
	if read(t, archive.Path+"/bin/tool") != "two" {
		t.Error("what was there is gone")
	}
	c.do(t, recipe.Restore{Number: 2, Path: archive.Path})
	if read(t, archive.Path+"/theirs") != "x" {
		t.Error("the first is not back")
	}
	archive.Absent = true
	c.becomes(t, archive)
	c.finish(t)
	m.noTemporaries(t)
}

// A commit that no branch names any more is not given alone by a server of git's own making.
func TestGit(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	git := func(args ...string) string {
		t.Helper()
		c := exec.Command("git", append([]string{"-C", m.root + "/origin", "-c", "user.name=x", "-c", "user.email=x@example.org"}, args...)...)
		out, err := c.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return strings.TrimSpace(string(out))
	}
	m.write(t, m.root+"/origin/bin/tool", "one")
	git("init", "-q")
	git("add", "-A")
	git("commit", "-q", "-m", "1")
	first := git("rev-parse", "HEAD")
	m.write(t, m.root+"/origin/bin/tool", "two")
	git("commit", "-q", "-a", "-m", "2")
	c := m.begin(t)
	at := m.root + "/it's out"
	checkOut := func(commit, owner string) []recipe.Step {
		return []recipe.Step{recipe.CheckOut{Path: at, URL: "file://" + m.root + "/origin", Commit: commit, Owner: owner, Group: "daemon"}}
	}
	wanted := resource.Git{Path: at, URL: "https://example.org/x", Commit: first, Owner: "daemon", Group: "daemon"}
	c.does(t, wanted, checkOut(first, "daemon"))
	if read(t, at+"/bin/tool") != "one" {
		t.Error("the first commit is not there")
	}
	m.write(t, at+"/theirs", "x")
	wanted.Commit, wanted.Owner = git("rev-parse", "HEAD"), ""
	c.does(t, wanted, checkOut(wanted.Commit, "root"))
	if read(t, at+"/bin/tool") != "two" || exists(at+"/theirs") {
		t.Error("the second commit is not in its place")
	}
	if failed := c.fails(t, checkOut(strings.Repeat("a", 40), "root")...); failed.Output == "" || read(t, at+"/bin/tool") != "two" {
		t.Errorf("said %q", failed.Output)
	}
	wanted.Absent = true
	c.becomes(t, wanted)
	c.finish(t)
	m.noTemporaries(t)
}

// does holds the model of a resource's steps against the machine, as becomes: of steps that stand for
// those that it wants, for what these fetch is not to be had here.
func (c *client) does(t *testing.T, wanted recipe.Resource, steps []recipe.Step) {
	t.Helper()
	model := c.ask(t, wanted.Probes())
	if change, err := wanted.Diff(model); err != nil || len(change.Steps) != len(steps) {
		t.Fatalf("it wants %+v, %v", change, err)
	}
	c.holds(t, wanted, model, steps)
}

func TestDirectoryWithParents(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	c := m.begin(t)
	directory := resource.Directory{Path: m.root + "/a b/it's/c", Parents: true, Attributes: recipe.Attributes{Mode: 0o700}}
	c.becomes(t, directory)
	if stat, err := os.Stat(m.root + "/a b/it's"); err != nil || stat.Mode().Perm() != 0o755 {
		t.Errorf("%v, %v", stat, err)
	}
	directory.Absent = true
	c.becomes(t, directory)
}
