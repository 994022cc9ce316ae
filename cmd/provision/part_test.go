package main

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"provision/internal/model"
	"provision/internal/project"
	"provision/internal/recipe"
	"provision/tasks"
)

// withPart returns the tasks of a project whose own task shop has a part by its example, and those that
// ship.
func withPart(t *testing.T, needs, example string) catalogue {
	t.Helper()
	return withTask(t, needs+"variables = [var(\"domain\", str, default = \"shop.example.org\")]\n\ndef build(v, host):\n    return ["+example+"]\n")
}

func withTask(t *testing.T, text string) catalogue {
	t.Helper()
	t.Chdir(t.TempDir())
	for _, dir := range []string{"tasks", "templates"} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range map[string]string{"tasks/shop.star": text, "templates/site.tmpl": "server { listen 80; server_name {{ nginxValue .domain }}; }\n"} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	own, err := project.Open(".", project.Options{Shipped: tasks.All()})
	if err != nil {
		t.Fatal(err)
	}
	return append(catalogue(tasks.All()), own.Tasks()...)
}

// built returns the recipe of a task and those of what it needs, as a run builds them.
func (c catalogue) built(t *testing.T, name string, platform recipe.Platform, set recipe.Values) ([]model.Task, error) {
	t.Helper()
	values := func(name string) recipe.Values {
		at := slices.Index(c.names(), name)
		all := recipe.Values{}
		for _, v := range c[at].Variables {
			all[v.Name] = v.Zero()
			if given, there := set[name+"."+v.Name]; there {
				all[v.Name] = given
			}
		}
		return all
	}
	named, err := c.find([]string{name})
	if err != nil {
		t.Fatal(err)
	}
	if named, err = c.whole(named); err != nil {
		t.Fatal(err)
	}
	var all []model.Task
	for _, task := range named {
		built, err := task.Build(recipe.Input{Vars: values(task.Name), System: platform.System, Of: values, Host: recipe.HostOf(recipe.Listed{Name: "web1"}, platform)})
		if err != nil {
			return nil, err
		}
		built.Label(task.Name)
		all = append(all, model.Task{Name: task.Name, Recipe: built})
	}
	return all, nil
}

// Each part of a task that ships can be said as its example has it: on a bare host of every platform it
// is made, beside its task, and then nothing is left to do. Where a task does not need that, it is
// refused at its line.
func TestEveryPart(t *testing.T) {
	for _, task := range tasks.All() {
		for _, part := range task.Parts {
			t.Run(task.Name+"."+part.Name, func(t *testing.T) {
				for _, text := range []string{part.About, part.Leaves} {
					if !strings.HasSuffix(text, ".") {
						t.Errorf("not told: %q", text)
					}
				}
				needs := "needs = [\"" + task.Name + "\"]"
				all := withPart(t, needs+"\n", part.Example)
				for _, platform := range recipe.Platforms() {
					built, err := all.built(t, "shop", platform, nil)
					if err != nil {
						t.Fatal(err)
					}
					host := model.NewDebian(platform)
					if plan, err := host.Install(built...); err != nil || plan.Empty() {
						t.Fatalf("%d: it changes nothing, or %v", platform.Release, err)
					}
					if again, err := host.Install(built...); err != nil || !again.Empty() {
						t.Errorf("%d: then it wants %s, %v", platform.Release, model.Text(again), err)
					}
				}
				var refused *recipe.SourceError
				_, err := withPart(t, "", part.Example).built(t, "shop", recipe.Platforms()[0], nil)
				if !errors.As(err, &refused) || refused.At.Line != 4 || refused.Advice != needs {
					t.Errorf("without its task: %v", err)
				}
			})
		}
	}
}

