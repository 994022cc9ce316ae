package resource_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"provision/internal/recipe"
	"provision/internal/resource"
)

// row is one cell of wanted × found: what is wanted, what is there, what comes of it.
type row struct {
	name   string
	wanted recipe.Resource
	found  []recipe.Effect
	kind   recipe.ChangeKind
	steps  string // titles, joined by "; "
	deltas string // "mode 0600→0644", joined by "; "
	err    string // in the error
}

func check(t *testing.T, rows []row) {
	t.Helper()
	for _, row := range rows {
		t.Run(row.wanted.ID()+" "+row.name, func(t *testing.T) {
			facts := recipe.Facts{}
			facts.Apply(row.found)
			if validator, ok := row.wanted.(recipe.Validator); ok {
				if err := validator.Validate(); err != nil {
					t.Fatalf("refused: %v", err)
				}
			}
			change, err := row.wanted.Diff(facts)
			if row.err != "" {
				if err == nil || !strings.Contains(err.Error(), row.err) {
					t.Errorf("error %v, want %q in it", err, row.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var titles, deltas []string
			for _, step := range change.Steps {
				titles = append(titles, step.Title())
			}
			for _, delta := range change.Deltas {
				deltas = append(deltas, delta.Name+" "+delta.Before+"→"+delta.After)
			}
			if change.Kind != row.kind || strings.Join(titles, "; ") != row.steps || strings.Join(deltas, "; ") != row.deltas {
				t.Errorf("%q %q %q,\nwant %q %q %q", change.Kind, titles, deltas, row.kind, row.steps, row.deltas)
			}
			if (change.Kind == recipe.NoChange) != (len(change.Steps) == 0) {
				t.Errorf("kind %q with %d steps", change.Kind, len(change.Steps))
			}
			pure(t, row.wanted, facts, change)
			settles(t, row.wanted, facts, change)
		})
	}
}

// pure holds a Diff to its word: it depends on what its probes ask and on nothing else, and
// changes nothing.
func pure(t *testing.T, wanted recipe.Resource, facts recipe.Facts, change recipe.Change) {
	t.Helper()
	asked := recipe.Facts{}
	for _, probe := range wanted.Probes() {
		asked[probe.Key] = facts[probe.Key]
	}
	before := asked.Clone()
	again, err := wanted.Diff(asked)
	if err != nil || !reflect.DeepEqual(again, change) {
		t.Errorf("with the answers to its probes alone: %+v, %v; want %+v", again, err, change)
	}
	if !reflect.DeepEqual(asked, before) {
		t.Error("Diff changed the facts")
	}
}

// settles fails unless a resource whose change is done wants nothing more: what the steps
// say of themselves is what Diff looks at. What only the host can tell is left to it.
func settles(t *testing.T, wanted recipe.Resource, facts recipe.Facts, change recipe.Change) {
	t.Helper()
	after := facts.Clone()
	after.Apply(change.Effects())
	for _, probe := range wanted.Probes() {
		if after[probe.Key].Until != "" {
			return
		}
	}
	second, err := wanted.Diff(after)
	if err != nil || !second.Empty() {
		t.Errorf("after its own change it wants %+v, %v", second, err)
	}
}

func found(path string, is recipe.Path) recipe.Effect {
	if is.Owner == "" {
		is.Owner, is.Group = "root", "root"
	}
	return recipe.Known(recipe.PathKey(path), is)
}

func foundFile(path, content string, mode uint32) recipe.Effect {
	return found(path, recipe.Path{Type: recipe.PathFile, Mode: mode, SHA256: recipe.Digest([]byte(content))})
}

func one(effects ...recipe.Effect) []recipe.Effect { return effects }

const at = "/etc/a"

var (
	isLink      = one(found(at, recipe.Path{Type: recipe.PathLink, Mode: 0o777, Target: "/b"}))
	isFile      = one(foundFile(at, "text\n", 0o644))
	isDirectory = one(found(at, recipe.Path{Type: recipe.PathDirectory, Mode: 0o755}))
	isOther     = one(found(at, recipe.Path{Type: recipe.PathOther, Mode: 0o600}))
)

func TestFile(t *testing.T) {
	wanted := resource.File{Path: at, Content: "text\n"}
	private := resource.File{Path: at, Content: "text\n", Attributes: recipe.Attributes{Mode: 0o4750, Owner: "a", Group: "b"}}
	gone := resource.File{Path: at, Absent: true}
	check(t, []row{
		{name: "none", wanted: wanted, kind: recipe.Create, steps: "write /etc/a"},
		{name: "same", wanted: wanted, found: isFile},
		{name: "content", wanted: wanted, found: one(foundFile(at, "old\n", 0o644)), kind: recipe.Update, steps: "write /etc/a"},
		{name: "mode", wanted: wanted, found: one(foundFile(at, "text\n", 0o600)), kind: recipe.Update, steps: "set mode and owner of /etc/a", deltas: "mode 0600→0644"},
		{name: "mode and content", wanted: wanted, found: one(foundFile(at, "old\n", 0o600)), kind: recipe.Update, steps: "write /etc/a", deltas: "mode 0600→0644"},
		{name: "owner", wanted: private, found: isFile, kind: recipe.Update, steps: "set mode and owner of /etc/a", deltas: "mode 0644→4750; owner root:root→a:b"},
		{name: "never filled in", wanted: resource.File{Path: at, Content: "{{K}}\n", Fill: map[string]string{"{{K}}": "/k"}}, found: one(found(at, recipe.Path{Type: recipe.PathFile, Mode: 0o644, SHA256: "unfilled"})), kind: recipe.Update, steps: "write /etc/a"},
		{name: "link", wanted: wanted, found: isLink, err: "/etc/a: is a link to /b, not a file"},
		{name: "directory", wanted: wanted, found: isDirectory, err: "is a directory, not a file"},
		{name: "other", wanted: wanted, found: isOther, err: "is a other, not a file"},
		{name: "gone, none", wanted: gone},
		{name: "gone, file", wanted: gone, found: isFile, kind: recipe.Delete, steps: "remove /etc/a"},
		{name: "gone, link", wanted: gone, found: isLink, err: "is a link"},
		{name: "gone, directory", wanted: gone, found: isDirectory, err: "is a directory"},
	})
}

func TestWhatHoldsASecretIsNotShown(t *testing.T) {
	filled := resource.File{Path: at, Content: "{{K}}\n", Fill: map[string]string{"{{K}}": "/k"}}
	filledGone := filled
	filledGone.Absent = true
	for _, wanted := range []recipe.Resource{
		filled, filledGone, resource.File{Path: at, Content: "x", Secret: true},
		resource.File{Path: at, Secret: true, Absent: true}, resource.Secret{Path: at, Absent: true},
	} {
		facts := recipe.Facts{}
		facts.Apply(isFile)
		change, err := wanted.Diff(facts)
		if err != nil || change.Diff == nil || !change.Diff.Secret {
			t.Errorf("%+v: %+v %v", wanted, change, err)
		}
		if write, ok := change.Steps[0].(recipe.WriteFile); ok && !write.Secret {
			t.Errorf("%+v: its step shows it", wanted)
		}
	}
}

func TestDirectory(t *testing.T) {
	wanted := resource.Directory{Path: at}
	gone := resource.Directory{Path: at, Absent: true}
	check(t, []row{
		{name: "none", wanted: wanted, kind: recipe.Create, steps: "make directory /etc/a"},
		{name: "same", wanted: wanted, found: isDirectory},
		{name: "mode", wanted: resource.Directory{Path: at, Attributes: recipe.Attributes{Mode: 0o2750}}, found: isDirectory, kind: recipe.Update, steps: "set mode and owner of /etc/a", deltas: "mode 0755→2750"},
		{name: "set-group-ID", wanted: wanted, found: one(found(at, recipe.Path{Type: recipe.PathDirectory, Mode: 0o2755})), kind: recipe.Update, steps: "set mode and owner of /etc/a", deltas: "mode 2755→0755"},
		{name: "file", wanted: wanted, found: isFile, err: "is a file, not a directory"},
		{name: "link", wanted: wanted, found: isLink, err: "is a link, not a directory"},
		{name: "gone, none", wanted: gone},
		{name: "gone, there", wanted: gone, found: isDirectory, kind: recipe.Delete, steps: "remove /etc/a"},
		{name: "gone, file", wanted: gone, found: isFile, err: "is a file"},
	})
}

func TestLink(t *testing.T) {
	wanted := resource.Link{Path: at, Target: "/b"}
	gone := resource.Link{Path: at, Absent: true}
	check(t, []row{
		{name: "none", wanted: wanted, kind: recipe.Create, steps: "link /etc/a"},
		{name: "same", wanted: wanted, found: isLink},
		{name: "target", wanted: resource.Link{Path: at, Target: "../c"}, found: isLink, kind: recipe.Update, steps: "link /etc/a", deltas: "target /b→../c"},
		{name: "file", wanted: wanted, found: isFile, err: "is a file, not a link"},
		{name: "directory", wanted: wanted, found: isDirectory, err: "is a directory, not a link"},
		{name: "gone, none", wanted: gone},
		{name: "gone, there", wanted: gone, found: isLink, kind: recipe.Delete, steps: "remove /etc/a", deltas: "target /b→"},
		{name: "gone, file", wanted: gone, found: isFile, err: "is a file"},
	})
}

func TestLine(t *testing.T) {
	has := func(content string) []recipe.Effect {
		return one(foundFile(at, content, 0o640), recipe.Known(recipe.ContentKey(at), recipe.Content{Bytes: []byte(content)}))
	}
	wanted := resource.Line{Path: at, Line: "key = new", Key: "key ="}
	plain := resource.Line{Path: at, Line: "key = new"}
	gone := resource.Line{Path: at, Line: "key = new", Key: "key =", Absent: true}
	check(t, []row{
		{name: "no file", wanted: wanted, kind: recipe.Create, steps: "write /etc/a"},
		{name: "same", wanted: wanted, found: has("a\nkey = new\nb\n")},
		{name: "other value", wanted: wanted, found: has("a\nkey = old\nb\n"), kind: recipe.Update, steps: "write /etc/a"},
		{name: "no line", wanted: wanted, found: has("a\n"), kind: recipe.Update, steps: "write /etc/a"},
		{name: "without a key, other value", wanted: plain, found: has("key = old\n"), kind: recipe.Update, steps: "write /etc/a"},
		{name: "gone, no file", wanted: gone},
		{name: "gone, no line", wanted: gone, found: has("a\n")},
		{name: "gone, there", wanted: gone, found: has("a\nkey = x\n"), kind: recipe.Update, steps: "write /etc/a"},
		{name: "directory", wanted: wanted, found: isDirectory, err: "is a directory, not a file"},
		{name: "link", wanted: wanted, found: isLink, err: "is a link, not a file"},
		{name: "content cut off", wanted: wanted, found: one(foundFile(at, "long", 0o644), recipe.Known(recipe.ContentKey(at), recipe.Content{Bytes: []byte("lo")})), err: "longer than 1 MiB"},
	})
	for _, test := range []struct {
		line         resource.Line
		before, want string
	}{
		{wanted, "", "key = new\n"},
		{wanted, "a\nkey = 1\nkey = 2\nb\n", "a\nkey = new\nb\n"},
		{wanted, "a\nkey = 1", "a\nkey = new\n"},
		{wanted, "a", "a\nkey = new\n"},
		{wanted, "# key = 1\n key = 2\n", "# key = 1\n key = 2\nkey = new\n"},
		{plain, "key = old\n", "key = old\nkey = new\n"},
		{gone, "a\nkey = 1\nkey = 2\nb", "a\nb"},
	} {
		facts := recipe.Facts{}
		facts.Apply(has(test.before))
		change, err := test.line.Diff(facts)
		if err != nil {
			t.Fatal(err)
		}
		write := change.Steps[0].(recipe.WriteFile)
		if string(write.Content) != test.want || write.Mode != 0o640 {
			t.Errorf("%q becomes %q with mode %o, want %q", test.before, write.Content, write.Mode, test.want)
		}
	}
}

func TestSecret(t *testing.T) {
	wanted := resource.Secret{Path: at}
	check(t, []row{
		{name: "none", wanted: wanted, kind: recipe.Create, steps: "make secret /etc/a"},
		{name: "there", wanted: wanted, found: one(foundFile(at, "whatever", 0o600))},
		{name: "mode", wanted: wanted, found: isFile, kind: recipe.Update, steps: "set mode and owner of /etc/a", deltas: "mode 0644→0600"},
		{name: "link", wanted: wanted, found: isLink, err: "is a link, not a file"},
		{name: "gone, none", wanted: resource.Secret{Path: at, Absent: true}},
		{name: "gone, there", wanted: resource.Secret{Path: at, Absent: true}, found: isFile, kind: recipe.Delete, steps: "remove /etc/a"},
	})
}

func TestArtifact(t *testing.T) {
	wanted := resource.Artifact{Path: at, Artifact: recipe.Artifact{Source: "x", Size: 5, SHA256: recipe.Digest([]byte("text\n"))}}
	check(t, []row{
		{name: "none", wanted: wanted, kind: recipe.Create, steps: "upload /etc/a"},
		{name: "same", wanted: wanted, found: one(foundFile(at, "text\n", 0o755))},
		{name: "mode", wanted: wanted, found: isFile, kind: recipe.Update, steps: "set mode and owner of /etc/a", deltas: "mode 0644→0755"},
		{name: "directory", wanted: wanted, found: isDirectory, err: "is a directory, not a file"},
	})
}

func TestPackage(t *testing.T) {
	is := func(status string) []recipe.Effect {
		return one(recipe.Known(recipe.PackageKey("pp"), recipe.Package{Status: status, Version: "1"}), recipe.Known(recipe.ListsKey(), recipe.Lists{Known: true}))
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
		{name: "none", wanted: wanted, found: one(recipe.Known(recipe.UnitKey(unit), recipe.Unit{Load: "not-found", Active: "inactive"})), kind: recipe.Update, steps: "enable u.service; start u.service", deltas: "at boot none→enabled; state inactive→running"},
		{name: "runs", wanted: wanted, found: is("active", "enabled", "")},
		{name: "runs, static", wanted: wanted, found: is("active", "static", "")},
		{name: "reloading", wanted: wanted, found: is("reloading", "enabled", "")},
		{name: "not at boot", wanted: wanted, found: is("active", "disabled", ""), kind: recipe.Update, steps: "enable u.service", deltas: "at boot disabled→enabled"},
		{name: "until the next boot", wanted: wanted, found: is("active", "enabled-runtime", ""), kind: recipe.Update, steps: "enable u.service", deltas: "at boot enabled-runtime→enabled"},
		{name: "stopped", wanted: wanted, found: is("inactive", "enabled", ""), kind: recipe.Update, steps: "start u.service", deltas: "state inactive→running"},
		{name: "failed, restart pending", wanted: wanted, found: is("failed", "enabled", recipe.Restart), kind: recipe.Update, steps: "start u.service; done: u.service", deltas: "state failed→running"},
		{name: "restart pending", wanted: wanted, found: is("active", "enabled", recipe.Restart), kind: recipe.Act, steps: "restart u.service; done: u.service"},
		{name: "reload pending", wanted: wanted, found: is("active", "enabled", recipe.Reload), kind: recipe.Act, steps: "reload u.service; done: u.service"},
		{name: "reload pending, unit file changed", wanted: wanted, found: stale, kind: recipe.Act, steps: "restart u.service; done: u.service"},
		{name: "masked", wanted: wanted, found: masked, err: "u.service: is masked"},
		{name: "once, stopped", wanted: once, found: is("inactive", "enabled", "")},
		{name: "once, pending", wanted: once, found: is("inactive", "enabled", recipe.Restart), kind: recipe.Act, steps: "done: u.service"},
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
		return recipe.Known(recipe.UserKey("u"), recipe.User{Exists: true, UID: 100, Group: "100", Home: home, Shell: shell})
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
