package proof

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// paper is a host of which only the file system is there.
type paper struct {
	root string
	said string
}

func (p paper) Root() string                                                { return p.root }
func (p paper) Leader() (int, error)                                        { return os.Getpid(), nil }
func (p paper) Run(_ context.Context, script, input string) (string, error) { return p.said, nil }

// Everything that two looks can differ in is told, and nothing that the list excepts.
func TestDifferences(t *testing.T) {
	host := paper{root: t.TempDir(), said: "package\tbash:amd64\t5.2 ii \nunit\tssh.service\tloaded active running\nunit\tssh.service\tenabled enabled\nuser\troot\tx:0:0\n"}
	write := func(name, text string, mode os.FileMode) {
		path := filepath.Join(host.root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	look := func() State {
		state, err := Look(t.Context(), host, nil)
		if err != nil {
			t.Fatal(err)
		}
		return state.Only("file", "package", "unit", "user")
	}
	write("etc/same", "same", 0o644)
	write("etc/content", "one", 0o644)
	write("etc/mode", "mode", 0o644)
	write("etc/gone", "gone", 0o644)
	write("etc/ssl/key", "one", 0o600)
	write("etc/ssl/open", "one", 0o600)
	before := look()
	if got := before.Of("unit", "ssh.service"); got != "loaded active running, enabled enabled" {
		t.Errorf("the unit is %q", got)
	}
	write("etc/content", "two", 0o644)
	write("etc/mode", "mode", 0o600)
	write("etc/new", "new", 0o644)
	write("etc/ssl/key", "another", 0o600)  // made anew: kind, owner and mode are compared
	write("etc/ssl/open", "another", 0o644) // …
	write("var/log/journal/x", "log", 0o644)
	if err := os.Remove(filepath.Join(host.root, "etc/gone")); err != nil {
		t.Fatal(err)
	}
	host.said = "package\tbash:amd64\t5.3 ii \nunit\tssh.service\tloaded inactive dead\nunit\tssh.service\tenabled enabled\n"
	var names []string
	for _, d := range before.Differences(look(), Except("debian", "moving", "anew")) {
		names = append(names, d.Thing.String())
	}
	want := []string{
		"file /etc/content", "file /etc/gone", "file /etc/mode", "file /etc/new", "file /etc/ssl/open",
		"package bash:amd64", "unit ssh.service", "user root",
	}
	// What is above a log is none; it came with one.
	names = slices.DeleteFunc(names, func(name string) bool {
		return name == "file /var" || name == "file /var/log" || name == "file /var/log/journal"
	})
	if !slices.Equal(names, want) {
		t.Errorf("different are\n%q, want\n%q", names, want)
	}
}

// What did not change is not read again; what did is, though its size and times are those of before.
func TestDigests(t *testing.T) {
	root := t.TempDir()
	path := filepath.Join(root, "file")
	digests := Digests{}
	look := func() string {
		state := State{}
		if err := files(root, digests, state); err != nil {
			t.Fatal(err)
		}
		return state.Of("file", "/file")
	}
	if err := os.WriteFile(path, []byte("one"), 0o644); err != nil {
		t.Fatal(err)
	}
	first := look()
	for it := range digests {
		digests[it] = "remembered"
	}
	if second := look(); second == first {
		t.Error("it was read again")
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("two"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(path, info.ModTime(), info.ModTime()); err != nil {
		t.Fatal(err)
	}
	if third := look(); third == first || len(digests) != 2 {
		t.Errorf("it is %s, and %d digests are known", third, len(digests))
	}
}

// Each exception has a section, an expression and a reason: the list is read whole.
func TestExceptions(t *testing.T) {
	sections := map[string]bool{}
	for _, e := range allExceptions() {
		sections[e.Section] = true
		if e.Section == "" || len(e.Reason) < 4 {
			t.Errorf("%s %s: its section is %q, its reason %q", e.Kind, e.Name, e.Section, e.Reason)
		}
	}
	if len(sections) < 8 {
		t.Errorf("found the sections %v", sections)
	}
}

// A file system that is not mounted is no host without files.
func TestNothingIsMounted(t *testing.T) {
	if _, err := Look(t.Context(), paper{root: t.TempDir()}, nil); err == nil {
		t.Error("an empty root is looked at as if it were a host's")
	}
}

// systemd of a busy host sees late what it has mounted for its own units at boot. What a task's unit
// brings is told.
func TestMountsOfCredentials(t *testing.T) {
	host := paper{root: t.TempDir()}
	if err := os.WriteFile(filepath.Join(host.root, "there"), nil, 0o644); err != nil { // as of a host that is mounted
		t.Fatal(err)
	}
	before, err := Look(t.Context(), host, nil)
	if err != nil {
		t.Fatal(err)
	}
	host.said = "unit\trun-credentials-systemd\\x2dtmpfiles\\x2dsetup.service.mount\tloaded active mounted\n" +
		"unit\trun-credentials-shop.service.mount\tloaded active mounted\n"
	after, err := Look(t.Context(), host, nil)
	if err != nil {
		t.Fatal(err)
	}
	got := before.Differences(after, Except("debian"))
	if len(got) != 1 || got[0].Name != "run-credentials-shop.service.mount" {
		t.Errorf("they differ in %v", got)
	}
}
