package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"provision/internal/address"
	"provision/internal/engine"
	"provision/internal/report"
	"provision/internal/run"
)

// parsed are flags as a command line sets them.
func parsed(t *testing.T, args ...string) *flags {
	t.Helper()
	f := &flags{}
	verb, rest, err := newRoot(f, console{os.Stdin, os.Stdout, os.Stderr}).Find(args)
	if err != nil {
		t.Fatal(err)
	}
	if err := verb.ParseFlags(rest); err != nil {
		t.Fatal(err)
	}
	f.typed = typedBy(verb)
	return f
}

// ended is a run that ended so on two hosts.
func ended(first, second engine.Status) report.PastRun {
	return report.PastRun{Hosts: []report.PastHost{at("a:1", first), at("b:2", second)}}
}

var twoHosts = errand{typed: []string{"root@a:1", "root@b:2"}, work: []run.Work{{Target: run.Target{Name: "a:1"}}, {Target: run.Target{Name: "b:2"}}}}

func TestAgain(t *testing.T) {
	for _, c := range []struct {
		name  string
		typed []string
		want  string
	}{
		{"ad hoc", []string{"install", "graphite", "-H", "root@a:1,root@b:2"}, "provision install graphite -H root@b:2"},
		{"joined", []string{"install", "graphite", "-Hroot@a:1,root@b:2", "-y"}, "provision install graphite -y -H root@b:2"},
		{"long", []string{"install", "--hosts", "root@a:1", "--hosts=root@b:2", "graphite"}, "provision install graphite -H root@b:2"},
		{"a limit", []string{"plan", "-l", "metrics"}, "provision plan -l root@b:2"},
		{"a long limit", []string{"plan", "--limit=metrics", "nginx"}, "provision plan nginx -l root@b:2"},
		{"letters before it", []string{"install", "-yvvH", "a", "nginx"}, "provision install nginx -y -vv -H root@b:2"},
		{"none named", []string{"install"}, "provision install -l root@b:2"},
		{"before the verb", []string{"-l", "metrics", "-v", "plan", "nginx"}, "provision plan nginx -v -l root@b:2"},
		{"values that look like it", []string{"install", "-e", "-H", "--inventory", "-l", "-i", "--hosts", "-l", "x"}, "provision install -e -H --inventory -l -i --hosts -l root@b:2"},
		{"a joined value with an H", []string{"install", "-eH", "-f7", "-l", "x"}, "provision install -e H -f 7 -l root@b:2"},
		{"several values", []string{"install", "-e", "a.b=1", "-l", "x", "-e", "c.d=2"}, "provision install -e 'a.b=1' -e 'c.d=2' -l root@b:2"},
		{"quotes", []string{"install", "-e", "graphite.time_zone=a b", "-e", "x.y=it's", "-H", "a"}, `provision install -e 'graphite.time_zone=a b' -e 'x.y=it'\''s' -H root@b:2`},
		{"turned off", []string{"install", "-y=false", "--lock-timeout", "90s"}, "provision install '--yes=false' --lock-timeout 1m30s -l root@b:2"},
		{"a command", []string{"exec", "-l", "all", "--", "sh", "-c", "ls -l -H"}, "provision exec -l root@b:2 -- sh -c 'ls -l -H'"},
		{"a command's own flags", []string{"exec", "-H", "a", "--no-sudo", "ls", "-H", "--", "-l"}, "provision exec --no-sudo -H root@b:2 -- ls -H -- -l"},
		{"a verb below another", []string{"lab", "up", "--suite", "trixie", "3"}, "provision lab up 3 --suite trixie -l root@b:2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got, _ := parsed(t, c.typed...).again(twoHosts, ended(engine.StatusDone, engine.StatusUnreachable)); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// The hosts of a saved plan that were named ad hoc are in no inventory, and what it has of
// variables is in the file.
func TestAgainOfASavedPlan(t *testing.T) {
	f := parsed(t, "install", "--plan", "friday.plan")
	f.selection = savedPlan{AdHoc: true, Extra: []string{"a.b=1"}, Hosts: []savedHost{{Typed: "root@a:1"}, {Typed: "root@b:2"}}}.selection(f.selection)
	const want = "provision install --plan friday.plan -H root@b:2"
	if got, _ := f.again(twoHosts, ended(engine.StatusChanged, engine.StatusFailed)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestAgainIsOfSomeHosts(t *testing.T) {
	f := parsed(t, "exec", "-H", "root@a:1,root@b:2", "--", "true")
	for _, all := range []engine.Status{engine.StatusDone, engine.StatusFailed} {
		if got, _ := f.again(twoHosts, ended(all, all)); got != "" {
			t.Errorf("all %s: got %q: it is the same command again", all, got)
		}
	}
}

// Whom a run is told to, as by mail, is not told what exec was to do: there may be a password in it.
func TestAgainIsToldWithoutTheCommand(t *testing.T) {
	f := parsed(t, "exec", "-l", "all", "--timeout", "5s", "--", "mysql", "-phunter2")
	const want = "provision exec --timeout 5s -l root@b:2 -- …"
	if _, told := f.again(twoHosts, ended(engine.StatusDone, engine.StatusFailed)); told != want {
		t.Errorf("got  %s\nwant %s", told, want)
	}
}

// Many hosts without a pattern are named by how they ended, where just they ended so and it can be remembered.
func TestAgainNamesManyByTheirEnds(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	f := parsed(t, "install", "--inventory", filepath.Join(t.TempDir(), "hosts.yaml"))
	past, err := pastRunsOf(f.selection)
	if err != nil {
		t.Fatal(err)
	}
	inInventory := map[string]bool{"well": true, "before": true}
	e := errand{typed: []string{"well"}, listed: func(name string) bool { return inInventory[name] }}
	ended := pastRun("install", 10, 20, at("well", engine.StatusChanged))
	ended.ID = "20261130-001000.000"
	for i, status := range []engine.Status{engine.StatusFailed, engine.StatusNotBegun} {
		for n := range 20 {
			name := fmt.Sprintf("web%d-of-%d", 3*n, i)
			e.typed, inInventory[name] = append(e.typed, name), true
			ended.Hosts = append(ended.Hosts, at(name, status))
		}
	}
	both, failed := ended, ended
	failed.Hosts = ended.Hosts[:21]
	check := func(what string, run report.PastRun, want string) {
		t.Helper()
		if got, _ := f.again(e, run); !strings.HasSuffix(got, " -l "+want) {
			t.Errorf("%s: %s", what, got)
		}
	}
	names := strings.Join(address.Fold(e.typed[1:21]), ",")
	check("a run that is not remembered", failed, names)
	defer past.begin(both)()
	check("those that failed", failed, "@failed")
	check("those too that were not begun", both, "@failed,@notbegun")
	before := pastRun("install", 0, 1, at("before", engine.StatusFailed), at("gone", engine.StatusFailed))
	before.ID = "20261130-000000.000"
	if err := past.keep(before, nil); err != nil {
		t.Fatal(err)
	}
	check("another failed before", failed, names)
	delete(inInventory, "before")
	check("those that failed before are gone", failed, "@failed")
	failed.Hosts = failed.Hosts[:3]
	check("few", failed, "web0-of-0,web3-of-0")
}
