// Package workload is examples/workload as a task in Go, for the bench: what the same recipe costs
// that is not read from a project.
package workload

import (
	"fmt"
	"math"
	"time"

	"provision/internal/recipe"
	"provision/internal/resource"
	"provision/templates"
)

const (
	unit    = "app.service"
	nginx   = "nginx.service"
	site    = "/etc/nginx/sites-available/app"
	enabled = "/etc/nginx/sites-enabled/"
)

// Task returns the task.
func Task() recipe.Task {
	return recipe.Task{
		Name: "workload", Summary: "A host of an application: thirty things of every sort",
		Variables: []recipe.Variable{
			{Name: "domain", Type: recipe.TypeString, Default: "app.example.org", Help: "Name that visitors type."},
			{Name: "workers", Type: recipe.TypeInt, Default: 4, Help: "Queues that are worked on at once."},
			{Name: "token", Type: recipe.TypeSecret, Needed: true, Help: "Of the payment service."},
		},
		Build: build,
		Verify: func(in recipe.Input) ([]recipe.Check, error) {
			return []recipe.Check{{
				Name: "http://127.0.0.1/ answers 200", From: recipe.FromHost,
				HTTP: &recipe.HTTPCheck{URL: "http://127.0.0.1/", Status: 200, Header: map[string]string{"Host": in.Vars.String("domain")}, Contains: "queues"}, Within: 10 * time.Second,
			}, {
				Name: "systemctl is-active " + unit, From: recipe.FromHost, Command: &recipe.CommandCheck{Script: "systemctl is-active " + unit},
			}}, nil
		},
	}
}

var queues = []string{"mail", "search", "images", "billing", "reports", "cleaning"}

func build(in recipe.Input) (recipe.Recipe, error) {
	var r recipe.Recipe
	domain := in.Vars.String("domain")
	r.Add(resource.Group{Name: "deploy"})
	r.Add(resource.User{Name: "app", Home: "/var/lib/app"})
	r.Add(resource.Membership{User: "app", Group: "deploy"})
	for _, path := range []string{"/var/lib/app", "/var/log/app"} {
		r.Add(resource.Directory{Path: path, Attributes: recipe.Attributes{Owner: "app", Group: "app"}})
	}
	for _, path := range []string{"/etc/app", "/etc/app/queues", "/etc/nginx", "/etc/nginx/sites-available", "/etc/nginx/sites-enabled"} {
		r.Add(resource.Directory{Path: path})
	}
	if err := configuration(&r, in.Vars); err != nil {
		return recipe.Recipe{}, err
	}
	r.Add(resource.Link{Path: "/usr/local/bin/app-queues", Target: "app"})
	r.Add(resource.Package{
		Name: "nginx-light", Restarts: []string{nginx},
		Brings: []recipe.Key{recipe.PathKey(enabled + "default"), recipe.PathKey("/etc/nginx/fastcgi_params"), recipe.UnitKey(nginx)},
	})
	r.Add(resource.Package{Name: "logrotate", Brings: []recipe.Key{}})
	r.Add(resource.Link{Path: enabled + "app", Target: site}, reload(nginx))
	r.Add(resource.Link{Path: enabled + "default", Absent: true}, reload(nginx))
	r.Add(resource.Line{Path: "/etc/hosts", Line: "127.0.0.1 " + domain})
	r.Add(resource.Line{Path: "/etc/nginx/fastcgi_params", Line: "fastcgi_param APP 1;", Key: "fastcgi_param APP "}, reload(nginx))
	r.Add(resource.Command{Name: "make the first index", Script: "date >/var/lib/app/index", Unless: "test -s /var/lib/app/index", Changes: []recipe.Key{}})
	r.Add(resource.Command{
		Name: "count the queues", Script: "ls /etc/app/queues | wc -l >/var/lib/app/queues",
		Unless: fmt.Sprintf(`[ "$(cat /var/lib/app/queues)" = %d ]`, len(queues)), Changes: []recipe.Key{},
	})
	r.Add(resource.Service{Unit: unit})
	r.Add(resource.Service{Unit: nginx, Check: "nginx -t", Trees: []string{"/etc/nginx"}, Dry: true, Scratch: []string{"/var/log/nginx"}, Listens: []string{":80"}})
	return r, nil
}

// configuration adds the files.
func configuration(r *recipe.Recipe, vars recipe.Values) error {
	token := vars.Secret("token")
	private := recipe.Attributes{Mode: 0o640, Group: "app"}
	files := []written{
		{resource.File{Path: "/etc/app/env", Attributes: private, Secret: true}, env, map[string]any{"domain": vars.String("domain"), "token": token.Reveal()}, restart(unit)},
		{resource.File{Path: "/etc/app/limits", Attributes: private}, limits, map[string]any{"workers": vars.Int("workers")}, restart(unit)},
	}
	for _, name := range queues {
		files = append(files, written{resource.File{Path: "/etc/app/queues/" + name + ".conf"}, queue, map[string]any{"name": name, "workers": vars.Int("workers")}, restart(unit)})
	}
	files = append(files,
		written{resource.File{Path: "/usr/local/bin/app", Attributes: recipe.Attributes{Mode: 0o755}}, program, nil, restart(unit)},
		written{resource.File{Path: "/etc/systemd/system/" + unit}, service, nil, restart(unit)},
		written{resource.File{Path: site}, page, map[string]any{"domain": vars.String("domain")}, reload(nginx)},
	)
	for _, f := range files {
		template, err := templates.Parse(f.file.Path, f.template)
		if err != nil {
			return err
		}
		if f.file.Content, err = template.Render(f.values, math.MaxInt); err != nil {
			return err
		}
		r.Add(f.file, f.notifies)
	}
	return nil
}

// written is a file of a template.
type written struct {
	file     resource.File
	template string
	values   map[string]any
	notifies recipe.Notification
}
