package journal_test

import (
	"encoding/base64"
	"fmt"
	"os"
	"slices"
	"testing"

	"provision/internal/recipe"
)

// coded is a path as the version before wrote it into its lists: all in base64.
func coded(path string) string { return base64.StdEncoding.EncodeToString([]byte(path)) + "\n" }

// A run died while it wrote a note down: the next one has no use for half of it.
func TestNoteThatIsNotWholeGoes(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	for _, half := range []string{"pending/.new", "undo.new"} {
		m.write(t, m.state(half), "rest")
	}
	m.begin(t).finish(t)
	for _, half := range []string{"pending/.new", "undo.new"} {
		if _, err := os.Lstat(m.state(half)); err == nil {
			t.Errorf("%s is left", half)
		}
	}
}

// A run of the version before died: its temporaries, which were files and links and directories
// of any mode, and its uploads, of which it had a list where their directory is now, are swept.
func TestTemporariesOfTheVersionBefore(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	file, tree, link, upload := m.root+"/.provision-000001-1", m.root+"/.provision-000001-restore2", m.root+"/.provision-000001-3", m.root+"/.provision-upload-0a1b"
	m.write(t, file, "half")
	m.write(t, tree+"/sub/file", "half")
	m.write(t, upload, "half")
	if err := os.Symlink("nowhere", link); err != nil {
		t.Fatal(err)
	}
	m.write(t, m.state("temporaries"), coded(file)+coded(tree)+coded(link))
	m.write(t, m.state("uploads"), coded(upload))
	c := m.begin(t)
	if want := []string{"swept 4 temporary files of a run that died"}; !slices.Equal(c.notes, want) {
		t.Errorf("notes %q, want %q", c.notes, want)
	}
	m.noTemporaries(t)
	if stat, err := os.Stat(m.state("uploads")); err != nil || !stat.IsDir() {
		t.Errorf("uploads: %v, %v", stat, err)
	}
	c.finish(t)
}

// What the version before kept goes back, under any name; and a secret that it replaced is
// forgotten.
func TestCopiesOfTheVersionBefore(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	c := m.begin(t)
	c.kill(t)
	index := "99 file " + coded(m.root+"/secret")
	m.write(t, m.state("runs/000001/kept/99"), "password")
	m.write(t, m.state("secrets"), coded(m.root+"/secret"))
	var back []recipe.Step
	for i, name := range nasty {
		path, number := m.root+"/"+name, i+1
		m.write(t, path, "new")
		m.write(t, m.state(fmt.Sprintf("runs/000001/kept/%d", number)), "old "+name)
		index += fmt.Sprintf("%d file %s", number, coded(path))
		back = append(back, recipe.Restore{Run: c.Run, Number: number, Path: path})
	}
	m.write(t, m.state("runs/000001/kept/index"), index)
	again := m.begin(t)
	again.do(t, back...)
	for _, name := range nasty {
		if got := read(t, m.root+"/"+name); got != "old "+name {
			t.Errorf("%q holds %q", name, got)
		}
	}
	again.finish(t)
	if found := m.copiesOf(t, "password"); len(found) > 0 {
		t.Errorf("copies of a secret are left: %q", found)
	}
}