// What a part says that it gives, it gives, and nothing else.
func TestPartsGiveWhatTheySay(t *testing.T) {
	of := func(name string) recipe.Values {
		all := recipe.Values{}
		for _, v := range tasks.All()[slices.Index(catalogue(tasks.All()).names(), name)].Variables {
			all[v.Name] = v.Zero()
		}
		return all
	}
	for _, task := range tasks.All() {
		for _, part := range task.Parts {
			in := recipe.Input{Vars: recipe.Values{"name": "shop"}, System: recipe.Platforms()[0].System, Of: of}
			for _, v := range part.Variables {
				if v.Name != "name" {
					in.Vars[v.Name] = v.Zero()
				}
			}
			if _, there := in.Vars["wsgi"]; there {
				in.Vars["wsgi"] = "/srv/shop/wsgi.py"
			}
			_, gives, err := part.Build(in)
			if err != nil || len(gives) != len(part.Gives) {
				t.Errorf("%s.%s gives %v, %v", task.Name, part.Name, gives, err)
			}
			for _, g := range part.Gives {
				if gives[g.Name] == "" || !strings.HasSuffix(g.Help, ".") {
					t.Errorf("%s.%s: %s is %q", task.Name, part.Name, g.Name, gives[g.Name])
				}
			}
		}
	}
}

// What one part gives, another takes.
func TestPartsFitTogether(t *testing.T) {
	all := withTask(t, `needs = ["nginx", "uwsgi", "postgresql"]

def build(v, host):
    database = postgresql.database("shop")
    app = uwsgi.app("shop", "/srv/wsgi.py", environment = ["DATABASE=" + database.url])
    tls = nginx.tls("shop", ["shop.example.org"])
    return [tls, file("/etc/shop", " ".join([tls.certificate, tls.key, app.socket]), notify = restart(app.unit)), database, app]
`)
	built, err := all.built(t, "shop", recipe.Platforms()[0], nil)
	if err != nil {
		t.Fatal(err)
	}
	if plan, err := model.NewDebian(recipe.Platforms()[0]).Install(built...); err != nil || plan.Empty() {
		t.Error(err)
	}
}

// An application takes the place of no unit of a package.
func TestAppHidesNoUnit(t *testing.T) {
	all := withTask(t, "needs = [\"uwsgi\"]\n\ndef build(v, host):\n    return [uwsgi.app(\"postsrsd\", \"/srv/wsgi.py\")]\n")
	built, err := all.built(t, "shop", recipe.Platforms()[0], nil)
	if err != nil {
		t.Fatal(err)
	}
	host := model.NewDebian(recipe.Platforms()[0])
	host.Facts.Apply([]recipe.Effect{recipe.Known(recipe.PathKey("/lib/systemd/system/postsrsd.service"), recipe.Path{Type: recipe.PathFile})})
	if _, err := host.Install(built...); err == nil || !strings.Contains(err.Error(), "postsrsd.service") {
		t.Errorf("it is taken: %v", err)
	}
}

// What the firewall lets in for a task is there before its rules are loaded; where it is off, nothing is
// brought.
func TestFirewallPart(t *testing.T) {
	all := withPart(t, "needs = [\"firewall\"]\n", `firewall.allow("shop", ["8080/tcp", "53/udp from 10.1.0.0/16"])`)
	ids := func(set recipe.Values) []string {
		built, err := all.built(t, "shop", recipe.Platforms()[0], set)
		if err != nil {
			t.Fatal(err)
		}
		joined, err := recipe.Join(built[0].Recipe, built[1].Recipe)
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, item := range joined.Items {
			ids = append(ids, item.Resource.ID())
		}
		return ids
	}
	const file, unit = "file:/etc/provision/firewall.d/shop.nft", "service:provision-firewall.service"
	if on := ids(nil); !slices.Contains(on, file) || slices.Index(on, file) > slices.Index(on, unit) {
		t.Errorf("%v", on)
	}
	if off := ids(recipe.Values{"firewall.enabled": false}); slices.Contains(off, file) {
		t.Errorf("off: %v", off)
	}
}
