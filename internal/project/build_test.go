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
	in := recipe.Input{Vars: recipe.Values{}, Platform: recipe.Platforms()[0], Host: recipe.Listed{Name: "web1", Address: "web1.example.org", Groups: []string{"web", "front"}, Tasks: []string{"nginx", "shop"}}}
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

// A secret is filled in where a file's content has it, and makes the file secret; print masks it.
func TestSecrets(t *testing.T) {
	p, printed := open(t, `
-- tasks/shop.star --
variables = [var("token", secret, default = None), var("word", str)]

def build(v, host):
    print("the token is", v.token, "and %s" % v.token)
    return [
        file("/a", template("a.tmpl", token = v.token)),
        file("/b", "token = %s, {}\n".format(v.token) % v.token),
        file("/c", "a" + v.token + "b"),
        file("/d", template("a.tmpl", token = "x-" + v.token)),
        file("/e", template("b.tmpl", tokens = [{"token": v.token}])),
        line("/f", "token " + v.token, key = "token "),
        command("log in", "shop login", unless = "false", input = "%s\n" % v.token),
        file("/g", "set" if v.token else "not set"),
        file("/h", v.word, absent = False),
        file("/i", v.token),
    ]
-- tasks/templates/a.tmpl --
{{ iniValue .token }}
-- tasks/templates/b.tmpl --
{{ range .tokens }}{{ .token }}{{ end }}
`)
	if of := p.Tasks()[0].Variables; of[0].Needed || !of[1].Needed {
		t.Error("default = None has to be set, or no default need not be")
	}
	const text, escaped = "50%", "50%%\n"
	r := built(t, p, recipe.Values{"token": recipe.NewSecret(text), "word": "open"})
	want := map[string]resource.File{
		"/a": {Content: escaped, Secret: true}, "/b": {Content: "token = " + text + ", " + text + "\n", Secret: true},
		"/c": {Content: "a" + text + "b", Secret: true}, "/d": {Content: "x-" + escaped, Secret: true}, "/e": {Content: text + "\n", Secret: true},
		"/g": {Content: "set"}, "/h": {Content: "open"}, "/i": {Content: text, Secret: true},
	}
	for _, one := range listed(r) {
		switch got := one.(type) {
		case resource.File:
			if w := want[got.Path]; got.Content != w.Content || got.Secret != w.Secret {
				t.Errorf("%s: %q %v, want %q %v", got.Path, got.Content, got.Secret, w.Content, w.Secret)
			}
		case resource.Line:
			if got.Line != "token "+text || !got.Secret {
				t.Errorf("the line is %q, secret %v", got.Line, got.Secret)
			}
		case resource.Command:
			if got.Input.Reveal() != text+"\n" {
				t.Errorf("the input is %q", got.Input.Reveal())
			}
		}
	}
	if want := []string{"tasks/shop.star:4: the token is [secret] and [secret]"}; !reflect.DeepEqual((*printed)[:1], want) {
		t.Errorf("printed %q, want %q", *printed, want)
	}
}

