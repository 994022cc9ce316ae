package journal_test

import (
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"provision/internal/recipe"
)

// nasty are names that a shell would take apart.
var nasty = []string{"plain", "two words", "it's", `"quoted"`, "new\nline", "-n", "*", "$(id)", "`id`", `back\slash`, "\xff\xfe", "ends in newline\n"}

func TestWriteFileIsExact(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	c := m.begin(t)
	contents := []string{"", "text\n", "no newline at the end", "\x00\xff\x1e binary\r\n", strings.Repeat("long ", 40_000), "EOF\nFILE\n'$x'\n"}
	for i, name := range nasty {
		path := m.root + "/" + name
		step := file(path, contents[i%len(contents)])
		step.Mode, step.Group = []uint32{0o644, 0o600, 0o4755}[i%3], "daemon"
		c.do(t, step)
		if got := read(t, path); got != string(step.Content) {
			t.Errorf("%q: content %.40q, want %.40q", name, got, step.Content)
		}
		var stat syscall.Stat_t
		if err := syscall.Lstat(path, &stat); err != nil {
			t.Fatal(err)
		}
		if stat.Mode&0o7777 != step.Mode || stat.Gid != 1 {
			t.Errorf("%q: mode %o group %d, want %o 1", name, stat.Mode&0o7777, stat.Gid, step.Mode)
		}
	}
	c.finish(t)
	m.noTemporaries(t)
}

func TestEveryFileStepOnNastyNames(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	c := m.begin(t)
	for _, name := range nasty {
		path := m.root + "/dir " + name
		c.do(t,
			recipe.MakeDirectory{Path: path, Attributes: recipe.Attributes{Mode: 0o2750, Owner: "root", Group: "daemon"}},
			file(path+"/"+name, "x"),
			recipe.SetAttributes{Path: path + "/" + name, Attributes: recipe.Attributes{Mode: 0o440, Owner: "daemon", Group: "root"}},
			recipe.MakeLink{Path: path + "/link", Target: name},
		)
		target, err := os.Readlink(path + "/link")
		if err != nil || target != name {
			t.Errorf("%q: link to %q, %v", name, target, err)
		}
		stat, err := os.Stat(path + "/link")
		if err != nil || stat.Mode().Perm() != 0o440 || stat.Sys().(*syscall.Stat_t).Uid != 1 {
			t.Errorf("%q: %v %v", name, stat, err)
		}
		if stat, _ := os.Stat(path); stat.Mode() != os.ModeDir|os.ModeSetgid|0o750 {
			t.Errorf("%q: directory has %v", name, stat.Mode())
		}
		// chmod(1) with fewer digits would leave set-group-ID.
		c.do(t, recipe.SetAttributes{Path: path, Attributes: recipe.Attributes{Mode: 0o755, Owner: "root", Group: "root"}})
		if stat, _ := os.Stat(path); stat.Mode() != os.ModeDir|0o755 {
			t.Errorf("%q: directory has %v after", name, stat.Mode())
		}
		c.do(t, recipe.Remove{Path: path + "/link"}, recipe.Remove{Path: path + "/" + name}, recipe.Remove{Path: path})
		if exists(path) {
			t.Errorf("%q: still there", name)
		}
	}
}

func TestLinkIsSwappedAndNeverFollowed(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	c := m.begin(t)
	link, other := m.root+"/current", m.root+"/other"
	m.write(t, other+"/kept", "x")
	c.do(t, recipe.MakeLink{Path: link, Target: other})
	c.do(t, recipe.MakeLink{Path: link, Target: "nowhere"})
	if target, _ := os.Readlink(link); target != "nowhere" {
		t.Errorf("target %q", target)
	}
	if entries, _ := os.ReadDir(other); len(entries) != 1 {
		t.Errorf("the old target was written to: %v", entries)
	}
	// A link that came to a file's place after the probe is replaced; its target is not touched.
	victim := m.root + "/victim"
	m.write(t, victim, "precious")
	c.do(t, recipe.MakeLink{Path: m.root + "/file", Target: victim}, file(m.root+"/file", "new"))
	if read(t, victim) != "precious" || read(t, m.root+"/file") != "new" {
		t.Error("a link at the destination was followed")
	}
}

