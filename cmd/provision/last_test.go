package main

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"provision/internal/recipe"
	"provision/internal/run"
)

// What is kept of a host is its own, and nothing is taken from a file that another could have written.
func TestLastSaid(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	said := func(inventory string, hosts ...string) run.Last {
		f := newFlags(console{os.Stdin, os.Stdout, os.Stderr})
		f.selection.inventory = inventory
		var e errand
		for _, host := range hosts {
			e.work = append(e.work, run.Work{Target: run.Target{Name: host}})
		}
		return f.lastSaid(e)
	}
	last := said("/a/hosts.yaml", "web1", "web2")
	if _, there := last.Of("web1"); there {
		t.Error("something is known of a host that was never asked")
	}
	want := run.Known{Platform: recipe.Platforms()[2], Said: map[string]string{"shop.kernel": "6.1\n\"it\""}}
	last.Keep("web1", want)
	if got, there := said("/a/hosts.yaml", "web1").Of("web1"); !there || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v", got, there)
	}
	for _, other := range []run.Last{said("/b/hosts.yaml", "web1")} {
		if _, there := other.Of("web1"); there {
			t.Error("it is taken for a host of another inventory")
		}
	}
	if _, there := last.Of("web2"); there {
		t.Error("it is taken for another host")
	}
	file := last.(lastSaid).file("web1")
	for what, spoil := range map[string]func() error{
		"others may write it": func() error { return os.Chmod(file, 0o622) },
		"a link":              func() error { return os.Rename(file, file+".moved") },
	} {
		last.Keep("web1", want)
		if err := spoil(); err != nil {
			t.Fatal(err)
		}
		if what == "a link" {
			if err := os.Symlink(file+".moved", file); err != nil {
				t.Fatal(err)
			}
		}
		if _, there := last.Of("web1"); there {
			t.Errorf("it is taken though it is so: %s", what)
		}
		os.Remove(file)
	}
	if err := os.Chmod(filepath.Dir(file), 0o777); err != nil {
		t.Fatal(err)
	}
	last.Keep("web1", want)
	if _, there := last.Of("web1"); there {
		t.Error("it was written where others may write")
	}
}

// Whose home is not there has no cache, also where the directory could be made.
func TestNoCacheWithoutAHome(t *testing.T) {
	home := filepath.Join(t.TempDir(), "nonexistent")
	t.Setenv("HOME", home)
	t.Setenv("XDG_CACHE_HOME", "")
	f := newFlags(console{os.Stdin, os.Stdout, os.Stderr})
	if last := f.lastSaid(errand{work: []run.Work{{Target: run.Target{Name: "web1"}}}}); last != nil {
		last.Keep("web1", run.Known{})
		t.Error("there is a cache")
	}
	if past, err := pastRunsOf(f.selection); err == nil {
		t.Errorf("runs are kept in %s", past.dir)
	}
	if _, err := os.Lstat(home); err == nil {
		t.Error("the home was made")
	}
}
