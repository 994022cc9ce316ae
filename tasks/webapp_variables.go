package tasks

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"provision/internal/recipe"
	"provision/internal/resource"
)

func webappVariables() []recipe.Variable {
	return slices.Concat(webappSourceVariables(), webappSiteVariables(), tlsVariables(), webappServerVariables(), webappMemoryVariables())
}

func webappSourceVariables() []recipe.Variable {
	return []recipe.Variable{
		{
			Name: "module", Type: recipe.TypeString, Default: "wsgi:application", Check: text(wsgiModule),
			Help: "The application: the module, from the top of the release on, and the name that it has there: shop.wsgi:application.",
		},
		{
			Name: "repository", Type: recipe.TypeString, Check: optional(gitRepository),
			Help: "Where hosts fetch a release, which a deploy without --artifact brings: a URL of https, http or ssh, without a password.",
		},
		{
			Name: "commit", Type: recipe.TypeString, Check: optional(gitCommit),
			Help: "The commit that they fetch, by its whole name, as git ls-remote URL main prints it: a branch is another tomorrow.",
		},
		{
			Name: "packages", Type: recipe.TypeList, Check: eachOf(pythonPackage),
			Help: "What it imports of Debian's packages: python3-django.",
		},
		{
			Name: "requirements", Type: recipe.TypeString, Check: optional(inRelease),
			Help: "The file in the release that names what it imports besides, with hashes, as pip-compile --generate-hashes writes it: each release gets a virtual environment with it, of wheels alone, from the release's folder wheels where it has one, else from PyPI.",
		},
		{
			Name: "environment", Type: recipe.TypeList, Check: eachOf(environmentVariable),
			Help: "Variables of its environment, NAME=value, for all to read.",
		},
		{
			Name: "secrets", Type: recipe.TypeSecret, Check: environmentLines,
			Help: "More of them, a line each, that root and the application alone read: -e webapp.secrets=@shop.env.",
		},
		{
			Name: "django_settings", Type: recipe.TypeString, Check: optional(pythonModule),
			Help: "Of Django, the module of its settings, shop.settings, where the application does not say it itself.",
		},
		{
			Name: "user", Type: recipe.TypeString, Check: optional(account),
			Help: "The account that it runs as; by default one of the name of its unit, as webapp-shop.",
		},
		{
			Name: "after", Type: recipe.TypeList, Check: eachOf(startsBefore),
			Help: "Units that start before it at boot: postgresql.service.",
		},
		{
			Name: "keep_releases", Type: recipe.TypeInt, Default: 5, Check: between(2, 50),
			Help: "How many releases stay on the host, to go back to; the one that runs always does.",
		},
	}
}

func webappSiteVariables() []recipe.Variable {
	return []recipe.Variable{
		{
			Name: "server_names", Type: recipe.TypeList, Check: eachOf(hostName),
			Help: "The names that visitors type; with none it answers to any name that no other site of the host has.",
		},
		{
			Name: "static", Type: recipe.TypeString, Check: optional(inRelease),
			Help: "The folder of the release that nginx serves itself, as Django's STATIC_ROOT after collectstatic.",
		},
		{
			Name: "static_url", Type: recipe.TypeString, Default: "/static/", Check: text(folderURL),
			Help: "Where it serves that.",
		},
		{
			Name: "health_path", Type: recipe.TypeString, Default: "/", Check: text(urlPath),
			Help: "The page by which a release on trial, and verify, know that it is well.",
		},
		{
			Name: "health_status", Type: recipe.TypeInt, Default: 200, Check: between(200, 599),
			Help: "The status of that page: 302 of one that leads to a login.",
		},
		{
			Name: "health_contains", Type: recipe.TypeString, Check: optional(oneLine),
			Help: "What has to be in that page.",
		},
	}
}

func webappServerVariables() []recipe.Variable {
	return []recipe.Variable{
		{
			Name: "server", Type: recipe.TypeString, Default: "uwsgi", Choices: []string{"uwsgi", "gunicorn"},
			Help: "What runs it: uWSGI, or gunicorn, where a request that a worker is at is never cut for the memory that it takes.",
		},
		{
			Name: "processes", Type: recipe.TypeInt, Default: 2, Check: between(1, 256),
			Help: "The number of workers.",
		},
		{
			Name: "threads", Type: recipe.TypeInt, Default: 1, Check: between(1, 256),
			Help: "Threads of each: processes times threads requests are answered at once.",
		},
		{
			Name: "timeout", Type: recipe.TypeInt, Default: 60, Check: between(1, 3600),
			Help: "Seconds after which a request is given up and its worker replaced: uWSGI's harakiri, gunicorn's timeout.",
		},
		{
			Name: "max_requests", Type: recipe.TypeInt, Default: 5000, Check: between(1, 1_000_000_000),
			Help: "Requests after which a worker is replaced by a fresh one.",
		},
		{
			Name: "max_requests_jitter", Type: recipe.TypeInt, Default: 500, Check: between(0, 1_000_000_000),
			Help: "Of gunicorn, whose workers load the application anew: up to so many requests more, for each another number, so that they do not go together. uWSGI 2.0 has no such setting; its workers are forks of the loaded application.",
		},
	}
}

