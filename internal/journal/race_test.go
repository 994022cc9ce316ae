package journal_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"provision/internal/recipe"
)

// nobody is an account that nothing belongs to.
const nobody = 65534

// TestRacer is no test but the other side of one: an account that owns a directory, and puts
// links to what is root's in place of all that appears there, as fast as it can.
func TestRacer(t *testing.T) {
	dir, victim := os.Getenv("RACE_IN"), os.Getenv("RACE_FOR")
	if dir == "" {
		t.Skip("is run by TestNoStepTrustsANameOfAnotherAccount")
	}
	if err := os.Chdir(dir); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Setgid(nobody); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Setuid(nobody); err != nil {
		t.Fatal(err)
	}
	here, err := os.Open(".")
	if err != nil {
		t.Fatal(err)
	}
	turn := 0
	for end := time.Now().Add(time.Minute); time.Now().Before(end); {
		here.Seek(0, 0)
		names, _ := here.Readdirnames(-1)
		for _, name := range names {
			if strings.HasPrefix(name, "stolen") {
				continue
			}
			stat, err := os.Lstat(name)
			if err != nil || stat.Sys().(*syscall.Stat_t).Uid == nobody {
				continue
			}
			turn++
			os.Rename(name, fmt.Sprint("stolen", turn))
			if !stat.IsDir() {
				os.Symlink(victim+"/file", name)
				continue
			}
			if turn%2 == 0 {
				os.Symlink(victim, name)
				continue
			}
			os.Mkdir(name, 0o777)
			for _, inner := range []string{"target", "new", "0", "1"} {
				os.Symlink(victim+"/file", name+"/"+inner)
			}
		}
	}
}

// victim is all that an attack could change of what is root's.
func (m *machine) victim(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("find", m.dir+"/victim", "-printf", `%P %y %M %u %g %l\n`, "-type", "f", "-exec", "cat", "{}", ";").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return string(out)
}

// racedSteps are steps of each kind on a path, by name; what some of them bring is in an archive, and in a
// repository of git with one commit.
func racedSteps(t *testing.T, archived, origin, commit string) map[string]func(path string) []recipe.Step {
	attributes := recipe.Attributes{Mode: 0o666, Owner: "nobody", Group: "nogroup"}
	return map[string]func(path string) []recipe.Step{
		"write": func(path string) []recipe.Step {
			return []recipe.Step{recipe.WriteFile{Path: path, Content: []byte("x\n"), Attributes: attributes}}
		},
		"write set": func(path string) []recipe.Step {
			return []recipe.Step{
				recipe.WriteFile{Path: path, Content: []byte("x\n"), Attributes: attributes},
				recipe.WriteFile{Path: path + "2", Content: []byte("y\n"), Attributes: attributes},
			}
		},
		"directory": func(path string) []recipe.Step {
			return []recipe.Step{recipe.MakeDirectory{Path: path, Attributes: attributes}}
		},
		"link": func(path string) []recipe.Step { return []recipe.Step{recipe.MakeLink{Path: path, Target: "x"}} },
		"secret": func(path string) []recipe.Step {
			return []recipe.Step{recipe.MakeSecret{Path: path, Length: 20, Attributes: attributes}}
		},
		"attributes": func(path string) []recipe.Step {
			return []recipe.Step{recipe.SetAttributes{Path: path, Attributes: attributes}}
		},
		"remove": func(path string) []recipe.Step { return []recipe.Step{recipe.Remove{Path: path}} },
		"tree":   func(path string) []recipe.Step { return []recipe.Step{recipe.Remove{Path: path, Tree: true}} },
		"below": func(path string) []recipe.Step {
			return []recipe.Step{recipe.WriteFile{Path: path + "/file", Content: []byte("x\n"), Attributes: attributes}}
		},
		"restore": func(path string) []recipe.Step {
			return []recipe.Step{recipe.WriteFile{Path: path, Content: []byte("x\n"), Attributes: attributes}, recipe.Restore{Number: 1, Path: path}}
		},
		"download": func(path string) []recipe.Step {
			const source = "/etc/passwd"
			return []recipe.Step{recipe.Download{Path: path, URL: "copy:" + source, SHA256: recipe.Digest([]byte(read(t, source))), Attributes: attributes}}
		},
		"upload": func(path string) []recipe.Step {
			content := read(t, archived)
			artifact := recipe.Artifact{Source: archived, Size: int64(len(content)), SHA256: recipe.Digest([]byte(content))}
			return []recipe.Step{recipe.Upload{Path: path, Artifact: artifact, Attributes: attributes}}
		},
		"write tree": func(path string) []recipe.Step {
			return []recipe.Step{recipe.WriteTree{
				Path: path, Mode: 0o777, Owner: "nobody", Group: "nogroup", Content: map[string][]byte{"file": []byte("x\n")},
				Entries: []recipe.Entry{{Name: "file", Path: recipe.Path{Type: recipe.PathFile, Mode: 0o666, Owner: "nobody", Group: "nogroup"}}},
			}}
		},
		"unpack": func(path string) []recipe.Step {
			return []recipe.Step{recipe.Unpack{Path: path, URL: "copy:" + archived, SHA256: recipe.Digest([]byte(read(t, archived))), Owner: "nobody", Group: "nogroup"}}
		},
		"check out": func(path string) []recipe.Step {
			return []recipe.Step{recipe.CheckOut{Path: path, URL: "file://" + origin, Commit: commit, Owner: "nobody", Group: "nogroup"}}
		},
	}
}