func TestFailedWriteLeavesTheOldFile(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	c := m.begin(t)
	m.write(t, m.root+"/file", "old")
	m.write(t, m.root+"/directory/x", "old")
	stranger := file(m.root+"/file", "new")
	stranger.Owner = "nobody-of-that-name"
	for _, step := range []recipe.Step{stranger, file(m.root+"/directory", "new"), file(m.root+"/missing/file", "new")} {
		if failed := c.fails(t, step); failed.Output == "" {
			t.Errorf("%s: said nothing", step.Title())
		}
	}
	if read(t, m.root+"/file") != "old" || read(t, m.root+"/directory/x") != "old" {
		t.Error("what was there was touched")
	}
	m.noTemporaries(t)
}

func TestRemoveWantsAnEmptyDirectory(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	c := m.begin(t)
	m.write(t, m.root+"/full/x", "x")
	c.fails(t, recipe.Remove{Path: m.root + "/full"})
	if !exists(m.root + "/full/x") {
		t.Fatal("removed all the same")
	}
	c.do(t, recipe.Remove{Path: m.root + "/full", Tree: true}, recipe.Remove{Path: m.root + "/full"})
	if exists(m.root + "/full") {
		t.Error("still there")
	}
}

func TestRestorePutsBack(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	c := m.begin(t)
	old := m.root + "/old\n"
	m.write(t, old, "old")
	os.Chmod(old, 0o640)
	os.Chown(old, 1, 1)
	os.Symlink("there", m.root+"/link")
	m.write(t, m.root+"/tree/a/b", "deep")
	os.Mkdir(m.root+"/dir", 0o700)
	steps := []recipe.Step{
		file(old, "new"),
		recipe.MakeLink{Path: m.root + "/link", Target: "elsewhere"},
		file(m.root+"/fresh", "x"),
		recipe.Remove{Path: m.root + "/tree", Tree: true},
		recipe.SetAttributes{Path: m.root + "/dir", Attributes: rootOwned},
		recipe.MakeDirectory{Path: m.root + "/made", Attributes: rootOwned},
		recipe.MakeDirectory{Path: m.root + "/full", Attributes: rootOwned},
		file(m.root+"/unlinked", "was a file"),
	}
	c.do(t, steps...)
	c.do(t, recipe.Remove{Path: m.root + "/unlinked"}) // step 9
	m.write(t, m.root+"/full/somebody's", "x")
	var back []recipe.Step
	for i, step := range steps {
		back = append(back, recipe.Restore{Number: i + 1, Path: recipe.PathOf(step)})
	}
	back[7] = recipe.Restore{Number: 9, Path: m.root + "/unlinked"}
	slices.Reverse(back)
	c.do(t, back...)
	stat, err := os.Stat(old)
	if err != nil || read(t, old) != "old" || stat.Mode().Perm() != 0o640 || stat.Sys().(*syscall.Stat_t).Uid != 1 {
		t.Errorf("file: %v, %v", stat, err)
	}
	if target, _ := os.Readlink(m.root + "/link"); target != "there" {
		t.Errorf("link to %q", target)
	}
	if exists(m.root+"/fresh") || exists(m.root+"/made") {
		t.Error("what was not there is there")
	}
	if read(t, m.root+"/tree/a/b") != "deep" || read(t, m.root+"/unlinked") != "was a file" {
		t.Error("what was removed is not back")
	}
	if stat, _ := os.Stat(m.root + "/dir"); stat.Mode().Perm() != 0o700 {
		t.Errorf("directory: %v", stat.Mode())
	}
	if !exists(m.root + "/full/somebody's") {
		t.Error("what somebody else put into our directory is gone")
	}
	c.finish(t)
	m.noTemporaries(t)

	// A later run takes steps of an earlier one back; what it never kept is an error.
	again := m.begin(t)
	m.write(t, old, "newer")
	again.do(t, recipe.Restore{Run: c.Run, Number: 1, Path: old})
	if read(t, old) != "old" {
		t.Error("not restored from the earlier run")
	}
	if failed := again.fails(t, recipe.Restore{Run: c.Run, Number: 99, Path: old}); !strings.Contains(failed.Output, "nothing was kept of step 99") {
		t.Errorf("said %q", failed.Output)
	}
}

