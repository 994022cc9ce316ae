package main

import (
	"os"
	"slices"
	"testing"

	"provision/internal/engine"
	"provision/internal/run"
)

func TestRewrite(t *testing.T) {
	hosts := []string{"root@web2:2222", "web3"}
	for _, c := range []struct {
		name  string
		typed []string
		want  string
	}{
		{"ad hoc", []string{"install", "graphite", "-H", "web1,root@web2:2222,web3"}, "provision install graphite -H root@web2:2222,web3"},
		{"joined", []string{"install", "graphite", "-Hweb1,web3", "-y"}, "provision install graphite -y -H root@web2:2222,web3"},
		{"long", []string{"install", "--hosts", "web1", "--hosts=web2", "graphite"}, "provision install graphite -H root@web2:2222,web3"},
		{"a limit", []string{"plan", "-l", "metrics"}, "provision plan -l root@web2:2222,web3"},
		{"a long limit", []string{"plan", "--limit=metrics", "nginx"}, "provision plan nginx -l root@web2:2222,web3"},
		{"letters before it", []string{"install", "-yvH", "web1", "nginx"}, "provision install -yv nginx -H root@web2:2222,web3"},
		{"none named", []string{"install"}, "provision install -l root@web2:2222,web3"},
		{"values that look like it", []string{"install", "-e", "-H", "--inventory", "-l", "-i", "--hosts", "-l", "x"}, "provision install -e -H --inventory -l -i --hosts -l root@web2:2222,web3"},
		{"a joined value with an H", []string{"install", "-eH", "-fl", "-l", "x"}, "provision install -eH -fl -l root@web2:2222,web3"},
		{"quotes", []string{"install", "-e", "graphite.time_zone=a b", "-e", "x.y=it's", "-H", "web1"}, `provision install -e 'graphite.time_zone=a b' -e 'x.y=it'\''s' -H root@web2:2222,web3`},
		{"a command", []string{"exec", "-l", "all", "--", "sh", "-c", "ls -l -H"}, "provision exec -l root@web2:2222,web3 -- sh -c 'ls -l -H'"},
		{"a command's own flags", []string{"exec", "-H", "web1", "--", "ls", "-H", "x"}, "provision exec -H root@web2:2222,web3 -- ls -H x"},
		{"the value is missing", []string{"plan", "nginx", "-l"}, "provision plan nginx -l root@web2:2222,web3"},
		{"a dash", []string{"plan", "-", "-l", "x"}, "provision plan - -l root@web2:2222,web3"},
	} {
		t.Run(c.name, func(t *testing.T) {
			root := newRoot(&flags{}, console{os.Stdin, os.Stdout, os.Stderr})
			verb, rest, err := root.Find(c.typed)
			if err != nil {
				t.Fatal(err)
			}
			_ = verb.ParseFlags(rest) // merges the root's flags into the verb's; what is wrong with them is not the point
			before := slices.Clone(c.typed)
			if got := rewrite(c.typed, verb.Flags(), hosts); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			if !slices.Equal(before, c.typed) {
				t.Errorf("the arguments were changed: %q", c.typed)
			}
		})
	}
}

func TestAgainNamesHostsAsTyped(t *testing.T) {
	f := &flags{arguments: []string{"exec", "-H", "root@a:1,root@b:2", "--", "true"}}
	root := newRoot(f, console{os.Stdin, os.Stdout, os.Stderr})
	f.command, _, _ = root.Find(f.arguments)
	e := errand{typed: []string{"root@a:1", "root@b:2"}, work: []run.Work{{Target: run.Target{Name: "a:1"}}, {Target: run.Target{Name: "b:2"}}}}
	_ = f.command.ParseFlags(f.arguments[1:])
	ended := func(first, second engine.Status) []run.Result {
		return []run.Result{{Host: "a:1", Finished: engine.Finished{Status: first}}, {Host: "b:2", Finished: engine.Finished{Status: second}}}
	}
	if got, want := f.again(e, ended(engine.StatusDone, engine.StatusUnreachable)), "provision exec -H root@b:2 -- true"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	for _, all := range []engine.Status{engine.StatusDone, engine.StatusFailed} {
		if got := f.again(e, ended(all, all)); got != "" {
			t.Errorf("all %s: got %q: it is the same command again", all, got)
		}
	}
}
