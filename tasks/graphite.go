package tasks

import (
	"net/netip"
	"slices"
	"strings"

	"provision/internal/recipe"
	"provision/internal/resource"
)

const (
	graphiteUser = "_graphite" // the account of Debian's packages
	carbonUnit   = "carbon-cache.service"
	indexTimer   = "graphite_build_search_index.timer"

	graphitePassword = secretsDirectory + "/graphite-password"
)

// graphiteWeb is the web application behind nginx.
var graphiteWeb = uwsgiApp{
	Name:        "graphite-web",
	Description: "Graphite web (uWSGI)",
	User:        graphiteUser,
	Ini:         "/etc/graphite/uwsgi.ini",
	WSGIFile:    "/usr/share/graphite-web/graphite.wsgi",
	// Debian 12's graphite.wsgi names graphite.local_settings, which does not exist:
	// without the first of these the application would run on its defaults, and die.
	Environment: []string{"GRAPHITE_SETTINGS_MODULE=local_settings", "PYTHONDONTWRITEBYTECODE=1"},
	After:       []string{carbonUnit, postgresqlUnit},
	WritePaths:  []string{"/var/lib/graphite", "/var/log/graphite"},
}

// Graphite is carbon, graphite-web, uWSGI and nginx on one host.
func Graphite() recipe.Task {
	return recipe.Task{
		Name:    "graphite",
		Summary: "metrics: carbon, graphite-web, uWSGI and nginx",
		About: "Installs Graphite from Debian's packages. carbon takes metrics at port 2003, on loopback unless carbon_listen names networks; graphite-web runs " +
			"in uWSGI on a unix socket; nginx answers on port 80, or graphite.port, and asks for a password unless the request comes from the host itself. Everything is configured before " +
			"the packages come, so that nothing listens where it should not, not even while they install. What a variable brought goes when it is turned off; packages stay.",
		Uses:      []string{"nginx", "uwsgi"},
		Variables: graphiteVariables(),
		Actions:   append(graphiteBackup().actions(), graphiteResize()),
		Check: func(vars recipe.Values) (string, error) {
			if name, err := checkCluster(vars); err != nil {
				return name, err
			}
			return checkCertificate("graphite")(vars)
		},
		Build:  buildGraphite,
		Verify: verifyGraphite,
		After:  afterGraphite,
	}
}

// graphite is what the parts of the recipe are made from.
type graphite struct {
	recipe.Input
	networks []netip.Prefix // carbon_listen
}

func newGraphite(in recipe.Input) (graphite, error) {
	g := graphite{Input: in}
	for _, name := range in.Vars.List("carbon_listen") {
		prefix, err := netip.ParsePrefix(name)
		if err != nil {
			return g, err
		}
		g.networks = append(g.networks, prefix)
	}
	return g, nil
}

func (g graphite) auth() bool       { return g.Vars.Bool("auth") }
func (g graphite) tls() bool        { return g.Vars.String("tls") != "off" }
func (g graphite) selfSigned() bool { return g.Vars.String("tls") == "self-signed" }
func (g graphite) postgresql() bool { return g.Vars.String("database") == "postgresql" }

// port is that of the site.
func (g graphite) port() int {
	switch {
	case g.Vars.Int("port") != 0:
		return g.Vars.Int("port")
	case g.tls():
		return 443
	}
	return 80
}

// redirects reports whether HTTP's own port leads to the site's.
func (g graphite) redirects() bool { return g.tls() && g.port() == 443 }

// ports are all that nginx listens at for the site.
func (g graphite) ports() []int {
	ports := []int{g.port()}
	if g.redirects() {
		ports = []int{80, 443}
	}
	if g.clustered() {
		ports = append(ports, nodeWebPort)
	}
	return ports
}

func (g graphite) public() bool { return len(g.Vars.List("carbon_listen")) > 0 }

// buildGraphite goes from what is certain to what depends on it: account, directories,
// configuration and secrets, all before a package; then the packages, which start
// nothing; what has to be run; and last the services.
func buildGraphite(in recipe.Input) (recipe.Recipe, error) {
	return buildGraphiteWith(in, func(*recipe.Recipe) {})
}

// buildGraphiteWith adds further packages of a task that brings Graphite too, where packages are added.
func buildGraphiteWith(in recipe.Input, packages func(*recipe.Recipe)) (recipe.Recipe, error) {
	g, err := newGraphite(in)
	if err != nil {
		return recipe.Recipe{}, err
	}
	var r recipe.Recipe
	g.addAccount(&r)
	if g.postgresql() {
		addLocalhost(&r)
	}
	if err := g.addConfiguration(&r); err != nil {
		return recipe.Recipe{}, err
	}
	g.addPackages(&r)
	packages(&r)
	if g.postgresql() {
		addPostgreSQL(&r)
	}
	g.addMending(&r)
	g.addMigration(&r)
	g.addServices(&r)
	return r, nil
}

// addAccount makes the account and the directories as the packages' own scripts would
// (graphite-carbon.postinst, graphite-web.postinst), so that these find them as they
// want them and change nothing.
func (g graphite) addAccount(r *recipe.Recipe) {
	r.Add(resource.User{Name: graphiteUser, Home: "/var/lib/graphite", Shell: "/bin/false"})
	own := recipe.Attributes{Owner: graphiteUser, Group: graphiteUser}
	for _, path := range []string{"/var/lib/graphite", "/var/lib/graphite/whisper", "/var/log/carbon", "/var/log/graphite"} {
		r.Add(resource.Directory{Path: path, Attributes: own})
	}
	for _, path := range []string{"/etc/carbon", "/etc/graphite", "/etc/systemd/system/carbon-cache.service.d", "/etc/systemd/system/graphite_build_search_index.service.d"} {
		r.Add(resource.Directory{Path: path})
	}
	if g.clustered() {
		r.Add(resource.Directory{Path: "/etc/systemd/system/" + relayUnit + ".d"})
	}
	addSecretsDirectory(r)
}

