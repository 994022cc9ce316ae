package run

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"provision/internal/engine"
	"provision/internal/recipe"
	"provision/internal/resource"
)

// snapshot lists what the tests' files are: path, mode, and content or target.
func (m *machine) snapshot(t *testing.T) []string {
	t.Helper()
	var lines []string
	err := filepath.WalkDir(m.path(""), func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		is := ""
		switch {
		case entry.Type().IsRegular():
			content, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			is = string(content)
		case entry.Type() == fs.ModeSymlink:
			is, err = os.Readlink(path)
		}
		lines = append(lines, fmt.Sprintf("%s %s %q", strings.TrimPrefix(path, m.path("")), info.Mode(), is))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

// arrange makes the machine one on which somebody else has worked before.
func (m *machine) arrange(t *testing.T) {
	t.Helper()
	for _, path := range []string{"/var/lib/provision", m.path("")} {
		if err := os.RemoveAll(path); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range []string{m.path("there"), m.path("elsewhere")} {
		if err := os.MkdirAll(path, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	m.write(t, m.path("there/file"), "before\n", 0o640)
	m.write(t, m.path("there/lines"), "one\nPort 22\n", 0o644)
	if err := os.Symlink("elsewhere", m.path("there/link")); err != nil {
		t.Fatal(err)
	}
	m.write(t, m.path("there/gone"), "wanted by somebody\n", 0o600)
}

// whole is a recipe with each kind of resource on a path.
func (m *machine) whole() []recipe.Resource {
	return []recipe.Resource{
		resource.File{Path: m.path("there/file"), Content: "ours\n"},
		resource.Directory{Path: m.path("there"), Attributes: recipe.Attributes{Mode: 0o700}},
		resource.Directory{Path: m.path("made")},
		resource.File{Path: m.path("made/file"), Content: "ours\n"},
		resource.Line{Path: m.path("there/lines"), Line: "Port 2222", Key: "Port "},
		resource.Line{Path: m.path("made/lines"), Line: "alone"},
		resource.Directory{Path: m.path("made/deep")},
		resource.Link{Path: m.path("there/link"), Target: "made"},
		resource.Link{Path: m.path("made/deep/link"), Target: "there"},
		resource.File{Path: m.path("there/gone"), Absent: true},
	}
}

// half is every second resource of a recipe.
func half(all []recipe.Resource) []recipe.Resource {
	var some []recipe.Resource
	for i, r := range all {
		if i%2 == 0 {
			some = append(some, r)
		}
	}
	return some
}

func sameLines(t *testing.T, when string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n%s\nwant\n%s", when, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// What a recipe has lost is as if it had never been in it; so is all when the task is removed; and
// a rollback brings back what went, and what is remembered.
func TestWhatIsNoLongerWantedGoes(t *testing.T) {
	onMachine(t, func(m *machine) {
		m.arrange(t)
		before := m.snapshot(t)
		is(t, m.does(t, half(m.whole())...), engine.StatusChanged)
		some := m.snapshot(t)
		m.arrange(t)
		is(t, m.does(t, m.whole()...), engine.StatusChanged)
		all := m.snapshot(t)
		is(t, m.does(t, m.whole()...), engine.StatusSame)
		is(t, m.does(t, half(m.whole())...), engine.StatusChanged)
		sameLines(t, "with half of it", m.snapshot(t), some)
		is(t, m.does(t, half(m.whole())...), engine.StatusSame)
		is(t, m.does(t), engine.StatusChanged)
		sameLines(t, "after the rollback", m.snapshot(t), all)
		is(t, m.does(t, m.whole()...), engine.StatusSame)
		is(t, m.removes(t, "x"), engine.StatusChanged)
		sameLines(t, "removed", m.snapshot(t), before)
		is(t, m.removes(t, "x"), engine.StatusSame)
	})
}

// A run dies at any moment, and by then its recipe has lost half of its resources: what it left is
// remembered, so that the next makes the host what it would be without it; and nothing is left when
// the task is removed.
func TestWhatARunThatDiedLeftGoes(t *testing.T) {
	onMachine(t, func(m *machine) {
		m.arrange(t)
		before := m.snapshot(t)
		is(t, m.does(t, half(m.whole())...), engine.StatusChanged)
		some := m.snapshot(t)
		counter, pace := m.path("../entries"), 1
		if testing.Short() {
			pace = 5
		}
		for entry := 1; ; entry += pace {
			m.arrange(t)
			m.write(t, counter, "0\n", 0o644)
			m.killedWhen(t, fmt.Sprintf(`n=$(cat '%s'); echo $((n + 1)) >'%s'; [ "$n" -eq %d ]`, counter, counter, entry))
			died := m.does(t, m.whole()...).Status != engine.StatusChanged
			m.survives(t)
			if !died {
				if entry < 20 {
					t.Errorf("it was killed at %d entries of the journal alone", entry)
				}
				break
			}
			if found := m.does(t, half(m.whole())...); found.Status != engine.StatusChanged {
				t.Fatalf("after entry %d: %s: %v", entry, found.Status, found.Err)
			}
			sameLines(t, fmt.Sprintf("killed at entry %d, then half of it", entry), m.snapshot(t), some)
			is(t, m.removes(t, "x"), engine.StatusChanged)
			sameLines(t, fmt.Sprintf("killed at entry %d, then removed", entry), m.snapshot(t), before)
			if t.Failed() {
				return
			}
		}
	})
}

// A directory that stays for what others put into it is told; one that goes is not.
func TestADirectoryThatStaysIsTold(t *testing.T) {
	onMachine(t, func(m *machine) {
		m.arrange(t)
		is(t, m.does(t, resource.Directory{Path: m.path("d")}, resource.Directory{Path: m.path("e")}, resource.File{Path: m.path("e/ours"), Content: "ours\n"}), engine.StatusChanged)
		m.write(t, m.path("d/theirs"), "theirs\n", 0o644)
		is(t, m.removes(t, "x"), engine.StatusChanged)
		if told := m.told.String(); m.read(t, "d/theirs") != "theirs\n" || !strings.Contains(told, m.path("d")+" stays: things of others in it: 1") || strings.Contains(told, m.path("e")+" stays") {
			t.Errorf("d/theirs is %q, told:\n%s", m.read(t, "d/theirs"), told)
		}
	})
}

// A directory that is empty once a task has taken a file away itself goes with that.
func TestADirectoryGoesWithAFileThatIsWantedAway(t *testing.T) {
	onMachine(t, func(m *machine) {
		directory, file := m.path("d"), m.path("d/f")
		is(t, m.does(t, resource.Directory{Path: directory}, resource.File{Path: file, Content: "x"}), engine.StatusChanged)
		is(t, m.does(t, resource.File{Path: file, Absent: true}), engine.StatusChanged)
		if _, err := os.Lstat(directory); !os.IsNotExist(err) {
			t.Errorf("the directory is left: %v", err)
		}
	})
}

// A removal forgets what stays of what came for the task: that is told, and once more to who
// purges it afterwards.
func TestAPurgeAfterTheRemoval(t *testing.T) {
	onMachine(t, func(m *machine) {
		m.arrange(t)
		is(t, m.does(t, resource.Secret{Path: m.path("key"), Length: 40}), engine.StatusChanged)
		is(t, m.removes(t, "x"), engine.StatusChanged)
		if told := m.told.String(); !strings.Contains(told, "not noted any more after this, so a later --purge does not take it: secret "+m.path("key")) {
			t.Errorf("told:\n%s", told)
		}
		m.told.Reset()
		m.remembering.Purge = true
		is(t, m.removes(t, "x"), engine.StatusSame)
		if told := m.told.String(); !strings.Contains(told, "x: nothing of it is noted here any more") {
			t.Errorf("told:\n%s", told)
		}
	})
}

// What another task wants too stays until that goes.
func TestWhatAnotherTaskWantsStays(t *testing.T) {
	onMachine(t, func(m *machine) {
		m.arrange(t)
		before := m.snapshot(t)
		shared := resource.Directory{Path: m.path("shared")}
		own := func(name string) resource.File { return resource.File{Path: m.path("shared/" + name), Content: name} }
		both := Blueprint{Tasks: []recipe.Task{taskOf("x", shared, own("x")), taskOf("y", shared, own("y"))}}
		is(t, m.works(t, "install", both, Install), engine.StatusChanged)
		is(t, m.removes(t, "x"), engine.StatusChanged)
		if m.read(t, "shared/x") != "" || m.read(t, "shared/y") != "y" {
			t.Errorf("of x %q, of y %q", m.read(t, "shared/x"), m.read(t, "shared/y"))
		}
		is(t, m.removes(t, "y"), engine.StatusChanged)
		sameLines(t, "both removed", m.snapshot(t), before)
	})
}

// What was noted for one inventory does not go by another, unless that is said.
func TestWhatIsAnothersStays(t *testing.T) {
	onMachine(t, func(m *machine) {
		m.arrange(t)
		file := func(name string) resource.File { return resource.File{Path: m.path(name), Content: name} }
		m.remembering.From = "shop/hosts.yaml web1"
		is(t, m.does(t, file("a"), file("b")), engine.StatusChanged)
		m.remembering.From = "ad hoc"
		is(t, m.does(t, file("a")), engine.StatusSame)
		if told := m.told.String(); m.read(t, "b") != "b" || !strings.Contains(told, "is of shop/hosts.yaml web1") || !strings.Contains(told, m.path("b")) {
			t.Errorf("b is %q, told:\n%s", m.read(t, "b"), told)
		}
		is(t, m.does(t, file("a"), file("c")), engine.StatusChanged) // and c is noted, beside what stays
		m.remembering.TakeOver = true
		is(t, m.does(t, file("a")), engine.StatusChanged)
		if m.read(t, "b") != "" || m.read(t, "c") != "" {
			t.Errorf("b is %q, c is %q", m.read(t, "b"), m.read(t, "c"))
		}
	})
}

// forgets makes the machine one on which only an older version has worked, which noted nothing.
func (m *machine) forgets(t *testing.T) {
	t.Helper()
	for _, path := range []string{"/var/lib/provision/wanted", "/var/lib/provision/originals"} {
		if err := os.RemoveAll(path); err != nil {
			t.Fatal(err)
		}
	}
}

// On a host that an older version worked on it is not known what was there before: so it stays.
func TestAHostOfAnOlderVersion(t *testing.T) {
	onMachine(t, func(m *machine) {
		for _, adopt := range []bool{false, true} {
			m.arrange(t)
			file := func(name string) resource.File { return resource.File{Path: m.path(name), Content: name} }
			is(t, m.does(t, file("a"), file("b")), engine.StatusChanged)
			m.forgets(t)
			is(t, m.does(t, file("a"), file("b")), engine.StatusSame) // nothing is noted for that alone
			m.remembering.Adopt = adopt
			is(t, m.does(t, file("a"), file("b"), file("c")), engine.StatusChanged)
			if told := strings.Contains(m.told.String(), "is not known"); told == adopt {
				t.Errorf("told:\n%s", m.told.String())
			}
			m.remembering.Adopt = false
			is(t, m.removes(t, "x"), engine.StatusChanged)
			if m.read(t, "a") != "a" || m.read(t, "c") != "" {
				t.Errorf("adopted %t: a is %q, c is %q", adopt, m.read(t, "a"), m.read(t, "c"))
			}
			if told := strings.Contains(m.told.String(), "file "+m.path("a")+" (it is not known"); told == adopt {
				t.Errorf("adopted %t, told:\n%s", adopt, m.told.String())
			}
		}
	})
}

// What is not as it is wanted is of no older version: it is known what stands there, and comes back.
func TestWhatAnOlderVersionDidNotWant(t *testing.T) {
	onMachine(t, func(m *machine) {
		m.arrange(t)
		m.write(t, m.path("hosts"), "127.0.0.1 localhost\n", 0o644)
		older := []recipe.Resource{resource.Line{Path: m.path("hosts"), Line: "127.0.0.1 localhost"}, resource.File{Path: m.path("a"), Content: "a"}}
		is(t, m.does(t, older...), engine.StatusChanged)
		m.forgets(t)
		is(t, m.does(t, append(older, resource.File{Path: m.path("there/file"), Content: "ours\n"})...), engine.StatusChanged)
		is(t, m.removes(t, "x"), engine.StatusChanged)
		if hosts, file := m.read(t, "hosts"), m.read(t, "there/file"); hosts != "127.0.0.1 localhost\n" || file != "before\n" {
			t.Errorf("hosts is %q, the file is %q", hosts, file)
		}
		if told := m.told.String(); !strings.Contains(told, "line 127.0.0.1 localhost of "+m.path("hosts")+" (it is not known") {
			t.Errorf("told:\n%s", told)
		}
	})
}

// What a run that failed noted and never came to, and somebody else has made since, is not ours: it
// stays, which is told, and comes back where it is wanted all the same.
func TestWhatAFailedRunNeverMade(t *testing.T) {
	onMachine(t, func(m *machine) {
		mine := func() []recipe.Resource {
			return []recipe.Resource{
				resource.File{Path: m.path("made"), Content: "ours\n"},
				resource.Command{Name: "fails", Script: "exit 3", Unless: "[ -e " + m.path("mine") + " ]"},
				resource.File{Path: m.path("mine"), Content: "ours\n"},
				resource.Line{Path: m.path("there/lines"), Line: "ours"},
				resource.File{Path: m.path("never made"), Content: "ours\n"},
			}
		}
		for _, again := range []bool{false, true} {
			m.arrange(t)
			is(t, m.does(t, mine()...), engine.StatusFailed)
			if m.read(t, "made") != "ours\n" {
				t.Fatal("it did nothing")
			}
			m.write(t, m.path("mine"), "the user's own\n", 0o600)
			if again {
				is(t, m.does(t, mine()...), engine.StatusChanged)
			}
			is(t, m.removes(t, "x"), engine.StatusChanged)
			if m.read(t, "mine") != "the user's own\n" || m.read(t, "made") != "" || m.read(t, "never made") != "" {
				t.Errorf("again %t: mine is %q, made is %q", again, m.read(t, "mine"), m.read(t, "made"))
			}
			told := m.told.String()
			if !again && !strings.Contains(told, "file "+m.path("mine")+" (it is not known") || strings.Contains(told, "never made (") || strings.Contains(told, "lines (") {
				t.Errorf("again %t, told:\n%s", again, told)
			}
		}
	})
}

// A host that remembers nothing of a task says so, and a format that is newer is refused.
func TestMemoryThatCannotBeUsed(t *testing.T) {
	onMachine(t, func(m *machine) {
		m.arrange(t)
		if found := m.removes(t, "x"); found.Status != engine.StatusFailed || found.Hint == "" {
			t.Errorf("%s: %v, hint %q", found.Status, found.Err, found.Hint)
		}
		if err := os.MkdirAll("/var/lib/provision/wanted", 0o700); err != nil {
			t.Fatal(err)
		}
		m.write(t, recipe.MemoryPath("x"), `{"format":2,"task":"x","something":"new"}`+"\n", 0o600)
		file := resource.File{Path: m.path("a"), Content: "a"}
		if found := m.does(t, file); found.Status != engine.StatusFailed || !strings.Contains(fmt.Sprint(found.Err), "newer") {
			t.Errorf("%s: %v", found.Status, found.Err)
		}
		if m.read(t, "a") != "" {
			t.Error("something was changed")
		}
	})
}
