package acceptance

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"provision/internal/lab"
	"provision/internal/lab/labtest"
)

// ownTask is a project with one task: an account, directories, files, a secret, another task
// that it needs, and a service.
var ownTask = map[string]string{
	"tasks/shop/task.star": `"""A page of its own behind nginx."""

variables = [
    var("domain", str, default = "shop.example.org"),
    var("token", secret),
]
needs = ["nginx"]

def build(v, host):
    unit = "shop.service"
    return [
        user("shop", home = "/var/lib/shop"),
        directory("/var/lib/shop", owner = "shop", group = "shop"),
        directory("/etc/shop", mode = "0750", group = "shop"),
        file("/etc/shop/env", template("env.tmpl", token = v.token), mode = "0640", group = "shop", notify = restart(unit)),
        file("/usr/local/bin/shop", source = "shop", mode = "0755", notify = restart(unit)),
        file("/etc/systemd/system/" + unit, template("shop.service.tmpl", release = host.codename), notify = restart(unit)),
        file("/etc/nginx/sites-available/shop", template("site.tmpl", domain = v.domain), notify = reload("nginx.service")),
        link("/etc/nginx/sites-enabled/shop", "/etc/nginx/sites-available/shop", notify = reload("nginx.service")),
        line("/etc/hosts", "127.0.0.1 " + v.domain, key = "127.0.0.1 " + v.domain),
        command("write the first page", "echo first >/var/lib/shop/first", unless = "test -s /var/lib/shop/first"),
        service(unit),
    ]

def verify(v, host):
    return [
        http("http://127.0.0.1/", host = v.domain, contains = "codename=" + host.codename, within = "10s"),
        http("http://$HOST/", host = v.domain, contains = "token of 13", outside = True, within = "10s"),
    ]

actions = [
    action("backup", "cp /var/lib/shop/index.html \"$to\" && printf '%s has %s, a token of %s and a pin of %s\\n' \"$to\" \"$domain\" \"${#token}\" \"${#pin}\"; exit \"$code\"", args = [
        var("to", str), var("pin", secret), var("code", int, default = 0),
    ]),
]
`,
	"tasks/shop/files/shop": `#!/bin/sh
echo "codename=$CODENAME, a token of ${#TOKEN}" >/var/lib/shop/index.html
exec sleep infinity
`,
	"tasks/shop/templates/env.tmpl":          "TOKEN={{ lineValue .token }}\n",
	"tasks/shop/templates/shop.service.tmpl": "[Service]\nUser=shop\nEnvironment=CODENAME={{ unitValue .release }}\nEnvironmentFile=/etc/shop/env\nExecStart=/usr/local/bin/shop\n[Install]\nWantedBy=multi-user.target\n",
	"tasks/shop/templates/site.tmpl":         "server {\n\tlisten 80;\n\tserver_name {{ nginxValue .domain }};\n\troot /var/lib/shop;\n}\n",
}

