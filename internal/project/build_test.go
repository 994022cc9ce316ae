package project

import (
	"fmt"
	"os"
	"reflect"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"provision/internal/recipe"
	"provision/internal/resource"
)

// open reads a project of an archive's text.
func open(t testing.TB, text string) (*Project, *[]string) {
	t.Helper()
	unpack(t, txtar.Parse([]byte(text)))
	var printed []string
	p, err := Open(".", Options{Shipped: shipped(), Print: func(at recipe.Position, text string) {
		printed = append(printed, at.Short()+": "+text)
	}})
	if err != nil {
		t.Fatal(err)
	}
	return p, &printed
}

// twoPeers are those of any task.
func twoPeers(task string) ([]recipe.Peer, error) {
	return []recipe.Peer{
		{Listed: recipe.Listed{Name: "web1", Address: "web1.example.org", Groups: []string{"web"}}, Vars: recipe.Values{"port": 80, "names": []string{"a"}}, Secrets: []string{"token"}},
		{Listed: recipe.Listed{Name: "web2", Address: "10.0.0.2"}, Vars: recipe.Values{"port": 81, "names": []string(nil)}, Secrets: []string{"token"}},
	}, nil
}

func input(task recipe.Task, given recipe.Values) recipe.Input {
	platform := recipe.Platforms()[0]
	in := recipe.Input{Vars: recipe.Values{}, System: platform.System, Host: recipe.HostOf(recipe.Listed{Name: "web1", Address: "web1.example.org", Groups: []string{"web", "front"}, Tasks: []string{"nginx", "shop"}}, platform)}
	for _, v := range task.Variables {
		in.Vars[v.Name] = v.Zero()
		if value, there := given[v.Name]; there {
			in.Vars[v.Name] = value
		}
	}
	return in
}