// A file is as secret without its secret as with it: what stands there before may have one.
func TestNoSecret(t *testing.T) {
	p, _ := open(t, `
-- tasks/shop.star --
variables = [var("token", secret)]

def build(v, host):
    return [file("/a", "token " + v.token), file("/b", "set" if v.token else "not set")]
`)
	want := []recipe.Resource{resource.File{Path: "/a", Content: "token ", Secret: true}, resource.File{Path: "/b", Content: "not set"}}
	if got := listed(built(t, p, nil)); !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
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

// What only some tasks ask is asked where it is read, and is made up until it is known.
func TestAskedFacts(t *testing.T) {
	p, _ := open(t, `
-- tasks/shop.star --
def build(v, host):
    return [file("/etc/shop", " ".join([host.address] + host.tasks + host.addresses + [host.interface, host.virtualization, host.boot_id]))]
`)
	task := p.Tasks()[0]
	in := input(task, nil)
	content := func() string {
		r, err := task.Build(in)
		if err != nil {
			t.Fatal(err)
		}
		return r.Items[0].Resource.(resource.File).Content
	}
	if got, want := content(), "web1.example.org nginx shop 192.0.2.1 eth0 kvm 00000000-0000-0000-0000-000000000000"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	says := map[string]recipe.Said{"addresses": {Text: "10.0.0.1 fd00::1"}, "interface": {}, "virtualization": {Text: "none"}, "boot_id": {Text: "x"}}
	in.Ask = func(question recipe.Probe, _ string) (recipe.Said, bool) {
		said, known := says[question.Key.Name]
		return said, known
	}
	if got, want := content(), "web1.example.org nginx shop 10.0.0.1 fd00::1  none x"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	says["virtualization"] = recipe.Said{Problem: "ends with 127"}
	_, err := task.Build(in)
	if err == nil || recipe.Guessed(err) || err.Error() != "tasks/shop.star:2:108: host.virtualization: the host's answer ends with 127" {
		t.Errorf("%v", err)
	}
}

// Peers are those that a run knows, of the task itself or of another.
func TestPeers(t *testing.T) {
	p, _ := open(t, `
-- tasks/shop.star --
variables = [var("port", int), var("names", list, default = []), var("token", secret)]

def build(v, host):
    others = [p for p in host.peers("nginx") if p.name != host.name]
    return [
        file("/etc/all", "".join(["%s %s %d %s\n" % (p.name, p.address, p.vars.port, ",".join(p.groups + p.vars.names)) for p in host.peers()])),
        file("/etc/others", ",".join([p.name for p in others])),
    ]
`)
	task := p.Tasks()[0]
	in := input(task, nil)
	var asked []string
	in.Peers = func(task string) ([]recipe.Peer, error) {
		asked = append(asked, task)
		return twoPeers(task)
	}
	r, err := task.Build(in)
	if err != nil {
		t.Fatal(err)
	}
	want := []recipe.Resource{
		resource.File{Path: "/etc/all", Content: "web1 web1.example.org 80 web,a\nweb2 10.0.0.2 81 \n"}, resource.File{Path: "/etc/others", Content: "web2"},
	}
	if got := listed(r); !reflect.DeepEqual(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if want := []string{"nginx", "shop"}; !reflect.DeepEqual(asked, want) {
		t.Errorf("asked for the peers of %q, want %q", asked, want)
	}
}

// What is made up before a host is asked says so of an error, and the host's own does not.
func TestGuessedFacts(t *testing.T) {
	p, _ := open(t, `
-- tasks/shop.star --
def build(v, host):
    if host.cpus < 4:
        fail("%d processors are too few" % host.cpus)
    return [file("/etc/shop", "%d %d %s" % (min(host.cpus, 8), host.memory_mb // 2, host.hostname))]

def verify(v, host):
    return [runs("true") for x in range(host.release)] + [None]
`)
	task := p.Tasks()[0]
	in := input(task, nil)
	in.Guess = true
	if _, err := task.Build(in); !recipe.Guessed(err) {
		t.Errorf("it is an error before the host was asked: %v", err)
	}
	if _, err := task.Verify(in); err == nil || recipe.Guessed(err) {
		t.Errorf("it is none: %v", err)
	}
	in.Guess = false
	if _, err := task.Build(in); err == nil || recipe.Guessed(err) {
		t.Errorf("it is no error of the host's own: %v", err)
	}
	in.Platform.CPUs, in.Platform.MemoryMB, in.Platform.Hostname = 16, 2048, "web1"
	r, err := task.Build(in)
	if err != nil {
		t.Fatal(err)
	}
	if want := (resource.File{Path: "/etc/shop", Content: "8 1024 web1"}); !reflect.DeepEqual(r.Items[0].Resource, want) {
		t.Errorf("%+v", r.Items[0].Resource)
	}
}
