package tasks

import (
	"fmt"
	"regexp"
	"time"

	"provision/internal/recipe"
	"provision/internal/resource"
)

const (
	nginxUnit        = "nginx.service"
	nginxDefaultSite = "/etc/nginx/sites-enabled/default"
	logrotateTimer   = "logrotate.timer"
)

// Nginx is the web server without a site: other tasks bring theirs.
func Nginx() recipe.Task {
	return recipe.Task{
		Name:    "nginx",
		Summary: "web server (nginx-light), without Debian's default site",
		About: "Installs nginx from Debian's package, takes its default site out of the way and sets what holds for all sites. " +
			"nginx.conf stays the package's own. Other tasks, as graphite, include it and add their sites. Its configuration is checked with " +
			"nginx -t before it takes it in.",
		Variables: nginxVariables(),
		Parts:     []recipe.Part{sitePart(), tlsPart()},
		Build: func(in recipe.Input) (recipe.Recipe, error) {
			r, err := nginxConfiguration(in.Vars, in.System)
			if err != nil {
				return recipe.Recipe{}, err
			}
			r.Include(nginxPackages())
			r.Include(nginxService(nil, "", ""))
			return r, nil
		},
		Verify: func(recipe.Input) ([]recipe.Check, error) {
			return []recipe.Check{{
				Name: "nginx runs, and its configuration is valid", From: recipe.FromHost, Within: 10 * time.Second,
				Command: &recipe.CommandCheck{Script: "systemctl is-active " + nginxUnit + " && nginx -t 2>&1", Contains: "test is successful"},
			}, ticks("its logs are rotated", logrotateTimer)}, nil
		},
	}
}

// ticks is the check that a timer is there to do what the name says.
func ticks(name, timer string) recipe.Check {
	return recipe.Check{
		Name: name, From: recipe.FromHost, Within: 10 * time.Second,
		Command: &recipe.CommandCheck{Script: "systemctl is-active " + timer},
	}
}

var bodySize = regexp.MustCompile(`^[0-9]{1,6}[kKmMgG]?$`)

func nginxVariables() []recipe.Variable {
	return []recipe.Variable{
		{
			Name: "ipv6", Type: recipe.TypeBool, Default: true,
			Help: "Sites listen on IPv6 too; false for a host whose kernel has none, where nginx would not start.",
		},
		{
			Name: "client_max_body_size", Type: recipe.TypeString, Default: "1m",
			Help: "The largest request body that is accepted, in bytes or with k, m or g behind the number; 0 is no limit.",
			Check: func(value any) error {
				if !bodySize.MatchString(value.(string)) {
					return fmt.Errorf("must be a size such as 512k or 8m")
				}
				return nil
			},
		},
	}
}

// nginxConfiguration is what nginx finds when it is installed: the directories that a
// site needs, as the package would make them, and what holds for all sites.
func nginxConfiguration(vars recipe.Values, system recipe.System) (recipe.Recipe, error) {
	var r recipe.Recipe
	for _, path := range []string{"/etc/nginx", "/etc/nginx/conf.d", "/etc/nginx/sites-available", "/etc/nginx/sites-enabled"} {
		r.Add(resource.Directory{Path: path})
	}
	r.Add(resource.Directory{Path: "/etc/systemd/system/nginx.service.d"})
	err := addFiles(&r, []filePart{{
		// Read by systemd alone: nginx need not restart for it.
		path: "/etc/systemd/system/nginx.service.d/10-provision.conf", template: "nginx/nginx.service.conf.tmpl",
	}, {
		path: "/etc/nginx/conf.d/provision.conf", template: "nginx/provision.conf.tmpl",
		data: struct {
			ServerTokens bool
			MaxBodySize  string
		}{
			// Debian 13's nginx.conf says server_tokens off itself, and nginx refuses
			// the same directive twice at one level.
			ServerTokens: system.Release < trixie,
			MaxBodySize:  vars.String("client_max_body_size"),
		},
		notifies: reload(nginxUnit),
	}})
	return r, err
}

const sitesAvailable = "/etc/nginx/sites-available/"

// nginxSite adds a site's file; nginxService turns it on.
func nginxSite(name, template string, data any) (recipe.Recipe, error) {
	var r recipe.Recipe
	file, err := rendered(sitesAvailable+name, template, data)
	if err != nil {
		return recipe.Recipe{}, err
	}
	r.Add(file, reload(nginxUnit)...)
	return r, nil
}

// turnOn adds the link by which nginx reads a site.
func turnOn(r *recipe.Recipe, site string) {
	r.Add(resource.Link{Path: "/etc/nginx/sites-enabled/" + site, Target: sitesAvailable + site}, reload(nginxUnit)...)
}

// nginxPackages are nginx, and logrotate, which rotates its logs by the configuration
// that comes with nginx but does not come with it.
func nginxPackages() recipe.Recipe {
	var r recipe.Recipe
	r.Add(resource.Package{Name: "nginx-light", Brings: []recipe.Key{
		recipe.UnitKey(nginxUnit), recipe.PathKey(nginxDefaultSite),
	}, Restarts: []string{nginxUnit}})
	r.Add(resource.Package{Name: "logrotate", Brings: []recipe.Key{recipe.UnitKey(logrotateTimer)}})
	return r
}

// nginxService removes the site that the package turns on when it is installed for the
// first time, and starts nginx, or makes it take in a change, once its configuration
// passes.
//
// The sites are turned on beside that, so that where nginx runs already, both are tried as
// one: two default sites are an error of nginx's. They listen at these ports; mend and instead
// are what to do where nginx refuses them, or another program is there.
func nginxService(ports []int, mend, instead string, sites ...string) recipe.Recipe {
	var r recipe.Recipe
	r.Add(resource.Link{Path: nginxDefaultSite, Absent: true}, reload(nginxUnit)...)
	for _, name := range sites {
		turnOn(&r, name)
	}
	r.Add(resource.Service{Unit: logrotateTimer})
	var listens []string
	for _, port := range ports {
		listens = append(listens, fmt.Sprintf(":%d", port))
	}
	r.Add(nginxRuns(listens, mend, instead))
	return r
}

// nginxRuns is nginx's service, which listens there for sites.
func nginxRuns(listens []string, mend, instead string) resource.Service {
	return resource.Service{
		Unit: nginxUnit, Check: "nginx -t", Trees: []string{"/etc/nginx"}, Listens: listens, Mend: mend, Instead: instead,
		Dry: true, Scratch: []string{"/var/log/nginx", "/var/lib/nginx"}, // it opens all logs, and makes the directories of what is on its way
	}
}
