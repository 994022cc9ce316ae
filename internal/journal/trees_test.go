package journal_test

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"provision/internal/recipe"
)

func removeTree(path string) recipe.Remove { return recipe.Remove{Path: path, Tree: true} }

// planted makes a directory with something in it.
func (m *machine) planted(t *testing.T, path string) {
	t.Helper()
	m.write(t, path+"/sub/file", "precious")
	m.write(t, path+"/other", "too")
	if err := os.Symlink("/nowhere", path+"/link"); err != nil {
		t.Fatal(err)
	}
}

func (m *machine) whole(t *testing.T, path string) {
	t.Helper()
	if read(t, path+"/sub/file") != "precious" || read(t, path+"/other") != "too" || !exists(path+"/link") {
		t.Errorf("%s is not whole", path)
	}
}

// apart mounts a file system of its own, so big, over a directory of the machine's, where only
// the run sees it.
func (m *machine) apart(path, size string) {
	m.setup += "\nmount -t tmpfs -o mode=755,size=" + size + " tmpfs " + path
}

// What is mounted below a directory, or is the directory, is not its own: nothing goes.
func TestTreeWithAMountIsLeftAlone(t *testing.T) {
	t.Parallel()
	for name, at := range map[string]string{"below": "/tree/sub/a b", "itself": "/tree"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMachine(t)
			m.planted(t, m.root+"/tree")
			m.write(t, m.root+"/tree/sub/a b/x", "")
			m.write(t, m.dir+"/elsewhere/data", "precious")
			m.setup = "mount --bind " + m.dir + "/elsewhere '" + m.root + at + "'"
			c := m.begin(t)
			failed := c.fails(t, removeTree(m.root+"/tree"))
			if want := m.root + "/tree: is left alone, for something is mounted there: " + m.root + at; !strings.Contains(failed.Output, want) {
				t.Errorf("output %q, want %q", failed.Output, want)
			}
			if read(t, m.dir+"/elsewhere/data") != "precious" {
				t.Error("it crossed the mount")
			}
			m.whole(t, m.root+"/tree")
			c.finish(t)
			m.noTemporaries(t)
		})
	}
}

// In the file system of the copies a directory is renamed: it takes no room, and comes back.
func TestTreeIsKeptByARename(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.planted(t, m.dir+"/lib/tree")
	before, err := os.Stat(m.dir + "/lib/tree/other")
	if err != nil {
		t.Fatal(err)
	}
	c := m.begin(t)
	c.do(t, removeTree("/var/lib/tree"))
	kept, err := os.Stat(m.state("runs/000001/kept/1/other"))
	if err != nil || !os.SameFile(before, kept) || exists(m.dir+"/lib/tree") {
		t.Errorf("kept %v, %v", kept, err)
	}
	m.write(t, m.dir+"/lib/tree/newer", "")
	c.do(t, recipe.Restore{Number: 1, Path: "/var/lib/tree"})
	m.whole(t, m.dir+"/lib/tree")
	if exists(m.dir + "/lib/tree/newer") {
		t.Error("what came since is there as well")
	}
	c.finish(t)
	m.noTemporaries(t)
}

// In another one it is copied, as long as it is no more than can be.
func TestTreeOfAnotherFileSystem(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.write(t, m.root+"/x/y", "")
	m.apart(m.root+"/x", "400m")
	c := m.begin(t)
	at := m.root + "/x/tree"
	c.do(t, run("plant", "mkdir -p "+at+"/sub && echo precious >"+at+"/sub/file"))
	c.do(t, removeTree(at), run("is it gone", "[ ! -e "+at+" ]"))
	c.do(t, recipe.Restore{Number: 2, Path: at}, run("is it back", "grep precious "+at+"/sub/file"))
	c.do(t, run("fill", "head -c 300000000 /dev/zero >"+at+"/big"))
	failed := c.fails(t, removeTree(at))
	if !strings.Contains(failed.Output, "more than 256 MiB are not copied there") {
		t.Errorf("output %q", failed.Output)
	}
	c.do(t, run("is it there", "grep precious "+at+"/sub/file && [ -e "+at+"/big ] && ! ls -A "+m.root+"/x | grep provision"))
}

