package resource_test

import (
	"slices"
	"strings"
	"testing"

	"provision/internal/recipe"
	"provision/internal/resource"
)

func TestPackage(t *testing.T) {
	is := func(status string) []recipe.Effect {
		return one(recipe.Known(recipe.PackageKey("pp"), recipe.Package{Status: status, Version: "1"}), recipe.Known(recipe.ListsKey(), recipe.Lists{Known: true}))
	}
	with := func(status string, removal recipe.Removal) []recipe.Effect {
		return append(is(status), recipe.Known(recipe.RemovalKey("pp"), removal))
	}
	wanted := resource.Package{Name: "pp", Brings: []recipe.Key{recipe.UnitKey("p.service")}}
	gone := resource.Package{Name: "pp", Absent: true}
	check(t, []row{
		{name: "none", wanted: wanted, kind: recipe.Create, steps: "install pp"},
		{name: "unknown to dpkg", wanted: wanted, found: is("un"), kind: recipe.Create, steps: "install pp"},
		{name: "installed", wanted: wanted, found: is("ii")},
		{name: "on hold", wanted: wanted, found: is("hi")},
		{name: "removed", wanted: wanted, found: is("rc"), kind: recipe.Update, steps: "install pp", deltas: "dpkg status rc→ii"},
		{name: "half installed", wanted: wanted, found: is("iF"), kind: recipe.Update, steps: "install pp", deltas: "dpkg status iF→ii"},
		{name: "broken", wanted: wanted, found: is("iiR"), kind: recipe.Update, steps: "install pp", deltas: "dpkg status iiR→ii"},
		{name: "gone, none", wanted: gone},
		{name: "gone, unknown", wanted: gone, found: is("un")},
		{name: "gone, there", wanted: gone, found: is("ii"), kind: recipe.Delete, steps: "purge pp"},
		{name: "gone, with others", wanted: gone, found: with("ii", recipe.Removal{Along: []string{"a", "b"}, Comes: []string{"c"}}),
			kind: recipe.Delete, steps: "purge pp", deltas: "goes with it: a, b→; comes in its place: c→"},
		{name: "gone, with others that somebody wants", wanted: resource.Package{Name: "pp", Absent: true, Spares: []string{"b"}},
			found: with("ii", recipe.Removal{Along: []string{"a", "b"}})},
		{name: "gone, with others that nobody wants", wanted: resource.Package{Name: "pp", Absent: true, Spares: []string{"c"}},
			found: with("ii", recipe.Removal{Along: []string{"a", "b"}}), kind: recipe.Delete, steps: "purge pp", deltas: "goes with it: a, b→"},
		{name: "gone, configuration left", wanted: gone, found: is("rc"), kind: recipe.Delete, steps: "purge pp"},
	})
	for _, test := range []struct {
		lists recipe.Lists
		want  bool
	}{{recipe.Lists{}, true}, {recipe.Lists{Known: true, Age: resource.ListsMaxAge}, false}, {recipe.Lists{Known: true, Age: resource.ListsMaxAge + 1}, true}} {
		facts := recipe.Facts{}
		facts.Apply(one(recipe.Known(recipe.ListsKey(), test.lists)))
		change, err := wanted.Diff(facts)
		if err != nil || change.Steps[0].(recipe.InstallPackages).Update != test.want {
			t.Errorf("lists %+v: %+v %v", test.lists, change, err)
		}
		facts.Apply(change.Effects())
		for _, key := range []recipe.Key{recipe.PackageKey("pp"), recipe.UnitKey("p.service")} {
			if facts[key].Until != "pp is installed" {
				t.Errorf("%s after the install: %+v", key, facts[key])
			}
		}
	}
}

