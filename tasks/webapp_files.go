package tasks

import (
	"cmp"
	"net"
	"strings"

	"provision/internal/recipe"
	"provision/internal/resource"
	"provision/templates"
)

// webappSettings are what the templates are filled in with.
type webappSettings struct {
	Trial                        bool // a release on trial, beside the one that runs
	Name, Account, Server        string
	UWSGI, Virtualenv, Secrets   bool
	Home, Directory, State       string
	Root, Etc, Runtime, Socket   string // where the release and its configuration are, its folder in /run, where it listens
	Module, Python, Command      string
	DjangoSettings, SecretKey    string
	Environment, After           []string
	Processes, Threads           int
	Timeout, Patience            int // for one request, and until the last has been answered: seconds
	MaxRequests                  int
	MaxRequestsJitter            int
	MinWorkerLifetime            int
	ReloadOnRSS, EvilReloadOnRSS int
	MemoryMax                    int
	Host, HealthPath             string
	HealthStatus                 int
	HealthContains               string
	GraphitePrefix, Series       string
	GraphiteHost, GraphitePort   string
	Plain, Main                  listener
	ServerNames                  []string
	TLS, HTTP2On                 bool
	Certificate, Key             string
	Static, StaticURL            string
	GuardedMemory, GuardPatience int // megabytes and seconds, of monit
	GuardEvery, GuardHour        int // its cycles
}

func (w webapp) settings() webappSettings {
	timeout := w.Vars.Int("timeout")
	s := webappSettings{
		Name: w.name(), Account: w.account(), Server: w.Vars.String("server"), UWSGI: w.uwsgi(),
		Virtualenv: w.Vars.String("requirements") != "", Secrets: !w.Vars.Secret("secrets").Empty(),
		Home: w.home(), Directory: w.directory(), State: w.state(),
		Root: w.releases().Current(), Etc: w.directory(), Runtime: w.name(), Socket: w.socket(),
		Module: w.Vars.String("module"), DjangoSettings: w.Vars.String("django_settings"), SecretKey: w.secretKey(),
		Environment: w.Vars.List("environment"), After: w.Vars.List("after"),
		Processes: w.Vars.Int("processes"), Threads: w.Vars.Int("threads"), Timeout: timeout, Patience: timeout + 10,
		MaxRequests: w.Vars.Int("max_requests"), MaxRequestsJitter: w.Vars.Int("max_requests_jitter"), MinWorkerLifetime: w.Vars.Int("min_worker_lifetime"),
		ReloadOnRSS: w.Vars.Int("reload_on_rss"), EvilReloadOnRSS: w.Vars.Int("evil_reload_on_rss"), MemoryMax: w.memoryMax(),
		Host: w.host(), HealthPath: w.Vars.String("health_path"), HealthStatus: w.Vars.Int("health_status"), HealthContains: w.Vars.String("health_contains"),
		GraphitePrefix: w.Vars.String("graphite_prefix"), Series: cmp.Or(w.Instance, webappName), TLS: w.tls(),
	}
	s.GuardedMemory, s.GuardPatience = s.MemoryMax*9/10, 4*s.Patience // to ask, and to stop in
	s.GuardEvery, s.GuardHour = 30/monitCycle, 3600/monitCycle
	if w.measures() {
		s.GraphiteHost, s.GraphitePort, _ = net.SplitHostPort(w.Vars.String("graphite")) // which hostPort has read
	}
	return s.withCommand()
}

// onTrial is a release that is started beside the one that runs.
func (s webappSettings) onTrial() webappSettings {
	candidate := "/run/" + s.Name + ".candidate" // no instance has a dot in its name
	s.Trial = true
	s.Root, s.Etc = candidate+"/release", candidate+"/etc"
	s.Runtime = s.Name + ".trial"
	s.Socket = "/run/" + s.Runtime + "/app.sock"
	return s.withCommand()
}

// withCommand says how it is started. gunicorn is Debian's in either environment of Python.
func (s webappSettings) withCommand() webappSettings {
	s.Python = "/usr/bin/python3"
	if s.Virtualenv {
		s.Python = s.Root + "/.virtualenv/bin/python"
	}
	s.Command = s.Python + " -m gunicorn --config " + s.Etc + "/" + s.serverFile()
	if s.UWSGI {
		s.Command = "/usr/bin/uwsgi --ini " + s.Etc + "/" + s.serverFile()
	}
	return s
}

// serverFile is the name of the server's configuration.
func (s webappSettings) serverFile() string {
	name := map[bool]string{true: "uwsgi.ini", false: "gunicorn.conf.py"}[s.UWSGI]
	if s.Trial {
		return "trial-" + name
	}
	return name
}

// memoryMax is the wall of the unit, in megabytes: by default its workers reach it only together.
func (w webapp) memoryMax() int {
	if given := w.Vars.Int("memory_max"); given > 0 {
		return given
	}
	return (w.Vars.Int("processes") + 1) * w.Vars.Int("evil_reload_on_rss")
}

