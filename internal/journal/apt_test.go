package journal_test

import (
	"os"
	"strings"
	"testing"

	"provision/internal/recipe"
	"provision/internal/resource"
)

// A source of packages, whose lists are out of date as soon as it changes, and fetched at once.
func TestRepository(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.withEtc(t)
	fakeApt(t, m)
	m.write(t, m.dir+"/lib/apt/lists/deb.debian.org_Packages", "")
	c := m.begin(t)
	lists := []recipe.Probe{{Key: recipe.ListsKey()}}
	c.do(t, recipe.FetchLists{})
	if !c.ask(t, lists).Lists().Known {
		t.Fatal("there are lists")
	}
	repository := resource.Repository{Name: "it.x", URIs: []string{"https://x/it's"}, Suites: []string{"./"}, Key: "/k"}
	c.becomes(t, repository)
	if log := m.log(t); !strings.Contains(log, " update") {
		t.Errorf("apt was asked %q", log)
	}
	for _, step := range []recipe.Step{file("/etc/apt/sources.list.d/other.list", "x"), recipe.Remove{Path: "/etc/apt/sources.list.d/other.list"}, file("/etc/apt/sources.list", "x")} {
		c.do(t, step)
		if c.ask(t, lists).Lists().Known {
			t.Errorf("after %q the lists are of what there was before", step.Title())
		}
		c.do(t, recipe.FetchLists{})
	}
	// One that cannot be reached is known for that, now and the next time.
	m.write(t, m.dir+"/apt-get.sh", "echo 'E: not to be reached' >&2; exit 100")
	repository.URIs = []string{"https://y"}
	for range 2 {
		change, err := repository.Diff(c.ask(t, repository.Probes()))
		if err != nil {
			t.Fatal(err)
		}
		if failed := c.fails(t, change.Steps...); !strings.Contains(failed.Output, "not to be reached") {
			t.Errorf("said %q", failed.Output)
		}
	}
	os.Remove(m.dir + "/apt-get.sh")
	c.becomes(t, repository)
	repository.Absent = true
	c.becomes(t, repository)
	c.finish(t)
}

// dpkg is one that knows packages by a file of ours.
func (m *machine) dpkg(t *testing.T) {
	t.Helper()
	fakeApt(t, m)
	m.write(t, m.dir+"/packages", "")
	m.fake(t, "dpkg-query", "cat "+m.dir+"/packages")
	m.fake(t, "apt-mark", `case $1 in hold) to=h ;; unhold) to=i ;; esac; sed -i "s/^\($2\tall\t\)./\1$to/" `+m.dir+`/packages`)
}

func TestHold(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.dpkg(t)
	m.write(t, m.dir+"/packages", "pp\tall\tii \t1\n")
	c := m.begin(t)
	c.becomes(t, resource.Hold{Package: "pp"})
	if got := read(t, m.dir+"/packages"); got != "pp\tall\thi \t1\n" {
		t.Errorf("dpkg has %q", got)
	}
	c.becomes(t, resource.Hold{Package: "pp", Absent: true})
}

// A file is sent, installed without starting anything, and gone.
func TestDeb(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.dpkg(t)
	m.write(t, m.dir+"/cache/apt/archives/other.deb", "")
	m.setup += "mount --bind " + m.dir + "/cache /var/cache || exit 99\n"
	m.write(t, m.dir+"/apt-get.sh", `for last; do :; done; cat "$last" >`+m.dir+`/packages`)
	m.write(t, m.dir+"/shop.deb", "shop\tall\tii \t2\n")
	deb := resource.Deb{Name: "shop", Version: "2", Restarts: []string{"shop.service"}}
	deb.Artifact = recipe.Artifact{Source: m.dir + "/shop.deb", Size: 15, SHA256: recipe.Digest([]byte(read(t, m.dir+"/shop.deb")))}
	c := m.begin(t)
	c.becomes(t, deb)
	log := m.log(t)
	for _, want := range []string{" install -- /var/cache/apt/archives/shop_", "services may start: 101", "--no-remove"} {
		if !strings.Contains(log, want) {
			t.Errorf("no %q in %q", want, log)
		}
	}
	if names := m.left(t, m.dir+"/cache/apt/archives"); len(names) != 1 {
		t.Errorf("there is %q", names)
	}
	if got := read(t, m.state("pending/shop.service")); got != "restart\n" {
		t.Errorf("pending %q", got)
	}
	c.finish(t)
	m.noTemporaries(t)
	if found := m.copiesOf(t, "shop\t"); len(found) > 0 {
		t.Errorf("copies are kept: %q", found)
	}
}
