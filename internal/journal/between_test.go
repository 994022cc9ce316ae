package journal_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"provision/internal/recipe"
	"provision/internal/resource"
)

// theirs makes a directory of another account with a file of its own, and one that only root reads.
func (m *machine) theirs(t *testing.T) string {
	t.Helper()
	dir := m.root + "/theirs"
	m.write(t, dir+"/file", "theirs\n")
	m.write(t, dir+"/history", "root's\n")
	for path, owner := range map[string]int{dir: nobody, dir + "/file": nobody, dir + "/history": 0} {
		if err := os.Chown(path, owner, owner); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(dir+"/history", 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// Whose a file is and what is in it are looked at one after the other. What another account puts in
// its place between them comes into no file of that account.
func TestContentOfAnotherFileIsNotTaken(t *testing.T) {
	t.Parallel()
	for name, does := range map[string]string{
		"before the digest":                   "[ $n != 1 ] || mv history file",
		"behind it, and there is no digest":   "[ $n != 1 ] || mv file gone; [ $n != 2 ] || mv history file",
		"behind the digest of the other file": "[ $n != 1 ] || mv history file; [ $n != 2 ] || cp -a file history",
		"there was nothing":                   "[ $n != 0 ] || mv file gone; [ $n != 2 ] || mv history file",
	} {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t)
			dir := m.theirs(t)
			c := m.begin(t)
			m.write(t, m.dir+"/count", "0")
			m.fake(t, "find", fmt.Sprintf(`turn() { n=$(cat %[1]s/count); (cd %[2]s && %[3]s); }
case "$*" in *theirs/file*) ;; *) exec /usr/bin/find "$@" ;; esac
turn
echo $((n + 1)) >%[1]s/count
/usr/bin/find "$@"
turn
`, m.dir, dir, does))
			wanted := resource.Line{Path: dir + "/file", Line: "more"}
			facts := c.ask(t, wanted.Probes())
			if text := string(facts.Content(dir + "/file").Bytes); strings.Contains(text, "root's") {
				t.Errorf("it was read: %q", text)
			}
			change, err := wanted.Diff(facts)
			for _, step := range change.Steps {
				if write, ok := step.(recipe.WriteFile); ok && strings.Contains(string(write.Content), "root's") {
					t.Errorf("it is written into a file of %s: %q, %v", write.Owner, write.Content, err)
				}
			}
		})
	}
}

// A file of root's alone that another account puts in the place of its own is not given to it,
// whether it comes before the step or in it.
func TestAttributesOfWhatCameInBetween(t *testing.T) {
	t.Parallel()
	swap := "mv file gone && mv history file"
	for name, at := range map[string]string{"before": "", "in it": "ln"} {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t)
			dir := m.theirs(t)
			c := m.begin(t)
			wanted := resource.File{Path: dir + "/file", Content: "theirs\n", Attributes: recipe.Attributes{Mode: 0o640, Owner: "nobody", Group: "nogroup"}}
			change, err := wanted.Diff(c.ask(t, wanted.Probes()))
			if err != nil || len(change.Steps) != 1 {
				t.Fatalf("%+v, %v", change, err)
			}
			if at == "" {
				c.do(t, run("swap", "cd "+dir+" && "+swap))
			} else {
				m.fake(t, at, "(cd .. && "+swap+")\nexec /usr/bin/"+at+` "$@"`)
			}
			if failed := c.fails(t, change.Steps[0]); !strings.Contains(failed.Output, dir+"/file: is not what it was when it was looked at") {
				t.Errorf("said %q", failed.Output)
			}
			if stat, err := os.Stat(dir + "/file"); err != nil || stat.Mode().Perm() != 0o600 {
				t.Errorf("%v, %v", stat, err)
			}
			os.RemoveAll(m.dir + "/sbin/ln")
			c.finish(t)
			m.noTemporaries(t)
		})
	}
}

// A FIFO that comes into the place of a file is not waited for.
func TestDigestOfAFIFOThatComesInBetween(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	dir := m.theirs(t)
	c := m.begin(t)
	m.fake(t, "sha256sum", "rm "+dir+"/file; mkfifo "+dir+"/file\nexec /usr/bin/sha256sum \"$@\"")
	m.fake(t, "timeout", `[ "$1" != 600 ] || { shift; set -- 1 "$@"; }
exec /usr/bin/timeout "$@"`)
	answered := make(chan error, 1)
	go func() {
		_, err := c.Probe(t.Context(), []recipe.Probe{{Key: recipe.PathKey(dir + "/file"), Digest: true}})
		answered <- err
	}()
	select {
	case err := <-answered:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(2 * time.Minute):
		t.Error("it waits")
	}
}