func built(t testing.TB, p *Project, given recipe.Values) recipe.Recipe {
	t.Helper()
	task := p.Tasks()[0]
	r, err := task.Build(input(task, given))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// listed are a recipe's, without their places.
func listed(r recipe.Recipe) []recipe.Resource {
	var all []recipe.Resource
	for _, item := range r.Items {
		all = append(all, item.Resource)
	}
	return all
}

const everything = `
-- tasks/shop/task.star --
"""The shop.

It sells
things.

And more.
"""
load("site.star", "site")
variables = [
    var("domain", str, default = "shop.example.org", help = "Name."),
    var("mode", str, default = "a", choices = ["a", "b"]),
    var("workers", int, default = 2, min = 1, max = 64),
    var("tls", bool, default = True),
    var("names", list, default = ["a", "b"]),
    var("token", secret),
    var("sites", records, fields = ["name", "port"], default = [{"name": "x", "port": "1"}]),
]
needs = ["nginx"]

def build(v, host):
    return [
        user("shop", home = "/var/lib/shop"),
        group("deploy"),
        membership("shop", "deploy"),
        directory("/etc/shop", mode = "0750", group = "shop"),
        file("/etc/shop/a", "domain %s\n" % v.domain, notify = [restart("shop.service"), reload("nginx.service")]),
        file("/etc/shop/b", template("b.tmpl", names = v.names, workers = v.workers)),
        file("/etc/shop/c", source = "motd", owner = "shop"),
        file("/etc/shop/d", "key @KEY@\n", fill = {"@KEY@": "/etc/shop/key"}),
        generated("/etc/shop/key", length = 64),
        link("/etc/shop/e", "a"),
        line("/etc/hosts", "127.0.0.1 shop", key = "127.0.0.1 "),
        package("gunicorn", brings = ["/etc/gunicorn", "shop.service", "user:shop"], restarts = ["shop.service"]),
        command("migrate", "shop migrate", unless = "shop check", reads = ["/etc/shop/a"], timeout = "90s"),
        link("/etc/nginx/sites-enabled/default", absent = True),
        [site(name["name"], name["port"]) for name in v.sites],
        service("shop.service", listens = ["/run/shop.sock"], oneshot = v.tls),
        service("nginx.service"),
    ] + ([file("/etc/shop/f", host.codename + " " + host.name + " " + ",".join(host.groups))] if host.release < 13 else [])

def verify(v, host):
    return [
        http("http://127.0.0.1/health", host = v.domain, contains = "ok", within = "10s"),
        tcp("127.0.0.1:80", name = "it listens"),
        tcp("$HOST:81", closed = True, outside = True, after = "it listens"),
        runs("true\nfalse", status = 1, contains = "x"),
        http("https://$HOST/", status = 401, user = "a", password = v.token, insecure = True, outside = True),
    ]
-- tasks/shop/site.star --
def site(name, port):
    return file("/etc/nginx/sites-available/" + name, "listen %s;\n" % port)
-- tasks/shop/templates/b.tmpl --
{{ range .names }}{{ iniName . }} {{ end }}{{ .workers }}
-- tasks/shop/files/motd --
Hello
`

func TestBuild(t *testing.T) {
	p, _ := open(t, everything)
	r := built(t, p, nil)
	want := []recipe.Resource{
		resource.User{Name: "shop", Home: "/var/lib/shop"},
		resource.Group{Name: "deploy"},
		resource.Membership{User: "shop", Group: "deploy"},
		resource.Directory{Path: "/etc/shop", Attributes: recipe.Attributes{Mode: 0o750, Group: "shop"}},
		resource.File{Path: "/etc/shop/a", Content: "domain shop.example.org\n"},
		resource.File{Path: "/etc/shop/b", Content: "a b 2\n"},
		resource.File{Path: "/etc/shop/c", Content: "Hello\n", Attributes: recipe.Attributes{Owner: "shop"}},
		resource.File{Path: "/etc/shop/d", Content: "key @KEY@\n", Fill: map[string]string{"@KEY@": "/etc/shop/key"}},
		resource.Secret{Path: "/etc/shop/key", Length: 64},
		resource.Link{Path: "/etc/shop/e", Target: "a"},
		resource.Line{Path: "/etc/hosts", Line: "127.0.0.1 shop", Key: "127.0.0.1 "},
		resource.Package{Name: "gunicorn", Brings: []recipe.Key{
			recipe.PathKey("/etc/gunicorn"), recipe.UnitKey("shop.service"), recipe.UserKey("shop"),
		}, Restarts: []string{"shop.service"}},
		resource.Command{Name: "migrate", Script: "shop migrate", Unless: "shop check", Reads: []recipe.Key{recipe.PathKey("/etc/shop/a")}, Timeout: 90 * time.Second},
		resource.Link{Path: "/etc/nginx/sites-enabled/default", Absent: true},
		resource.File{Path: "/etc/nginx/sites-available/x", Content: "listen 1;\n"},
		resource.Service{Unit: "shop.service", Listens: []string{"/run/shop.sock"}, Oneshot: true},
		resource.Service{Unit: "nginx.service"},
		resource.File{Path: "/etc/shop/f", Content: "bookworm web1 web,front"},
	}
	if diff := cmp.Diff(want, listed(r), cmp.Comparer(func(a, b recipe.Secret) bool { return a == b })); diff != "" {
		t.Error(diff)
	}
	notifies := []recipe.Notification{{Unit: "shop.service", Action: recipe.Restart}, {Unit: "nginx.service", Action: recipe.Reload}}
	if !reflect.DeepEqual(r.Items[4].Notifies, notifies) {
		t.Errorf("notifies %v", r.Items[4].Notifies)
	}
	for i, want := range map[int]string{0: "tasks/shop/task.star:22:9", 14: "tasks/shop/site.star:2:12"} {
		if got := r.Items[i].At.String(); got != want {
			t.Errorf("%s is at %s, want %s", r.Items[i].Resource.ID(), got, want)
		}
	}
	if got, want := r.Items[14].At.Short(), "tasks/shop/site.star:2, by tasks/shop/task.star:36"; got != want {
		t.Errorf("it is at %s, want %s", got, want)
	}
}

func TestTask(t *testing.T) {
	p, _ := open(t, everything)
	task := p.Tasks()[0]
	if task.Name != "shop" || task.Summary != "The shop." || task.About != "It sells things.\n\nAnd more." || !reflect.DeepEqual(task.Needs, []string{"nginx"}) {
		t.Errorf("%q %q %q %q", task.Name, task.Summary, task.About, task.Needs)
	}
	want := []string{
		"domain string shop.example.org", "mode string a", "workers int 2", "tls bool true", "names list [a b]",
		"token secret [secret]", "sites records [map[name:x port:1]]",
	}
	for i, v := range task.Variables {
		if got := fmt.Sprintf("%s %s %v", v.Name, v.Type, v.Zero()); got != want[i] {
			t.Errorf("%s, want %s", got, want[i])
		}
	}
	for i, v := range task.Variables {
		if want := v.Name == "token"; v.Needed != want {
			t.Errorf("%s (%d): it has to be set: %v", v.Name, i, v.Needed)
		}
	}
	if _, err := task.Variables[1].Decode("c"); err == nil {
		t.Error("a value that is none of the choices is taken")
	}
	for n, good := range map[int]bool{0: false, 1: true, 64: true, 65: false} {
		if _, err := task.Variables[2].Decode(n); (err == nil) != good {
			t.Errorf("workers %d: %v", n, err)
		}
	}
}

func TestChecks(t *testing.T) {
	p, _ := open(t, everything)
	task := p.Tasks()[0]
	token := recipe.NewSecret("correct-horse")
	got, err := task.Verify(input(task, recipe.Values{"token": token}))
	if err != nil {
		t.Fatal(err)
	}
	for i := range got {
		if at := got[i].At.Short(); !strings.HasPrefix(at, "tasks/shop/task.star:4") {
			t.Errorf("%s is at %s", got[i].Name, at)
		}
		got[i].At = recipe.Position{}
	}
	want := []recipe.Check{
		{Name: "http://127.0.0.1/health answers 200", From: recipe.FromHost, Within: 10 * time.Second, HTTP: &recipe.HTTPCheck{
			URL: "http://127.0.0.1/health", Header: map[string]string{"Host": "shop.example.org"}, Status: 200, Contains: "ok",
		}},
		{Name: "it listens", From: recipe.FromHost, TCP: &recipe.TCPCheck{Address: "127.0.0.1:80"}},
		{Name: "$HOST:81 is closed", From: recipe.FromController, Needs: "it listens", TCP: &recipe.TCPCheck{Address: "$HOST:81", Closed: true}},
		{Name: "true", From: recipe.FromHost, Command: &recipe.CommandCheck{Script: "true\nfalse", Exit: 1, Contains: "x"}},
		{Name: "https://$HOST/ answers 401", From: recipe.FromController, HTTP: &recipe.HTTPCheck{
			URL: "https://$HOST/", Status: 401, User: "a", Password: token, Insecure: true,
		}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// Builds go on beside each other, and each returns the same.
func TestSideBySide(t *testing.T) {
	p, _ := open(t, everything)
	want := listed(built(t, p, recipe.Values{"token": recipe.NewSecret("x")}))
	task := p.Tasks()[0]
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			r, err := task.Build(input(task, recipe.Values{"token": recipe.NewSecret("x")}))
			if err != nil || !reflect.DeepEqual(listed(r), want) {
				t.Errorf("another recipe: %v", err)
			}
		})
	}
	all.Wait()
}

// A folder without tasks is a project without any.
func TestNoTasks(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, folder := range []string{".", "nowhere"} {
		if p, err := Open(folder, Options{}); err != nil || len(p.Tasks()) > 0 {
			t.Errorf("%s: %v", folder, err)
		}
	}
	if err := os.Mkdir("tasks", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("tasks/nginx.go", nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if p, err := Open(".", Options{}); err != nil || len(p.Tasks()) > 0 {
		t.Errorf("%v", err)
	}
}

// goesBy is a manual page, or another text that others can look up.
var goesBy = regexp.MustCompile(`^([a-z0-9_.-]+\([1-8]\)|pkg\.go\.dev/.+|RFC [0-9]+|POSIX\.1-2017, .+)$`)

// Each word is documented, and its example can be read.
func TestWords(t *testing.T) {
	for _, w := range Words(shipped()) {
		if w.About == "" || !strings.HasSuffix(w.About, ".") || w.Example == "" {
			t.Errorf("%s: not told", w.Name)
		}
		if (w.Leaves != "") != (w.Group == Resources || w.Group == Parts) || w.Leaves != "" && !strings.HasSuffix(w.Leaves, ".") {
			t.Errorf("%s: how it leaves: %q", w.Name, w.Leaves)
		}
		own := w.Group == Variables || w.Group == Facts || w.Group == Exports || w.Group == Hosts || w.Group == Tests
		if !goesBy.MatchString(w.Manual) != own || own && w.Manual != "" {
			t.Errorf("%s: goes by %q", w.Name, w.Manual)
		}
		seen := map[string]bool{}
		for _, p := range w.Parameters {
			if p.Help == "" || p.Type == "" || !strings.HasSuffix(p.Help, ".") || seen[p.Name] {
				t.Errorf("%s: %s: not told", w.Name, p.Name)
			}
			seen[p.Name] = true
		}
	}
}