func TestService(t *testing.T) {
	const unit = "u.service"
	is := func(active, state string, pending recipe.Action) []recipe.Effect {
		return one(
			recipe.Known(recipe.UnitKey(unit), recipe.Unit{Load: "loaded", Active: active, State: state}),
			recipe.Known(recipe.PendingKey(unit), recipe.Pending{Action: pending}),
		)
	}
	masked := one(recipe.Known(recipe.UnitKey(unit), recipe.Unit{Load: "masked", Active: "inactive", State: "masked"}))
	stale := one(recipe.Known(recipe.UnitKey(unit), recipe.Unit{Load: "loaded", Active: "active", State: "enabled", NeedReload: true}),
		recipe.Known(recipe.PendingKey(unit), recipe.Pending{Action: recipe.Reload}))
	wanted := resource.Service{Unit: unit, Check: "u -t", Listens: []string{":80"}}
	once := resource.Service{Unit: unit, Oneshot: true}
	gone := resource.Service{Unit: unit, Absent: true}
	check(t, []row{
		{name: "none", wanted: wanted, found: one(recipe.Known(recipe.UnitKey(unit), recipe.Unit{Load: "not-found", Active: "inactive"})), kind: recipe.Update, steps: "enable u.service; start u.service; see that u.service stays up", deltas: "at boot none→enabled; state inactive→running"},
		{name: "runs", wanted: wanted, found: is("active", "enabled", "")},
		{name: "runs, static", wanted: wanted, found: is("active", "static", "")},
		{name: "reloading", wanted: wanted, found: is("reloading", "enabled", "")},
		{name: "not at boot", wanted: wanted, found: is("active", "disabled", ""), kind: recipe.Update, steps: "enable u.service", deltas: "at boot disabled→enabled"},
		{name: "until the next boot", wanted: wanted, found: is("active", "enabled-runtime", ""), kind: recipe.Update, steps: "enable u.service", deltas: "at boot enabled-runtime→enabled"},
		{name: "stopped", wanted: wanted, found: is("inactive", "enabled", ""), kind: recipe.Update, steps: "start u.service; see that u.service stays up", deltas: "state inactive→running"},
		{name: "failed, restart pending", wanted: wanted, found: is("failed", "enabled", recipe.Restart), kind: recipe.Update, steps: "start u.service; see that u.service stays up; done: u.service", deltas: "state failed→running"},
		{name: "restart pending", wanted: wanted, found: is("active", "enabled", recipe.Restart), kind: recipe.Act, steps: "restart u.service; see that u.service stays up; done: u.service"},
		{name: "reload pending", wanted: wanted, found: is("active", "enabled", recipe.Reload), kind: recipe.Act, steps: "reload u.service; see that u.service stays up; done: u.service"},
		{name: "reload pending, unit file changed", wanted: wanted, found: stale, kind: recipe.Act, steps: "restart u.service; see that u.service stays up; done: u.service"},
		{name: "masked", wanted: wanted, found: masked, err: "u.service: is masked"},
		{name: "once, stopped", wanted: once, found: is("inactive", "enabled", "")},
		{name: "once, pending", wanted: once, found: is("inactive", "enabled", recipe.Restart), kind: recipe.Act, steps: "restart u.service; done: u.service"},
		{name: "starts, restart pending", wanted: wanted, found: is("activating", "enabled", recipe.Restart), kind: recipe.Act, steps: "restart u.service; see that u.service stays up; done: u.service"},
		{name: "starts, reload pending", wanted: wanted, found: is("activating", "enabled", recipe.Reload), kind: recipe.Act, steps: "restart u.service; see that u.service stays up; done: u.service"},
		{name: "starts", wanted: wanted, found: is("activating", "enabled", ""), kind: recipe.Update, steps: "start u.service; see that u.service stays up", deltas: "state activating→running"},
		{name: "runs, enabled by another", wanted: wanted, found: is("active", "indirect", "")},
		{name: "runs, an alias", wanted: wanted, found: is("active", "alias", "")},
		{name: "gone, runs", wanted: gone, found: is("active", "enabled", recipe.Restart), kind: recipe.Delete, steps: "stop u.service; disable u.service; done: u.service", deltas: "state active→stopped; at boot enabled→disabled"},
		{name: "gone, keeps starting", wanted: gone, found: is("activating", "disabled", ""), kind: recipe.Delete, steps: "stop u.service", deltas: "state activating→stopped"},
		{name: "gone, stopped", wanted: gone, found: is("inactive", "disabled", "")},
		{name: "gone, masked", wanted: gone, found: masked},
		{name: "gone, none", wanted: gone},
	})
	facts := recipe.Facts{}
	facts.Apply(is("active", "disabled", recipe.Restart))
	change, err := wanted.Diff(facts)
	if err != nil {
		t.Fatal(err)
	}
	enable, restart := change.Steps[0].(recipe.ControlUnit), change.Steps[1].(recipe.ControlUnit)
	if enable.Check != "" || restart.Check != "u -t" || !slices.Equal(restart.Listens, []string{":80"}) {
		t.Errorf("enable %+v, restart %+v", enable, restart)
	}
}