// addConfiguration adds every file that the services read.
func (g graphite) addConfiguration(r *recipe.Recipe) error {
	if err := g.addCarbon(r); err != nil {
		return err
	}
	r.Add(resource.Secret{
		Path:       "/etc/graphite/secret_key",
		Attributes: recipe.Attributes{Owner: graphiteUser, Group: graphiteUser},
	}, restart(graphiteWeb.unit())...)
	err := addFiles(r, []filePart{{
		path: "/etc/graphite/local_settings.py", template: "graphite/local_settings.py.tmpl",
		data: struct {
			AllowedHosts []string
			TimeZone     string
			PostgreSQL   bool
			OldFinder    bool
			Nodes        []string
		}{g.allowedHosts(), g.Vars.String("time_zone"), g.postgresql(), g.System.Release < trixie, g.at(nodeWebPort)},
		// What graphite-web's script in Debian 13 sets by dpkg-statoverride.
		attributes: recipe.Attributes{Mode: 0o400, Owner: graphiteUser, Group: graphiteUser},
		notifies:   restart(graphiteWeb.unit()),
	}})
	if err != nil {
		return err
	}
	app, err := graphiteWeb.files(g.Of("uwsgi"))
	if err != nil {
		return err
	}
	r.Include(app)
	if err := g.addSearchIndex(r); err != nil {
		return err
	}
	return g.addSite(r)
}

// addSearchIndex adds the timer that lists the metrics for graphite-web's search. Debian
// 13's package has one, Debian 12's only a script for cron, which is not a dependency.
func (g graphite) addSearchIndex(r *recipe.Recipe) error {
	files := []filePart{{path: "/etc/systemd/system/graphite_build_search_index.service.d/10-provision.conf", template: "graphite/search-index.conf.tmpl"}}
	if g.System.Release < trixie {
		files = append([]filePart{
			{path: "/etc/systemd/system/graphite_build_search_index.service", template: "graphite/graphite_build_search_index.service.tmpl"},
			{path: "/etc/systemd/system/" + indexTimer, template: "graphite/graphite_build_search_index.timer.tmpl"},
		}, files...)
	}
	return addFiles(r, files)
}

// addSite adds nginx's configuration, what the site needs, and the site.
func (g graphite) addSite(r *recipe.Recipe) error {
	vars := g.Of("nginx")
	configuration, err := nginxConfiguration(vars, g.System)
	if err != nil {
		return err
	}
	r.Include(configuration)
	g.addAccess(r)
	site, err := nginxSite("graphite", "graphite/nginx.conf.tmpl", g.site(vars.Bool("ipv6")))
	if err != nil {
		return err
	}
	r.Include(site)
	return nil
}

// addPackages adds all packages in a row, which makes them one apt-get.
func (g graphite) addPackages(r *recipe.Recipe) {
	r.Add(resource.Package{Name: "graphite-carbon", Brings: []recipe.Key{recipe.UnitKey(carbonUnit)}, Restarts: []string{carbonUnit}})
	web := []recipe.Key{}
	if g.System.Release >= trixie {
		web = append(web, recipe.UnitKey(indexTimer))
	}
	units := []string{graphiteWeb.unit()}
	r.Add(resource.Package{Name: "graphite-web", Brings: web, Restarts: units})
	r.Include(uwsgiPackages(units))
	r.Include(nginxPackages())
	if g.clustered() {
		r.Add(resource.Package{Name: "carbon-c-relay", Brings: []recipe.Key{recipe.UnitKey(relayUnit)}, Restarts: []string{relayUnit}})
	}
	if g.open() {
		r.Add(resource.Package{Name: "nftables", Brings: []recipe.Key{}})
	}
	if g.postgresql() {
		addPostgreSQLPackages(r)
	}
}

// addServices starts what runs, in the order in which one needs the other.
func (g graphite) addServices(r *recipe.Recipe) {
	g.addCarbonService(r)
	r.Add(resource.Service{Unit: indexTimer})
	r.Include(graphiteWeb.service())
	mend := ""
	if len(g.Vars.List("server_names")) == 0 { // it is the default site, of which there can be one
		mend = "where another site is the default one, name this one: -e graphite.server_names=[graphite.example.org]"
	}
	r.Include(nginxService(g.ports(), mend, "-e graphite.port=8080", "graphite"))
}

// allowedHosts are the names that requests may be addressed to, sorted: any until one is
// given, for by what name or address others reach a host is not written on it.
func (g graphite) allowedHosts() []string {
	named := slices.Concat(g.Vars.List("server_names"), g.Vars.List("allowed_hosts"))
	if len(named) == 0 {
		return []string{"*"}
	}
	hosts := []string{"localhost", "127.0.0.1", "[::1]", strings.ToLower(g.Host.Hostname())}
	for _, host := range named {
		if address, err := netip.ParseAddr(host); err == nil && address.Is6() {
			host = "[" + address.String() + "]" // as Django has it of the Host header
		}
		if rest, wildcard := strings.CutPrefix(host, "*."); wildcard {
			host = "." + rest
		}
		hosts = append(hosts, strings.ToLower(host))
	}
	slices.Sort(hosts)
	return slices.Compact(hosts)
}