func webappMemoryVariables() []recipe.Variable {
	return []recipe.Variable{
		{
			Name: "reload_on_rss", Type: recipe.TypeInt, Default: 256, Check: between(16, 1_000_000),
			Help: "Megabytes of memory at which a worker, when it has answered, is replaced by a fresh one.",
		},
		{
			Name: "evil_reload_on_rss", Type: recipe.TypeInt, Default: 512, Check: between(16, 1_000_000),
			Help: "Of uWSGI, megabytes at which a worker is killed at once, even in the middle of a request.",
		},
		{
			Name: "min_worker_lifetime", Type: recipe.TypeInt, Default: 0, Check: between(0, 3600),
			Help: "Of uWSGI, seconds in which max_requests and reload_on_rss spare a worker.",
		},
		{
			Name: "memory_max", Type: recipe.TypeInt, Check: between(0, 10_000_000),
			Help: "The last wall, in megabytes for all of it together, at which the kernel kills (MemoryMax=); 0 is evil_reload_on_rss for each process, and once more.",
		},
		{
			Name: "monit", Type: recipe.TypeBool,
			Help: "The last resort: monit looks at it every half minute, and restarts it when three times in succession it answered nobody, or had more than nine tenths of memory_max in all, which no worker's own limit sees; three times in an hour, and then no more. What somebody stopped stays stopped.",
		},
		{
			Name: "graphite", Type: recipe.TypeString, Default: "127.0.0.1:2003", Check: optional(hostPort),
			Help: "The carbon that takes the memory of each worker, every ten seconds, as webapp.HOST.shop.worker.1.rss; empty sends nothing. It may be down.",
		},
		{
			Name: "graphite_prefix", Type: recipe.TypeString, Default: "webapp", Check: graphitePrefix,
			Help: "What those names begin with.",
		},
	}
}

// checkWebapp refuses what does not go together.
func checkWebapp(vars recipe.Values) (string, error) {
	switch {
	case (vars.String("repository") == "") != (vars.String("commit") == ""):
		return "repository", errors.New("goes with commit: which one of it is fetched")
	case vars.String("server") == "uwsgi" && vars.Int("evil_reload_on_rss") <= vars.Int("reload_on_rss"):
		return "evil_reload_on_rss", errors.New("must be above reload_on_rss: else no worker ends in peace")
	case vars.Int("memory_max") > 0 && vars.Int("memory_max") <= vars.Int("reload_on_rss"):
		return "memory_max", errors.New("must be above reload_on_rss: else the kernel kills before a worker is replaced")
	}
	return checkCertificate(webappName)(vars)
}

var (
	pythonModules  = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$`)
	pythonPackages = regexp.MustCompile(`^python3-[a-z0-9][a-z0-9+.-]{0,100}$`)
	releasePaths   = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._/-]{0,200}$`)
	urlPaths       = regexp.MustCompile(`^/[A-Za-z0-9._~/?=&+,:@-]{0,500}$`)
	folderURLs     = regexp.MustCompile(`^(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+/$`)
)

func pythonModule(name string) error {
	if !pythonModules.MatchString(name) {
		return fmt.Errorf("%q: must be a module of Python, as shop.settings", name)
	}
	return nil
}

func wsgiModule(name string) error {
	module, object, _ := strings.Cut(name, ":")
	if pythonModule(module) != nil || pythonModule(object) != nil {
		return fmt.Errorf("%q: must be as shop.wsgi:application", name)
	}
	return nil
}

func pythonPackage(name string) error {
	if !pythonPackages.MatchString(name) {
		return fmt.Errorf("%q: must be a package of Debian's with modules of Python, as python3-django", name)
	}
	return nil
}

func inRelease(name string) error {
	if !releasePaths.MatchString(name) || path.Clean(name) != name {
		return fmt.Errorf("%q: must be a path from the top of the release on", name)
	}
	return nil
}

func urlPath(name string) error {
	if !urlPaths.MatchString(name) {
		return fmt.Errorf("%q: must be a path, as /health", name)
	}
	return nil
}

func folderURL(name string) error {
	if !folderURLs.MatchString(name) {
		return fmt.Errorf("%q: must be as /static/", name)
	}
	return nil
}

func oneLine(text string) error {
	if !utf8.ValidString(text) || !environmentForm.MatchString("A="+text) {
		return errors.New("must be one line")
	}
	return nil
}

// gitRepository and gitCommit refuse what the kind git does.
func gitRepository(url string) error {
	return resource.Git{Path: "/srv/webapp", URL: url, Commit: strings.Repeat("0", 40)}.Validate()
}

func gitCommit(name string) error {
	return resource.Git{Path: "/srv/webapp", URL: "https://example.org/", Commit: name}.Validate()
}

// environmentLines refuses a secret that is no lines of NAME=value, without telling it.
func environmentLines(value any) error {
	number := 0
	for line := range strings.Lines(value.(recipe.Secret).Reveal()) {
		number++
		if line = strings.TrimRight(line, "\n"); line != "" && !environmentForm.MatchString(line) {
			return fmt.Errorf("line %d: must be as NAME=value", number)
		}
	}
	return nil
}