func TestAccounts(t *testing.T) {
	user := func(home, shell string) recipe.Effect {
		return recipe.Known(recipe.UserKey("u"), recipe.User{Exists: true, UID: 100, Group: "u", Home: home, Shell: shell})
	}
	group := func(members ...string) recipe.Effect {
		return recipe.Known(recipe.GroupKey("g"), recipe.Group{Exists: true, Members: members})
	}
	member := resource.Membership{User: "u", Group: "g"}
	noMember := resource.Membership{User: "u", Group: "g", Absent: true}
	check(t, []row{
		{name: "none", wanted: resource.User{Name: "u"}, kind: recipe.Create, steps: "add user u"},
		{name: "group is there", wanted: resource.User{Name: "u"}, found: one(recipe.Known(recipe.GroupKey("u"), recipe.Group{Exists: true})), kind: recipe.Create, steps: "add user u"},
		{name: "same", wanted: resource.User{Name: "u"}, found: one(user("/nonexistent", "/usr/sbin/nologin"))},
		{name: "home", wanted: resource.User{Name: "u", Home: "/srv"}, found: one(user("/old", "/bin/sh")), kind: recipe.Update, steps: "change user u", deltas: "home /old→/srv; shell /bin/sh→/usr/sbin/nologin"},
		{name: "home alone", wanted: resource.User{Name: "u", Home: "/srv"}, found: one(user("/old", "/usr/sbin/nologin")), kind: recipe.Update, steps: "change user u", deltas: "home /old→/srv"},
		{name: "shell alone", wanted: resource.User{Name: "u"}, found: one(user("/nonexistent", "/bin/sh")), kind: recipe.Update, steps: "change user u", deltas: "shell /bin/sh→/usr/sbin/nologin"},
		{name: "gone, none", wanted: resource.User{Name: "u", Absent: true}},
		{name: "gone, there", wanted: resource.User{Name: "u", Absent: true}, found: one(user("/", "/")), kind: recipe.Delete, steps: "remove user u"},
		{name: "none", wanted: resource.Group{Name: "g"}, kind: recipe.Create, steps: "groupadd --system g"},
		{name: "same", wanted: resource.Group{Name: "g"}, found: one(group())},
		{name: "gone, none", wanted: resource.Group{Name: "g", Absent: true}},
		{name: "gone, there", wanted: resource.Group{Name: "g", Absent: true}, found: one(group("x")), kind: recipe.Delete, steps: "groupdel g"},
		{name: "no group", wanted: member, err: "there is no group g"},
		{name: "no member", wanted: member, found: one(group("uu")), kind: recipe.Create, steps: "gpasswd --add u g"},
		{name: "member", wanted: member, found: one(group("x", "u"))},
		{name: "gone, member", wanted: noMember, found: one(group("x", "u")), kind: recipe.Delete, steps: "gpasswd --delete u g"},
		{name: "gone, no member", wanted: noMember, found: one(group("x"))},
		{name: "gone, no group", wanted: noMember},
	})
	// A group that was there keeps its members: they are not added again.
	facts := recipe.Facts{}
	facts.Apply(one(recipe.Known(recipe.GroupKey("u"), recipe.Group{Exists: true, Members: []string{"x"}})))
	change, err := resource.User{Name: "u"}.Diff(facts)
	if err != nil {
		t.Fatal(err)
	}
	if text := change.Steps[0].(recipe.Exec).Script; !strings.Contains(text, "--gid u") {
		t.Errorf("script %s", text)
	}
	facts.Apply(change.Effects())
	if got := facts.Group("u").Members; !slices.Equal(got, []string{"x"}) {
		t.Errorf("members %q", got)
	}
}

func TestCommand(t *testing.T) {
	exit := func(code int) []recipe.Effect {
		return one(recipe.Known(recipe.CommandKey("migrate"), recipe.Command{Exit: code}))
	}
	wanted := resource.Command{Name: "migrate", Unless: "true", Script: "x", Changes: []recipe.Key{recipe.PathKey("/db")}}
	check(t, []row{
		{name: "done", wanted: wanted, found: exit(0)},
		{name: "to do", wanted: wanted, found: exit(1), kind: recipe.Act, steps: "migrate"},
		{name: "never asked", wanted: wanted, found: exit(-1), kind: recipe.Act, steps: "migrate"},
	})
	facts := recipe.Facts{}
	facts.Apply(exit(1))
	change, _ := wanted.Diff(facts)
	facts.Apply(change.Effects())
	if facts[recipe.PathKey("/db")].Until != "migrate" {
		t.Errorf("what it changes: %+v", facts[recipe.PathKey("/db")])
	}
}

func TestKept(t *testing.T) {
	const kept = "/var/lib/provision/runs/000001/kept/1"
	there := func(path, content string) recipe.Effect { return foundFile(path, content, 0o644) }
	was := resource.Kept{Path: at, Run: "000001", Step: 1, Copy: kept}
	wasNone := resource.Kept{Path: at, Run: "000001", Step: 1}
	check(t, []row{
		{name: "same", wanted: was, found: one(there(at, "a"), there(kept, "a"))},
		{name: "content", wanted: was, found: one(there(at, "b"), there(kept, "a")), kind: recipe.Update, steps: "restore /etc/a"},
		{name: "removed", wanted: was, found: one(there(kept, "a")), kind: recipe.Create, steps: "restore /etc/a"},
		{name: "copy gone", wanted: was, found: one(there(at, "b")), err: "the copy of run 000001 is gone"},
		{name: "made", wanted: wasNone, found: one(there(at, "b")), kind: recipe.Delete, steps: "restore /etc/a"},
		{name: "none", wanted: wasNone},
	})
}