func TestNotifyAndClear(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	c := m.begin(t)
	unit := "a@b:1.service"
	notify := func(action recipe.Action) recipe.Step {
		return recipe.Notify{Notification: recipe.Notification{Unit: unit, Action: action}}
	}
	c.do(t, notify(recipe.Reload), notify(recipe.Restart))
	if got := read(t, m.state("pending/"+unit)); got != "restart\n" {
		t.Errorf("pending %q", got)
	}
	c.do(t, recipe.Clear{Unit: unit}, recipe.Clear{Unit: unit})
	if entries, _ := os.ReadDir(m.state("pending")); len(entries) != 0 {
		t.Errorf("left: %v", entries)
	}
}

func TestFilledSecretStaysOnTheHost(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	c := m.begin(t)
	secret := `a&b\1.*[x]$HOME'"%s`
	m.write(t, m.root+`/secret\key`, secret+"\n")
	m.write(t, m.root+"/other", "zweites")
	step := file(m.root+"/file", "x = {{KEY}}{{KEY}} and {{TWO}}\n\nlast {{KEY}}\n")
	step.Fill = map[string]string{"{{KEY}}": m.root + `/secret\key`, "{{TWO}}": m.root + "/other"}
	c.do(t, step)
	want := "x = " + secret + secret + " and zweites\n\nlast " + secret + "\n"
	if got := read(t, step.Path); got != want {
		t.Errorf("content %q, want %q", got, want)
	}
	step.Fill["{{KEY}}"] = m.root + "/none"
	if failed := c.fails(t, step); !strings.Contains(failed.Output, "there is no secret in "+m.root+"/none") {
		t.Errorf("said %q", failed.Output)
	}
	if read(t, step.Path) != want {
		t.Error("the file was touched")
	}
}

func TestUploadIsRenamedWhenItIsWhole(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	c := m.begin(t)
	source := m.dir + "/source"
	upload := recipe.Upload{
		Path:       m.root + "/app",
		Artifact:   recipe.Artifact{Source: source, Size: 3, SHA256: recipe.Digest([]byte("app"))},
		Attributes: recipe.Attributes{Mode: 0o755, Owner: "root", Group: "root"},
	}
	m.write(t, source, "ap")
	if failed := c.fails(t, upload); !strings.Contains(failed.Output, "not what was sent") || exists(upload.Path) {
		t.Errorf("said %q", failed.Output)
	}
	m.write(t, source, "app")
	c.do(t, upload)
	if read(t, upload.Path) != "app" {
		t.Error("not uploaded")
	}
	m.noTemporaries(t)
}

// One argument of a command may have 128 KiB (execve(2)): scripts and checks may be longer. What
// they leave in the background holds nobody up, and what they printed is there.
func TestScriptsOfAnySizeThatLeaveSomethingBehind(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	c := m.begin(t)
	began := time.Now()
	long := ": " + strings.Repeat("x", 200_000) + "\n(sleep 120; echo late)& echo said; "
	c.do(t, run("long", long+"[ \"$0\" = sh ]"))
	if told := strings.Join(c.lines, "\n"); !strings.Contains(told, "said") {
		t.Errorf("told %q", told)
	}
	m.write(t, m.root+"/conf/a", "old")
	rehearsal := recipe.Rehearse{Unit: "x.service", Trees: []string{m.root + "/conf"}, Steps: []recipe.Step{file(m.root+"/conf/a", "new")}}
	rehearsal.Check = long + "grep -q new " + m.root + "/conf/a"
	c.do(t, rehearsal)
	if failed := c.fails(t, run("fails", long+"exit 7")); failed.Status != 7 || !strings.Contains(failed.Output, "said") {
		t.Errorf("status %d, output %q", failed.Status, failed.Output)
	}
	c.finish(t)
	if elapsed := time.Since(began); elapsed > 100*time.Second {
		t.Errorf("it waited for %s", elapsed)
	}
}
