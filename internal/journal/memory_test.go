package journal_test

import (
	"crypto/md5" // dpkg's
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"provision/internal/recipe"
)

// A conffile becomes what the installed version of its package has, with its mode; a package file
// that has another than dpkg has noted is no answer, and then the file stays.
func TestConffileAsItsPackageHasIt(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	file, shipped := m.root+"/app.conf", "as shipped\n"
	tree := t.TempDir()
	m.write(t, tree+file, shipped)
	m.write(t, tree+"/DEBIAN/control", "Package: app\nVersion: 1:2.0\nArchitecture: all\nMaintainer: nobody <n@example.org>\nDescription: app\n")
	if err := os.Chmod(tree+file, 0o640); err != nil {
		t.Fatal(err)
	}
	deb := filepath.Join(t.TempDir(), "app.deb")
	if out, err := exec.Command("dpkg-deb", "--root-owner-group", "--build", tree, deb).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	m.setup = "mount -t tmpfs tmpfs /var/cache/apt/archives && cp " + deb + " /var/cache/apt/archives/app_1%3a2.0_all.deb"
	noted := func(content string) {
		m.fake(t, "dpkg-query", `case $3 in
*Version*) printf 1:2.0 ;;
*Architecture*) printf all ;;
*Conffiles*) printf ' `+file+" "+fmt.Sprintf("%x", md5.Sum([]byte(content)))+`\n' ;;
esac
`)
	}
	noted(shipped)
	m.write(t, file, "ours\n")
	c := m.begin(t)
	c.do(t, recipe.RestoreShipped{Path: file, Package: "app"})
	if info, err := os.Stat(file); read(t, file) != shipped || err != nil || info.Mode() != 0o640 {
		t.Errorf("%q, %v, %v", read(t, file), info.Mode(), err)
	}
	noted("another\n")
	m.write(t, file, "ours\n")
	if failed := c.fails(t, recipe.RestoreShipped{Path: file, Package: "app"}); !strings.Contains(failed.Output, "is another in") || read(t, file) != "ours\n" {
		t.Errorf("%q, %s", read(t, file), failed.Output)
	}
	c.finish(t)
	m.noTemporaries(t)
}

// What a task takes the place of is a conffile as its package has it: which one that is is kept beside
// the copy, and of one that somebody has changed it is not.
func TestConffileIsKept(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	shipped, changed := m.root+"/shipped.conf", m.root+"/changed.conf"
	digest := fmt.Sprintf("%x", md5.Sum([]byte("as shipped\n")))
	m.fake(t, "dpkg-query", `printf ' `+shipped+" "+digest+`\n `+changed+" "+digest+` obsolete\n\n'`)
	m.write(t, shipped, "as shipped\n")
	m.write(t, changed, "changed\n")
	m.write(t, m.root+"/other", "as shipped\n")
	c := m.begin(t)
	c.do(t, recipe.Remember{Task: "app", Text: "{}\n", Originals: []string{shipped, changed, m.root + "/other"}})
	c.finish(t)
	for path, want := range map[string]string{shipped: digest, changed: "", m.root + "/other": ""} {
		note := strings.Replace(recipe.ShippedPath(path), recipe.State, m.state(""), 1)
		if got, _ := os.ReadFile(note); string(got) != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}

// What stands at a path is kept when it becomes a task's, whatever it is and is called, but for what
// is large; and comes back as it was. A directory goes only when it is empty.
func TestOriginalsComeBack(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	c := m.begin(t)
	large := m.root + "/large"
	m.write(t, large, "")
	if err := os.Truncate(large, 16<<20+1); err != nil {
		t.Fatal(err)
	}
	paths := []string{m.root + "/link", m.root + "/directory", m.root + "/missing/file", large}
	os.Symlink("nowhere", paths[0])
	os.Mkdir(paths[1], 0o2750)
	os.Chmod(paths[1], os.ModeSetgid|0o750)
	for _, name := range nasty {
		m.write(t, m.root+"/"+name, "before "+name)
		paths = append(paths, m.root+"/"+name)
	}
	c.do(t, recipe.Remember{Task: "app", Text: "{}\n", Originals: paths})
	if got := read(t, m.state("wanted/app")); got != "{}\n" {
		t.Errorf("noted: %q", got)
	}
	if exists(strings.Replace(recipe.OriginalPath(large), recipe.State, m.state(""), 1)) {
		t.Error("a copy of what is large is kept")
	}
	for _, name := range nasty {
		c.do(t, file(m.root+"/"+name, "after"), recipe.Restore{Original: true, Path: m.root + "/" + name})
		if got := read(t, m.root+"/"+name); got != "before "+name {
			t.Errorf("%q: %q", name, got)
		}
	}
	c.do(t, file(m.root+"/link", "after"), recipe.Restore{Original: true, Path: m.root + "/link"})
	if target, _ := os.Readlink(m.root + "/link"); target != "nowhere" {
		t.Errorf("the link leads to %q", target)
	}
	c.do(t, recipe.SetAttributes{Path: paths[1], Attributes: rootOwned}, recipe.Restore{Original: true, Path: paths[1]})
	if info, err := os.Stat(paths[1]); err != nil || info.Mode() != os.ModeDir|os.ModeSetgid|0o750 {
		t.Errorf("the directory is %v, %v", info, err)
	}
	c.fails(t, recipe.Restore{Original: true, Path: large})
	m.write(t, paths[1]+"/data", "")
	c.do(t, recipe.Remove{Path: paths[1], Empty: true})
	if !exists(paths[1] + "/data") {
		t.Error("a directory went with what was in it")
	}
	os.Remove(paths[1] + "/data")
	c.do(t, recipe.Remove{Path: paths[1], Empty: true})
	if exists(paths[1]) {
		t.Error("an empty directory stays")
	}
	c.finish(t)
	m.noTemporaries(t)
}
