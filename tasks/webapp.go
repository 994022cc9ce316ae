package tasks

import (
	"fmt"

	"provision/internal/recipe"
	"provision/internal/resource"
)

const webappName = "webapp"

// Webapp is an application of Python with WSGI, of which a host may have several.
func Webapp() recipe.Task {
	return recipe.Task{
		Name:    webappName,
		Summary: "a WSGI application, as of Django: releases, uWSGI or gunicorn with limits of memory, nginx",
		About: "Runs an application of Python with WSGI behind nginx. It is deployed: provision deploy webapp --artifact shop.tar brings a tar of it (git archive -o shop.tar main), or without one the hosts fetch the commit that repository and commit name. " +
			"A release is started beside the one that runs, and takes its place only when it answers; no request is refused meanwhile, and one that fails is taken back by itself, as is one of Django with DEBUG = True. " +
			"Workers that grow are replaced by fresh ones once they have answered, and the memory of each goes to Graphite. The application runs as an account of its own, in a hardened unit that may write to /var/lib/NAME alone ($STATE_DIRECTORY); " +
			"the file that $SECRET_KEY_FILE names has a random key, made on the host. A migration is provision do webapp run -e command=\"python3 manage.py migrate\". Several on one host are instances: webapp@shop, webapp@blog; NAME is webapp-shop then, and else webapp.",
		Uses:      []string{"nginx"},
		Instances: true,
		Variables: webappVariables(),
		Check:     checkWebapp,
		Build:     buildWebapp,
		Verify:    verifyWebapp,
		Deployed:  webappDeployed(),
		Actions:   webappActions(),
		After:     afterWebapp,
	}
}

// webapp is what the parts of the recipe are made from.
type webapp struct{ recipe.Input }

// name is that of all that it has on the host.
func (w webapp) name() string { return webappNamed(w.Instance) }

func webappNamed(instance string) string {
	if instance == "" {
		return webappName
	}
	return webappName + "-" + instance
}

func (w webapp) unit() string       { return w.name() + ".service" }
func (w webapp) socketUnit() string { return w.name() + ".socket" }
func (w webapp) memoryUnit() string { return w.name() + ".memory.service" } // no instance has a dot in its name
func (w webapp) socket() string     { return "/run/" + w.name() + ".sock" }
func (w webapp) directory() string  { return "/etc/" + w.name() }
func (w webapp) home() string       { return "/srv/" + w.name() }
func (w webapp) state() string      { return "/var/lib/" + w.name() }
func (w webapp) secretKey() string  { return secretsDirectory + "/" + w.name() }
func (w webapp) uwsgi() bool        { return w.Vars.String("server") == "uwsgi" }
func (w webapp) tls() bool          { return w.Vars.String("tls") != "off" }
func (w webapp) selfSigned() bool   { return w.Vars.String("tls") == "self-signed" }
func (w webapp) guarded() bool      { return w.Vars.Bool("monit") }
func (w webapp) measures() bool     { return w.Vars.String("graphite") != "" }

func (w webapp) account() string {
	if user := w.Vars.String("user"); user != "" {
		return user
	}
	return w.name()
}

func (w webapp) own() selfSigned {
	return selfSigned{Task: w.name(), Names: w.Vars.List("server_names")}
}

// buildWebapp goes from what is certain to what depends on it. Python's packages start nothing, and
// are there when a release is tried; the release comes before the configuration, and its link stands
// beside that: what is new of both is tried together, before either goes live.
func buildWebapp(in recipe.Input) (recipe.Recipe, error) {
	w := webapp{in}
	var r recipe.Recipe
	if err := account(w.account()); err != nil {
		return r, fmt.Errorf("%w: name one with %s.user", err, in.Named(webappName))
	}
	w.addPlaces(&r)
	if w.guarded() { // as early as alerts has it, which may be on the host too
		if err := addMonitFiles(&r); err != nil {
			return r, err
		}
	}
	w.addPython(&r)
	if err := w.addSite(&r); err != nil {
		return r, err
	}
	if err := w.addRelease(&r); err != nil {
		return r, err
	}
	if err := w.addConfiguration(&r); err != nil {
		return r, err
	}
	r.Include(nginxPackages())
	if w.guarded() {
		addMonitPackage(&r)
	}
	return r, w.addServices(&r)
}

// addPlaces adds the account, its directories and its key.
func (w webapp) addPlaces(r *recipe.Recipe) {
	r.Add(resource.User{Name: w.account()})
	r.Add(resource.Directory{Path: w.directory()})
	r.Add(resource.Directory{Path: w.state(), Data: true, Attributes: recipe.Attributes{Mode: 0o750, Owner: w.account(), Group: w.account()}})
	w.releases().AddDirectories(r)
	addSecretsDirectory(r)
	r.Add(resource.Secret{Path: w.secretKey(), Length: 64}, restart(w.unit())...)
}

// addPython adds what runs the application and what that imports. None of it starts anything.
func (w webapp) addPython(r *recipe.Recipe) {
	names := []string{"python3"}
	if w.uwsgi() {
		r.Include(uwsgiPackages([]string{w.unit()}))
	} else {
		names = append(names, "gunicorn")
	}
	if w.Vars.String("requirements") != "" {
		names = append(names, "python3-venv")
	}
	if w.Vars.String("repository") != "" {
		names = append(names, "git", "ca-certificates")
	}
	for _, name := range append(names, w.Vars.List("packages")...) {
		r.Add(resource.Package{Name: name, Brings: []recipe.Key{}, Restarts: []string{w.unit()}})
	}
}

// addServices starts what runs, in the order in which one needs the other. Without a release there is
// nothing that the units could start.
func (w webapp) addServices(r *recipe.Recipe) error {
	trial, err := w.trial()
	if err != nil {
		return err
	}
	current := w.releases().Current()
	r.Add(resource.Service{Unit: w.socketUnit(), Needs: current, Listens: []string{w.socket()}})
	r.Add(resource.Service{
		Unit: w.unit(), Needs: current, Check: trial, Trees: []string{w.directory(), w.home()},
		Ready: "python3 -B " + w.directory() + "/ask.py " + w.socket(),
	})
	if w.measures() {
		r.Add(resource.Service{Unit: w.memoryUnit(), Needs: current})
	}
	ports := []int{80}
	if w.tls() {
		ports = append(ports, 443)
	}
	r.Include(nginxService(ports, "", "", w.name()))
	if w.guarded() {
		addMonitService(r)
	}
	return nil
}
