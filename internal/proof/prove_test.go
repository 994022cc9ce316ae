package proof

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"provision/internal/engine"
	"provision/internal/recipe"
	"provision/internal/resource"
)

// proving is a prover of a recipe, without a host.
func proving(resources ...recipe.Resource) *prover {
	var p prover
	for i, r := range resources {
		p.planned.Items = append(p.planned.Items, engine.Planned{Item: recipe.Item{Resource: r, Task: "shop", At: recipe.Position{File: "shop.star", Line: i + 1}}})
	}
	return &p
}

func texts(faults []Fault) []string {
	var all []string
	for _, fault := range faults {
		all = append(all, fault.At.Short()+": "+fault.Text)
	}
	return all
}

// A run that did another thing than its plan said is a fault, each way.
func TestAsPlanned(t *testing.T) {
	plan := engine.Plan{}
	add := func(path string, kind recipe.ChangeKind) engine.Planned {
		planned := engine.Planned{Item: recipe.Item{Resource: resource.Directory{Path: path}}, Change: recipe.Change{Kind: kind}}
		plan.Items = append(plan.Items, planned)
		return planned
	}
	add("/same", recipe.NoChange)
	done := []engine.Planned{add("/right", recipe.Create), add("/silent", recipe.NoChange), add("/other", recipe.Create), add("/maybe", recipe.MayBe)}
	done[1].Change.Kind, done[2].Change.Kind, done[3].Change.Kind = recipe.Update, recipe.Update, recipe.Create
	add("/idle", recipe.Update)
	done = append(done, engine.Planned{Item: recipe.Item{Resource: resource.Directory{Path: "/unknown"}}, Change: recipe.Change{Kind: recipe.Create}})
	var p prover
	p.asPlanned(plan, record{changed: done})
	want := []string{
		": directory:/silent changed (update), and the plan had not announced it",
		": directory:/other was announced as create and was update",
		": directory:/idle was announced (update) and did not change",
		": directory:/unknown changed, and was in no plan",
	}
	if got := texts(p.Faults); !slices.Equal(got, want) {
		t.Errorf("found\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// A unit that ran before and after, as another, was restarted: the plan has to say so, of it or of one that takes it along.
func TestUnannounced(t *testing.T) {
	before := map[string]unit{
		"a.service": {active: "active", invocation: "1"}, "b.service": {active: "active", invocation: "1", with: []string{"b2.service"}},
		"b2.service": {active: "active", invocation: "1"}, "c.service": {active: "active", invocation: "1"}, "new.service": {active: "inactive"},
		"d.service": {active: "active", invocation: "1"}, "apt-daily.service": {active: "active", invocation: "1"},
	}
	after := map[string]unit{
		"a.service": {active: "active", invocation: "2"}, "b.service": {active: "active", invocation: "2"}, "b2.service": {active: "active", invocation: "2"},
		"c.service": {active: "active", invocation: "1"}, "new.service": {active: "active", invocation: "1"}, "d.service": {active: "failed", invocation: "1"},
		"apt-daily.service": {active: "inactive"},
	}
	plan := engine.Plan{Items: []engine.Planned{{Item: recipe.Item{Resource: resource.Service{Unit: "b.service"}}, Change: recipe.Change{
		Kind: recipe.Act, Steps: []recipe.Step{recipe.ControlUnit{Unit: "b.service", Verb: recipe.VerbRestart}},
	}}}}
	p := proving(resource.Command{Name: "by hand", Script: "systemctl restart a"})
	p.unannounced(before, after, plan)
	got := texts(p.Faults)
	slices.Sort(got)
	want := []string{": d.service was stopped, and the plan had not announced it", "shop.star:1: a.service was restarted, and the plan had not announced it"}
	if !slices.Equal(got, want) {
		t.Errorf("found\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// Of what a removal leaves, data is what is new in a directory of the task, where data has its place.
func TestData(t *testing.T) {
	p := proving(resource.Directory{Path: "/var/lib/shop"}, resource.Directory{Path: "/etc/shop"}, resource.File{Path: "/var/lib/shop/rules"}, resource.Directory{Path: "/srv/empty"}, resource.User{Name: "anna", Login: true}, resource.User{Name: "batch", Home: "/srv/batch"})
	after := State{{"file", "/var/lib/shop/orders"}: "-", {"file", "/var/lib/shop"}: "d"}
	for path, want := range map[string]bool{
		"/var/lib/shop/orders": true, "/var/lib/shop": true, "/var/lib/shop/rules": false, "/var/lib/other": false,
		"/etc/shop/made": false, "/srv/empty": false, "/home/anna": true, "/home/anna/.profile": true, "/home/annabel": false, "/srv/batch/x": false,
	} {
		kind := "-"
		if path == "/var/lib/shop" || path == "/srv/empty" {
			kind = "d"
		}
		if got := p.data(Difference{Thing{"file", path}, "", kind}, after); got != want {
			t.Errorf("%s: data is %v, want %v", path, got, want)
		}
	}
	if p.data(Difference{Thing{"file", "/var/lib/shop/orders"}, "-", "- other"}, after) {
		t.Error("what was there before is no data of the task")
	}
}

// What was deployed is in no memory: it stays, with its link, until a purge.
func TestReleasesAreData(t *testing.T) {
	p := proving(resource.Directory{Path: "/opt/shop"}, resource.Link{Path: "/opt/shop/current", Target: "releases/1"})
	p.Task.Releases = "/opt/shop"
	for path, want := range map[string]bool{"/opt/shop": true, "/opt/shop/current": true, "/opt/shop/releases/1/bin": true, "/opt/shopping": false} {
		if got := p.data(Difference{Thing{"file", path}, "", "-"}, State{}); got != want {
			t.Errorf("%s: data is %v, want %v", path, got, want)
		}
	}
}

// What a package's daemon keeps is data too, new or another, where the package has a directory for it
// that is not root's; a resource of the task never is.
func TestDataOfDaemons(t *testing.T) {
	bare := State{{"file", "/var/lib/old"}: "drwx------ 9:9"}
	premises := State{{"file", "/var/lib/old"}: "drwx------ 9:9", {"file", "/var/lib/postgresql"}: "drwxr-xr-x 102:104", {"file", "/var/lib/tool"}: "drwxr-xr-x 0:0", {"file", "/etc/postgresql"}: "drwxr-xr-x 102:104"}
	p := proving(resource.File{Path: "/var/lib/postgresql/hba"})
	p.kept = keptByDaemons(bare, premises)
	for path, want := range map[string]bool{
		"/var/lib/postgresql/15/base/1": true, "/var/lib/postgresql/hba": false, "/var/lib/postgresql": false,
		"/var/lib/tool/cache": false, "/var/lib/old/new": false, "/etc/postgresql/15": false,
	} {
		for _, d := range []Difference{{Thing{"file", path}, "", "-"}, {Thing{"file", path}, "- 1", "- 2"}, {Thing{"file", path}, "-", ""}} {
			if got := p.data(d, State{}); got != want {
				t.Errorf("%s: data is %v, want %v", d, got, want)
			}
		}
	}
}

// A certificate stays when its task is removed, with its key, and nothing else there does.
func TestCertificatesStay(t *testing.T) {
	p := proving(resource.Certificate{Path: "/etc/shop/own.pem", Key: "/etc/shop/own.key"}, resource.File{Path: "/etc/shop/page"})
	for path, want := range map[string]bool{"/etc/shop/own.pem": true, "/etc/shop/own.key": true, "/etc/shop": true, "/etc/shop/page": false, "/etc/shop/own": false} {
		if got := p.certificate(path); got != want {
			t.Errorf("%s: it stays as a certificate: %v, want %v", path, got, want)
		}
	}
}

// What packages bring is told of what the task asks about behind them, by the one before it.
func TestBrings(t *testing.T) {
	nginx := resource.Package{Name: "nginx-light", Brings: []recipe.Key{recipe.UnitKey("nginx.service")}}
	p := proving(resource.File{Path: "/etc/before.conf"}, nginx, resource.File{Path: "/etc/nginx/params"}, resource.Service{Unit: "nginx.service"},
		resource.Package{Name: "cron", Brings: []recipe.Key{}}, resource.Directory{Path: "/etc/cron.d"}, resource.File{Path: "/etc/same"}, resource.Service{Unit: "cron.service"}, resource.Package{Name: "gone", Absent: true},
		resource.Deb{Name: "shop", Brings: []recipe.Key{}}, resource.Service{Unit: "shop.service"}, resource.File{Path: "/etc/haproxy.cfg"}, resource.File{Path: "/etc/cron.allow"}, resource.Package{Name: "haproxy", Brings: []recipe.Key{}})
	p.bare = State{{"file", "/etc/same"}: "-"}
	p.Host = &stage{paper: paper{said: "cron: /etc/cron.allow\nhaproxy:amd64: /etc/haproxy.cfg\nadduser, cron: /etc/cron.d\n"}}
	owners, err := p.owners(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	p.brings(State{
		{"file", "/etc/before.conf"}: "-", {"file", "/etc/nginx/params"}: "-", {"unit", "nginx.service"}: "loaded", {"file", "/etc/cron.d"}: "d",
		{"unit", "cron.service"}: "loaded", {"file", "/etc/same"}: "-", {"unit", "shop.service"}: "loaded",
		{"file", "/etc/haproxy.cfg"}: "-", {"file", "/etc/cron.allow"}: "-",
	}, owners)
	want := []Brings{{"nginx-light", recipe.Position{File: "shop.star", Line: 2}, []string{"/etc/nginx/params"}}, {"cron", recipe.Position{File: "shop.star", Line: 5}, []string{"cron.service", "/etc/cron.allow"}},
		{"shop", recipe.Position{File: "shop.star", Line: 10}, []string{"shop.service"}}}
	if !reflect.DeepEqual(p.Brings, want) {
		t.Errorf("found %v, want %v", p.Brings, want)
	}
}

// What a daemon wrote into its own configuration beside lines of the task is its business; a file of the
// task, one of root, and one with another mode are not.
func TestRewritten(t *testing.T) {
	p := proving(resource.Line{Path: "/etc/redis/redis.conf", Line: "port 1"}, resource.Line{Path: "/etc/hosts", Line: "x"}, resource.File{Path: "/etc/redis/users"},
		resource.Line{Path: "/etc/redis/both", Line: "x"}, resource.File{Path: "/etc/redis/both"})
	for d, want := range map[Difference]bool{
		{Thing{"file", "/etc/redis/redis.conf"}, "-rw-r----- 9:9 1 a", "-rw-r----- 9:9 2 b"}: true,
		{Thing{"file", "/etc/redis/redis.conf"}, "-rw-r----- 9:9 1 a", "-rw-r--r-- 9:9 2 b"}: false,
		{Thing{"file", "/etc/redis/redis.conf"}, "", "-rw-r----- 9:9 2 b"}:                   false,
		{Thing{"file", "/etc/redis/users"}, "-rw-r----- 9:9 1 a", "-rw-r----- 9:9 2 b"}:      false,
		{Thing{"file", "/etc/redis/both"}, "-rw-r----- 9:9 1 a", "-rw-r----- 9:9 2 b"}:       false,
		{Thing{"file", "/etc/redis/other"}, "-rw-r----- 9:9 1 a", "-rw-r----- 9:9 2 b"}:      false,
		{Thing{"file", "/etc/hosts"}, "-rw-r--r-- 0:0 1 a", "-rw-r--r-- 0:0 2 b"}:            false,
	} {
		if got := p.rewritten(d); got != want {
			t.Errorf("%s: rewritten is %v, want %v", d, got, want)
		}
	}
}

// Commands are killed in their middle before anything else is, and no more moments are tried than asked.
func TestChooseMoments(t *testing.T) {
	step := func(number int, resource, title string) recorded {
		return recorded{engine.StepBegan{Number: number, Resource: resource, Title: title}, 2 * time.Second}
	}
	steps := []recorded{step(1, "file:/a", "write /a"), step(2, "command:x", "note: restart a.service"), step(3, "command:x", "x"), step(4, "file:/b", "write /b")}
	for n, want := range map[int]int{0: 0, 1: 1, 3: 3, 9: 4} {
		moments := chooseMoments(steps, n, 7)
		if len(moments) != want {
			t.Errorf("%d moments of %d, want %d", len(moments), n, want)
		}
		if n > 0 && (moments[0].step.Number != 3 || moments[0].after != time.Second) {
			t.Errorf("the first moment is %s", moments[0])
		}
		if !slices.Equal(moments, chooseMoments(steps, n, 7)) {
			t.Error("the same seed chooses others")
		}
	}
}

// Everybody reads what the modes of the file and of all above it allow.
func TestEverybody(t *testing.T) {
	p := proving()
	p.installed = State{
		{"file", "/open"}: "drwxr-xr-x 0:0", {"file", "/open/read"}: "-rw-r--r-- 0:0 1 x", {"file", "/open/kept"}: "-rw-r----- 0:0 1 x",
		{"file", "/shut"}: "drwxr-x--- 0:0", {"file", "/shut/read"}: "-rw-r--r-- 0:0 1 x",
		{"file", "/sticky"}: "dtrwxrwxrwx 0:0", {"file", "/sticky/read"}: "-rw-r--r-- 0:0 1 x",
	}
	for path, want := range map[string]bool{"/open/read": true, "/open/kept": false, "/shut/read": false, "/sticky/read": true} {
		if got := p.everybody(path); got != want {
			t.Errorf("%s: everybody reads it: %v, want %v", path, got, want)
		}
	}
}

// A file that is opened is seen; what is behind a link is left alone, for it may be this machine's.
func TestWatch(t *testing.T) {
	root, outside := t.TempDir(), t.TempDir()
	for _, path := range []string{filepath.Join(root, "etc/read"), filepath.Join(root, "etc/alone"), filepath.Join(outside, "mine")} {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("x"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(outside, filepath.Join(root, "link")); err != nil {
		t.Fatal(err)
	}
	w, err := newWatch()
	if err != nil {
		t.Fatal(err)
	}
	defer w.close()
	for _, path := range []string{"/etc/read", "/etc/alone", "/etc/none", "/etc", "/link/mine"} {
		if err := w.add(root, path); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range []string{filepath.Join(root, "etc/read"), filepath.Join(outside, "mine")} {
		if _, err := os.ReadFile(path); err != nil {
			t.Fatal(err)
		}
	}
	opened, err := w.opened()
	if err != nil || len(opened) != 1 || !opened["/etc/read"] {
		t.Errorf("opened are %v, %v", opened, err)
	}
}