// addConfiguration adds what the application's server and systemd read, and the link to the release.
func (w webapp) addConfiguration(r *recipe.Recipe) error {
	live := w.settings()
	trial := live.onTrial()
	server := "webapp/" + live.serverFile() + ".tmpl"
	in := func(name string) string { return w.directory() + "/" + name }
	systemd := func(unit string) string { return "/etc/systemd/system/" + unit }
	its := restart(w.unit())
	parts := []filePart{
		{path: systemd(w.socketUnit()), template: "webapp/webapp.socket.tmpl", data: live},
		{path: systemd(w.unit()), template: "webapp/webapp.service.tmpl", data: live, notifies: its},
		{path: in(live.serverFile()), template: server, data: live, notifies: its},
		// In a directory of its own, where a rehearsal sees it before systemd does.
		{path: in("trial.service"), template: "webapp/webapp.service.tmpl", data: trial, notifies: its},
		{path: in(trial.serverFile()), template: server, data: trial, notifies: its},
		{path: in("try.py"), template: "webapp/try.py.tmpl", data: live, notifies: its},
		{path: in("ask.py"), template: "webapp/ask.py.tmpl", data: live, notifies: its},
	}
	if w.uwsgi() {
		parts = append(parts, filePart{path: in("stop.sh"), template: "webapp/stop.sh.tmpl", data: live, notifies: its})
	}
	if w.measures() {
		parts = append(parts,
			filePart{path: in("memory.py"), template: "webapp/memory.py.tmpl", data: live, notifies: restart(w.memoryUnit())},
			filePart{path: systemd(w.memoryUnit()), template: "webapp/memory.service.tmpl", data: live, notifies: restart(w.memoryUnit())})
	}
	if w.guarded() {
		parts = append(parts,
			filePart{path: in("guard.py"), template: "webapp/guard.py.tmpl", data: live},
			filePart{path: monitChecks + "/provision-" + w.name(), template: "webapp/monit.conf.tmpl", data: live, notifies: restart(monitUnit)})
	}
	if err := addFiles(r, parts); err != nil {
		return err
	}
	if live.Secrets {
		r.Add(resource.File{
			Path: in("environment"), Content: environmentFile(w.Vars.Secret("secrets").Reveal()), Secret: true,
			Attributes: recipe.Attributes{Mode: 0o600},
		}, its...)
	}
	if release, _, deploys := w.release(); deploys {
		r.Add(w.releases().Link(release), its...)
	}
	return nil
}

// inEnvironmentFile are what has a meaning between quotes there (systemd.exec(5), EnvironmentFile=).
var inEnvironmentFile = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "`", "\\`", "$", `\$`)

// environmentFile makes of lines NAME=value what systemd reads as just these.
func environmentFile(lines string) string {
	var file strings.Builder
	for line := range strings.Lines(lines) {
		if name, value, is := strings.Cut(strings.TrimRight(line, "\n"), "="); is {
			file.WriteString(name + `="` + inEnvironmentFile.Replace(value) + "\"\n")
		}
	}
	return file.String()
}

// trial is the check of a new release and of new configuration.
func (w webapp) trial() (string, error) {
	return templates.Render("webapp/trial.sh.tmpl", w.settings())
}

// addSite adds nginx's configuration, the certificate and the site.
func (w webapp) addSite(r *recipe.Recipe) error {
	configuration, err := nginxConfiguration(w.Of("nginx"), w.System)
	if err != nil {
		return err
	}
	r.Include(configuration)
	if w.selfSigned() {
		r.Add(resource.Package{Name: "openssl", Brings: []recipe.Key{}})
		w.own().add(r)
	}
	site, err := nginxSite(w.name(), "webapp/nginx.conf.tmpl", w.site())
	if err != nil {
		return err
	}
	r.Include(site)
	return nil
}

// site is what nginx's template of the site is filled in with. Nobody is default_server: graphite may
// be on the same host, and has it then.
func (w webapp) site() webappSettings {
	s := w.settings()
	ipv6 := w.Of("nginx").Bool("ipv6")
	s.ServerNames, s.Static, s.StaticURL = w.Vars.List("server_names"), w.Vars.String("static"), w.Vars.String("static_url")
	s.Plain, s.Main = listener{80, "", ipv6}, listener{80, "", ipv6}
	if !s.TLS {
		return s
	}
	s.Main = listener{443, " ssl", ipv6}
	if s.HTTP2On = w.System.Release >= trixie; !s.HTTP2On { // see graphite's site
		s.Main.Options = " ssl http2"
	}
	s.Certificate, s.Key = w.Vars.String("tls_certificate"), w.Vars.String("tls_key")
	if w.selfSigned() {
		s.Certificate, s.Key = w.own().certificate(), w.own().key()
	}
	return s
}
