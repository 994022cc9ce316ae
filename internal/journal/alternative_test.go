package journal_test

import (
	"os"
	"testing"

	"provision/internal/recipe"
	"provision/internal/resource"
)

// The real update-alternatives, on directories of the test.
func TestAlternative(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.withEtc(t)
	m.setup += "mount -t tmpfs tmpfs /var/log || exit 99\n" // where it keeps a log
	install := "mkdir -p /var/lib/dpkg/alternatives /etc/alternatives\n"
	for name, priority := range map[string]string{"/nano": "40", "/vim+": "30", "/vimm": "20"} {
		m.write(t, m.root+name, "")
		install += "update-alternatives --quiet --install " + m.root + "/editor editor " + m.root + name + " " + priority + "\n"
	}
	leads := func(to string) {
		t.Helper()
		if target, err := os.Readlink(m.dir + "/etc/alternatives/editor"); target != m.root+to {
			t.Errorf("it leads to %s, %v; want %s", target, err, to)
		}
	}
	wanted := resource.Alternative{Name: "editor", Path: m.root + "/vim+"}
	c := m.begin(t)
	if _, err := wanted.Diff(c.ask(t, wanted.Probes())); err == nil {
		t.Error("nothing is offered")
	}
	c.do(t, recipe.Exec{Name: "install", Script: install})
	leads("/nano")
	for _, path := range []string{m.root + "/ed", m.root + "/vim.", m.root + "/vi"} {
		other := resource.Alternative{Name: "editor", Path: path}
		if _, err := other.Diff(c.ask(t, other.Probes())); err == nil {
			t.Errorf("%s is not offered", path)
		}
	}
	c.becomes(t, wanted)
	leads("/vim+")
	c.becomes(t, resource.FormerAlternative{Alternative: resource.Alternative{Name: "editor", Path: m.root + "/vimm"}})
	leads("/vimm")
	c.becomes(t, resource.FormerAlternative{Alternative: resource.Alternative{Name: "editor", Path: m.root + "/ed"}})
	leads("/nano")
	c.becomes(t, resource.Alternative{Name: "editor", Path: m.root + "/nano"})
	c.becomes(t, resource.Alternative{Name: "editor", Absent: true})
	leads("/nano")
}
