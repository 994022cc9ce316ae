package run

import (
	"errors"
	"os"
	"strings"
	"testing"

	"provision/internal/engine"
	"provision/internal/recipe"
	"provision/internal/resource"
)

// bringing makes apt-get one that installs shop, of which it then is so that it brings: sh, run then.
func (m *machine) bringing(t *testing.T, text string) {
	t.Helper()
	os.Remove(m.path("installed"))
	m.write(t, m.dir+"/sbin/apt-get", "#!/bin/sh\ncase \"$*\" in *install*) "+text+"\ntouch "+m.path("installed")+";; esac\n", 0o755)
	m.write(t, m.dir+"/sbin/dpkg-query", "#!/bin/sh\n[ ! -e "+m.path("installed")+" ] || printf 'shop\\tamd64\\tii \\t1.0\\n'\n", 0o755)
	for _, dir := range []string{"/var/lib/dpkg/updates", "/var/lib/apt/lists"} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	m.write(t, m.dir+"/sbin/dpkg", "#!/bin/sh\n[ \"$1\" != --print-architecture ] || echo amd64\n", 0o755)
}

// What a package brings where nobody said so is replaced by what the plan showed, left where it is
// just that, and refused where it is nothing that could become it.
func TestWhatAPackageBringsBecomesWhatIsShown(t *testing.T) {
	onMachine(t, func(m *machine) {
		shop := func() []recipe.Resource {
			return []recipe.Resource{
				resource.Package{Name: "shop"},
				resource.File{Path: m.path("shop.conf"), Content: "ours\n"},
				resource.File{Path: m.path("last"), Content: "last\n"},
			}
		}
		for _, row := range []struct {
			name, brings string
			status       engine.Status
			changed      int
			left         string
		}{
			{"another content", "echo theirs >" + m.path("shop.conf"), engine.StatusChanged, 4, "ours\n"},
			{"that content", "umask 022; echo ours >" + m.path("shop.conf"), engine.StatusChanged, 3, "ours\n"},
			{"nothing", "", engine.StatusChanged, 4, "ours\n"},
			{"a link", "echo else >" + m.path("else") + "; ln -s else " + m.path("shop.conf"), engine.StatusFailed, 1, "else\n"},
		} {
			for _, path := range []string{"/var/lib/provision", m.path("shop.conf"), m.path("last")} {
				if err := os.RemoveAll(path); err != nil {
					t.Fatal(err)
				}
			}
			m.bringing(t, row.brings)
			m.asked = true
			ended := m.does(t, shop()...)
			if ended.Status != row.status || ended.Changed != row.changed || m.read(t, "shop.conf") != row.left {
				t.Errorf("%s: %s, %d changed, %v; %q is left", row.name, ended.Status, ended.Changed, ended.Err, m.read(t, "shop.conf"))
			}
			if told := m.told.String(); !strings.Contains(told, "file:"+m.path("shop.conf")+" becomes\nours\n") {
				t.Errorf("%s: told %s", row.name, told)
			}
			if row.status == engine.StatusFailed {
				if !errors.Is(ended.Err, engine.ErrUnforeseen) || !strings.HasPrefix(ended.Hint, "it is as it was found") || m.read(t, "last") != "" {
					t.Errorf("%s: %v, hint %q", row.name, ended.Err, ended.Hint)
				}
				continue
			}
			is(t, m.does(t, shop()...), engine.StatusSame)
		}
	})
}

// The same holds for a command; and of what has to change behind it nothing is forgotten where the
// run dies with it.
func TestWhatACommandMakesBecomesWhatIsShown(t *testing.T) {
	onMachine(t, func(m *machine) {
		wanted := []recipe.Resource{
			resource.File{Path: m.path("first"), Content: "first\n"},
			resource.Command{Name: "make", Unless: "test -e " + m.path("made"), Script: "echo theirs | tee " + m.path("made") + " >" + m.path("first")},
			resource.File{Path: m.path("made"), Content: "ours\n"},
			resource.Directory{Path: m.path("made.d")},
		}
		m.killedWhen(t, "[ -e "+m.path("made")+" ]")
		if ended := m.does(t, wanted...); ended.Err == nil || m.read(t, "made") != "theirs\n" {
			t.Fatalf("%+v, %q", ended, m.read(t, "made"))
		}
		m.survives(t)
		is(t, m.does(t, wanted...), engine.StatusChanged)
		if made, first := m.read(t, "made"), m.read(t, "first"); made != "ours\n" || first != "first\n" {
			t.Errorf("%q, %q", made, first)
		}
		is(t, m.does(t, wanted...), engine.StatusSame)
	})
}