// writeProject writes files into a folder.
func writeProject(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// A task of the user's own is planned, installed, proved and found as it should be, as any that
// ships; its secret is nowhere but in its file.
func TestOwnTask(t *testing.T) {
	onEach(t, today(t), "labown", bare, func(t *testing.T, _ *lab.Lab, host machine) {
		project := t.TempDir()
		writeProject(t, project, ownTask)
		inProject := func(args ...string) ended {
			c := command(t, args...)
			c.Dir, c.Env = project, append(c.Env, "TOKEN=correct-horse")
			ended := finish(t, c)
			if strings.Contains(ended.stdout+ended.stderr, "correct-horse") {
				t.Errorf("%s tells the secret", ended.line)
			}
			return ended
		}
		with := []string{"-l", host.Name, "-e", "shop.token=@env:TOKEN"}
		inProject("check", "-e", "shop.token=@env:TOKEN").exits(t, 0)
		plan := only(t, inProject(append([]string{"plan", "shop", "--json"}, with...)...).exits(t, 0).events(t), "plan", host.Name)
		for _, r := range plan.Resources {
			if r.Resource == "file:/etc/shop/env" && (r.At != "tasks/shop/task.star:15" || r.Content.Form != "secret") {
				t.Errorf("the secret file is at %s, and shown as %s", r.At, r.Content.Form)
			}
		}
		inProject(append([]string{"install", "shop", "-y"}, with...)...).exits(t, 0)
		if got := host.read(t, "/etc/shop/env"); got != "TOKEN=correct-horse\n" {
			t.Errorf("the secret is %q", got)
		}
		again := only(t, inProject(append([]string{"install", "shop", "-y", "--json"}, with...)...).exits(t, 0).events(t), "finished", host.Name)
		if again.Status != "same" || again.Changed != 0 {
			t.Errorf("the second run ended %s, and changed %d", again.Status, again.Changed)
		}
		inProject(append([]string{"verify", "shop"}, with...)...).exits(t, 0)
		host.run(t, "systemctl stop nginx")
		if failed := inProject(append([]string{"verify", "shop"}, with...)...).exits(t, 3); !strings.Contains(failed.stderr, "tasks/shop/task.star:28") {
			t.Errorf("a check that fails does not say where it stands: %s", failed.stderr)
		}
		changed := inProject(append([]string{"install", "shop", "-y", "-v", "-e", "shop.domain=other.example.org"}, with...)...).exits(t, 0)
		if !strings.Contains(changed.stdout+changed.stderr, "tasks/shop/task.star:18") {
			t.Errorf("-v does not say which line wants it: %s", changed.stderr)
		}
		backup := append([]string{"do", "shop", "backup", "-y", "-e", "to=/root/it's a backup", "-e", "pin=@env:TOKEN"}, with...)
		done := inProject(backup...).exits(t, 0)
		if !strings.Contains(done.stdout, "/root/it's a backup has shop.example.org, a token of 13 and a pin of 13") || !strings.Contains(host.read(t, "/root/it's a backup"), "codename=") {
			t.Errorf("the action printed %s", done.stdout)
		}
		if failed := inProject(append(backup, "-e", "code=7")...).exits(t, 3); !strings.Contains(failed.stderr, "exit status 7") {
			t.Errorf("an action that fails ends with %s", failed.stderr)
		}
		if said := inProject("journal", "-l", host.Name).exits(t, 0).stdout; !strings.Contains(said, "do shop backup  by ") || !strings.Contains(said, `backup to='/root/it'\''s a backup'`) {
			t.Errorf("the journal has %s", said)
		}
	})
}

// TestFirstTask goes the way of docs/your-first-task.md, as a reader would, command by command.
func TestFirstTask(t *testing.T) {
	t.Parallel()
	labtest.Open(t)
	turn(t)
	home := t.TempDir()
	ownLab1(t)
	environment := append(readerLab(t, "first"), "HOME="+home, "NO_COLOR=1", "LANG=C.UTF-8", "PATH="+os.Getenv("PATH"))
	follow(t, "../docs/your-first-task.md", home, environment)
}

// follow does what a page says: writes each file that it has, and runs each command.
func follow(t *testing.T, page, home string, environment []string) {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	for _, block := range fenced(string(text)) {
		if block.kind != "sh" {
			if name, found := strings.CutPrefix(strings.SplitN(block.text, "\n", 2)[0], "# "); found {
				writeProject(t, home, map[string]string{name: block.text})
			}
			continue
		}
		for line := range strings.Lines(block.text) {
			typed, _, _ := strings.Cut(line, "  #")
			c := command(t)
			c.Path, c.Args = "/bin/sh", []string{"sh", "-ec", typed}
			c.Dir, c.Env = home, append(environment, "PATH="+filepath.Dir(executable(t))+":"+os.Getenv("PATH"))
			finish(t, c).exits(t, 0)
		}
	}
}

// block is a fenced part of a page.
type block struct{ kind, text string }

func fenced(page string) []block {
	var all []block
	for i, part := range strings.Split(page, "```") {
		if i%2 == 1 {
			kind, text, _ := strings.Cut(part, "\n")
			all = append(all, block{kind, text})
		}
	}
	return all
}