// What cannot be removed as a whole is put back as a whole.
func TestTreeThatCannotBeRemovedComesBack(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.write(t, m.root+"/x/y", "")
	m.apart(m.root+"/x", "10m")
	m.fake(t, "rm", `case "$*" in *"-rf -- ./tree") /usr/bin/rm -rf -- ./tree/sub; exit 1 ;; esac
exec /usr/bin/rm "$@"`)
	c := m.begin(t)
	at := m.root + "/x/tree"
	c.do(t, run("plant", "mkdir -p "+at+"/sub && echo precious >"+at+"/sub/file && echo too >"+at+"/other"))
	failed := c.fails(t, removeTree(at))
	if !strings.Contains(failed.Output, "is left, for not all of it can be removed") {
		t.Errorf("output %q", failed.Output)
	}
	c.do(t, run("is it whole", "grep precious "+at+"/sub/file && grep too "+at+"/other"))
}

// A run that dies while it removes a directory leaves it there, or kept as a whole.
func TestTreeOfARunThatDies(t *testing.T) {
	t.Parallel()
	for _, moment := range []string{"mv", "sync"} {
		t.Run(moment, func(t *testing.T) {
			t.Parallel()
			m := newMachine(t)
			m.planted(t, m.dir+"/lib/tree")
			path, err := exec.LookPath(moment)
			if err != nil {
				t.Fatal(err)
			}
			m.fake(t, moment, `case "$*" in *tree*kept/1 | ". "*) touch `+m.dir+`/reached; sleep 30 ;; esac
exec `+path+` "$@"`)
			c := m.begin(t)
			ended := c.background(t, removeTree("/var/lib/tree"))
			eventually(t, "the moment", func() bool { return exists(m.dir + "/reached") })
			c.kill(t)
			<-ended
			left := m.dir + "/lib/tree"
			if !exists(left) {
				left = m.state("runs/000001/kept/1")
			}
			m.whole(t, left)
		})
	}
}

// A name may be as long as the file system lets it, and something may stand there again.
func TestTreeWithTheLongestNameComesBack(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	for _, name := range []string{strings.Repeat("n", 255), "then", "now"} {
		tree := m.root + "/" + name
		m.planted(t, tree)
		c := m.begin(t)
		c.do(t, removeTree(tree))
		m.write(t, tree+"/newer", "x")
		c.do(t, recipe.Restore{Number: 1, Path: tree})
		m.whole(t, tree)
		if exists(tree + "/newer") {
			t.Errorf("%s: what stood there stays", name)
		}
		c.finish(t)
	}
	m.noTemporaries(t)
}

// Of the secrets in a directory that goes no copy stays when the run has converged. The links that
// its owner has put there lead nowhere.
func TestSecretsOfATreeAreForgotten(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	tree := m.root + "/a tree"
	c := m.begin(t)
	m.write(t, tree+"/plain", "precious")
	m.write(t, tree+"/sub/x", "")
	m.write(t, tree+"/linked/x", "")
	m.write(t, m.root+"/elsewhere/key", "root's")
	for _, at := range []string{"/key.pem", "/sub/key.pem", "/linked/key"} {
		key := file(tree+at, "hidden")
		key.Mode, key.Secret = 0o600, true
		c.do(t, key)
	}
	c.do(t, recipe.MakeSecret{Path: tree + "/made", Length: 20, Attributes: rootOwned})
	c.finish(t)
	c = m.begin(t)
	c.do(t, run("links", fmt.Sprintf("cd '%s' && rm -r linked && ln -s %s/elsewhere linked", tree, m.root)))
	c.do(t, removeTree(tree))
	kept := m.state("runs/" + c.Run + "/kept/2")
	if read(t, kept+"/key.pem") != "hidden" {
		t.Error("it could not come back before the run has converged")
	}
	c.finish(t)
	for _, at := range []string{"/key.pem", "/sub/key.pem", "/made"} {
		if exists(kept + at) {
			t.Errorf("the copy of %s is left", at)
		}
	}
	if read(t, kept+"/plain") != "precious" || read(t, m.root+"/elsewhere/key") != "root's" {
		t.Error("more is gone")
	}
}