// A step on a path has a row there, or is not for paths of others.
func TestEveryStepOnAPathIsRaced(t *testing.T) {
	left := map[string]string{"Remember": "nobody but root comes to where it writes", "RestoreShipped": "it goes as an Upload does, with a file of a package"}
	sources, err := filepath.Glob("../recipe/step*.go")
	if err != nil {
		t.Fatal(err)
	}
	here := read(t, "race_test.go")
	found := 0
	for _, source := range sources {
		for _, step := range regexp.MustCompile(`(?m)^func \(s (\w+)\) Replaces\(`).FindAllStringSubmatch(read(t, source), -1) {
			found++
			if _, why := left[step[1]]; !why && !strings.Contains(here, "recipe."+step[1]+"{") {
				t.Errorf("no race against recipe.%s", step[1])
			}
		}
	}
	if found < 10 {
		t.Errorf("found only %d steps on a path", found)
	}
}

// Each kind of step works in a directory of another account, which plants links to what is
// root's in place of whatever appears there. The step may fail; what is root's stays as it is.
//
// It is alone: a racer takes a processor, and other tests wait for the clock.
func TestNoStepTrustsANameOfAnotherAccount(t *testing.T) {
	archived := t.TempDir() + "/archive.tar"
	if err := os.WriteFile(archived, []byte(packed(t, "x")), 0o644); err != nil {
		t.Fatal(err)
	}
	open(t, filepath.Dir(archived))
	origin := t.TempDir()
	out, err := exec.Command("sh", "-ec", `cd "$0"; git init -q; echo x >file; git add file; git -c user.name=x -c user.email=x@example.org commit -qm x; git rev-parse HEAD`, origin).Output()
	if err != nil {
		t.Fatal(err)
	}
	for name, step := range racedSteps(t, archived, origin, strings.TrimSpace(string(out))) {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t)
			theirs := m.besieged(t)
			before := m.victim(t)
			for round := range 5 {
				c := m.begin(t)
				for _, s := range step(theirs + "/target") {
					_ = c.try(t.Context(), s) // what happens to it is theirs to decide
				}
				if step := step(theirs + "/target"); len(step) == 2 {
					_ = c.try(t.Context(), step...)
				}
				if name == "remove" || name == "tree" || name == "attributes" || name == "below" || name == "write tree" || name == "unpack" || name == "check out" {
					os.Mkdir(theirs+"/target", 0o755)
				}
				if round%2 == 0 {
					c.kill(t) // the next run sweeps, and is raced too
				} else {
					c.finish(t)
				}
				if after := m.victim(t); after != before {
					t.Fatalf("what is root's was\n%s\nis\n%s", before, after)
				}
			}
		})
	}
}

