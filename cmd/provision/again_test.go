package main

import (
	"os"
	"testing"

	"provision/internal/engine"
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

// ended are the ends of two hosts.
func ended(first, second engine.Status) []run.Result {
	return []run.Result{{Host: "a:1", Finished: engine.Finished{Status: first}}, {Host: "b:2", Finished: engine.Finished{Status: second}}}
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
			if got := parsed(t, c.typed...).again(twoHosts, ended(engine.StatusDone, engine.StatusUnreachable)); got != c.want {
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
	if got := f.again(twoHosts, ended(engine.StatusChanged, engine.StatusFailed)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestAgainIsOfSomeHosts(t *testing.T) {
	f := parsed(t, "exec", "-H", "root@a:1,root@b:2", "--", "true")
	for _, all := range []engine.Status{engine.StatusDone, engine.StatusFailed} {
		if got := f.again(twoHosts, ended(all, all)); got != "" {
			t.Errorf("all %s: got %q: it is the same command again", all, got)
		}
	}
}