// besieged makes a directory of another account, and lets it race there.
func (m *machine) besieged(t *testing.T) string {
	t.Helper()
	m.write(t, m.dir+"/victim/file", "root's")
	for _, path := range []string{m.dir + "/victim/file", m.dir + "/victim"} {
		if err := os.Chmod(path, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for dir := m.dir; dir != "/tmp" && dir != "/"; dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	theirs := m.root + "/theirs"
	if err := os.Mkdir(theirs, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(theirs, nobody, nobody); err != nil {
		t.Fatal(err)
	}
	racer := exec.Command(os.Args[0], "-test.run=^TestRacer$")
	racer.Env = append(os.Environ(), "RACE_IN="+theirs, "RACE_FOR="+m.dir+"/victim")
	if err := racer.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		racer.Process.Kill()
		racer.Wait()
	})
	return theirs
}

// A link that another account has planted is refused on the way, and replaced at its end.
func TestPlantedLinks(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	theirs := m.root + "/theirs"
	m.write(t, m.dir+"/victim/file", "root's")
	if err := os.Mkdir(theirs, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"file", "below"} {
		target := m.dir + "/victim"
		if name == "file" {
			target += "/file"
		}
		if err := os.Symlink(target, theirs+"/"+name); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chown(theirs, nobody, nobody); err != nil {
		t.Fatal(err)
	}
	before := m.victim(t)
	c := m.begin(t)
	failed := c.fails(t, file(theirs+"/below/new", "x"))
	if !strings.Contains(failed.Output, theirs+"/below is a link that another account may have made") {
		t.Errorf("said %q", failed.Output)
	}
	c.fails(t, recipe.SetAttributes{Path: theirs + "/file", Attributes: recipe.Attributes{Mode: 0o644, Owner: "nobody", Group: "nogroup"}})
	c.do(t, file(theirs+"/file", "ours"))
	if got := read(t, theirs+"/file"); got != "ours" {
		t.Errorf("the file holds %q", got)
	}
	if after := m.victim(t); after != before {
		t.Errorf("what is root's was\n%s\nis\n%s", before, after)
	}
	// A link of root's own, in a directory of root's own, is the way, as /var/run is.
	if err := os.Symlink("theirs", m.root+"/by-root"); err != nil {
		t.Fatal(err)
	}
	c.do(t, file(m.root+"/by-root/new", "x"))
	if got := read(t, theirs+"/new"); got != "x" {
		t.Errorf("the file holds %q", got)
	}
	c.finish(t)
	m.noTemporaries(t)
	if names := m.left(t, theirs); !slices.Equal(names, []string{"below", "file", "new"}) {
		t.Errorf("there is %q", names)
	}
}

func (m *machine) left(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

// What a list of temporaries names may be a link by now, or lie behind one: the sweep takes the
// name, and nothing that it leads to.
func TestSweepFollowsNoLink(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.begin(t).finish(t)
	theirs := m.root + "/theirs"
	m.write(t, m.dir+"/victim/.provision-1/file", "root's")
	if err := os.Mkdir(theirs, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, target := range map[string]string{".provision-2": m.dir + "/victim", "sub": m.dir + "/victim"} {
		if err := os.Symlink(target, theirs+"/"+name); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chown(theirs, nobody, nobody); err != nil {
		t.Fatal(err)
	}
	before := m.victim(t)
	m.write(t, m.state("temporaries"), theirs+"/.provision-2\n"+theirs+"/sub/.provision-1\n")
	m.begin(t).finish(t)
	if after := m.victim(t); after != before {
		t.Errorf("what is root's was\n%s\nis\n%s", before, after)
	}
	if names := m.left(t, theirs); !slices.Equal(names, []string{"sub"}) {
		t.Errorf("there is %q", names)
	}
}

// Another account keeps a private directory of an earlier step, with a link in it, and puts it
// in place of a new one: it is root's, and nobody else's, and is not worked in all the same.
func TestOlderPrivateDirectoryIsNotWorkedIn(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.write(t, m.root+"/victim", "root's")
	m.fake(t, "mkdir", `/usr/bin/mkdir "$@" || exit
for made; do :; done
case $made in
./.provision-*) ln -s `+m.root+`/victim "$made/file" ;;
esac
`)
	c := m.begin(t)
	if failed := c.fails(t, file(m.root+"/file", "new")); !strings.Contains(failed.Output, "another account has put something in its place") {
		t.Errorf("said %q", failed.Output)
	}
	if read(t, m.root+"/victim") != "root's" {
		t.Error("written through a link")
	}
}

// A file that becomes a link while it is copied is no copy of a file, and nobody looks where it
// leads.
func TestCopyOfWhatBecameALink(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.write(t, m.root+"/file", "old")
	m.fake(t, "cp", "rm ./file; ln -s "+m.root+"/victim ./file\nexec /usr/bin/cp \"$@\"\n")
	m.write(t, m.root+"/victim", "root's")
	c := m.begin(t)
	if failed := c.fails(t, file(m.root+"/file", "new")); !strings.Contains(failed.Output, m.root+"/file: became something else while it was copied") {
		t.Errorf("said %q", failed.Output)
	}
	if index := read(t, m.state("runs/000001/kept/index")); index != "" {
		t.Errorf("noted: %q", index)
	}
}
