package tasks

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"provision/internal/recipe"
	"provision/internal/resource"
)

// uwsgiApp is an application of uWSGI: a hardened unit of its own that listens on a unix
// socket, which nginx may use.
type uwsgiApp struct {
	Name            string // of the unit, without its suffix, and of its folder in /run
	Description     string
	User            string // and group
	Ini             string // path of its configuration
	WSGIFile        string
	Directory       string   // in which it runs, and looks for modules; "" is none
	Virtualenv      string   // of Python, "" is none
	Environment     []string // NAME=value
	EnvironmentFile string   // of such lines, "" is none
	Needs           string   // a path without which it is left alone, "" is none
	After           []string // units that start before it
	WritePaths      []string // the only places that it may write to
}

func (a uwsgiApp) unit() string { return a.Name + ".service" }

// Socket returns the path of the socket that it answers at.
func (a uwsgiApp) Socket() string { return "/run/" + a.Name + "/uwsgi.sock" }

// files are its configuration and its unit.
func (a uwsgiApp) files(vars recipe.Values) (recipe.Recipe, error) {
	var r recipe.Recipe
	settings := struct {
		uwsgiApp
		Processes, Harakiri, MaxRequests, ReloadOnRSS, EvilReloadOnRSS int
	}{
		a, vars.Int("processes"), vars.Int("harakiri"), vars.Int("max_requests"),
		vars.Int("reload_on_rss"), vars.Int("evil_reload_on_rss"),
	}
	err := addFiles(&r, []filePart{
		{path: a.Ini, template: "uwsgi/app.ini.tmpl", data: settings, notifies: restart(a.unit())},
		{path: "/etc/systemd/system/" + a.unit(), template: "uwsgi/app.service.tmpl", data: a, notifies: restart(a.unit())},
	})
	return r, err
}

// service runs the application.
func (a uwsgiApp) service() recipe.Recipe {
	var r recipe.Recipe
	r.Add(resource.Service{Unit: a.unit(), Listens: []string{a.Socket()}, Needs: a.Needs})
	return r
}

// appPart is an application of uWSGI.
func appPart() recipe.Part {
	return recipe.Part{
		Name: "app", Manual: "systemd.exec(5)",
		About: "An application of Python with WSGI, in uWSGI. It is a unit of its own, hardened, which listens on a unix socket that nginx may use: include uwsgi_params; uwsgi_pass unix:{{ nginxValue .socket }}; in its site. Its processes and limits are the variables of the task uwsgi. " +
			"The account and the application's own files have to be there before it. A secret does not go into environment, which everybody may read, but into a file that environment_file names.",
		Leaves:  "The unit is stopped, and its files go.",
		Example: `uwsgi.app("shop", "/srv/shop/wsgi.py", user = "shop", directory = "/srv/shop", writes = ["/var/lib/shop"])`,
		Variables: []recipe.Variable{
			{Name: "name", Type: recipe.TypeString, Needed: true, Check: text(appName), Help: "Of the unit, NAME.service, and of its folder in /run: one of a package is refused."},
			{Name: "wsgi", Type: recipe.TypeString, Needed: true, Check: text(absolutePath), Help: "The file with the application in it, under the name application."},
			{Name: "user", Type: recipe.TypeString, Check: optional(account), Help: "The account that it runs as, who has a group of the same name; else NAME."},
			{Name: "directory", Type: recipe.TypeString, Check: optional(absolutePath), Help: "Where it runs, and where it looks for its modules."},
			{Name: "virtualenv", Type: recipe.TypeString, Check: optional(absolutePath), Help: "The virtual environment with what it imports."},
			{Name: "environment", Type: recipe.TypeList, Check: eachOf(environmentVariable), Help: "Variables of its environment: \"NAME=value\". One of more lines goes into environment_file."},
			{Name: "environment_file", Type: recipe.TypeString, Check: optional(unitPath), Help: "A file with more of them, a line each, that root alone needs to read; it notifies with restart(\"NAME.service\")."},
			{Name: "needs", Type: recipe.TypeString, Check: optional(absolutePath), Help: "A path without which it cannot run, as the link to the release: until that is there, it is left alone."},
			{Name: "after", Type: recipe.TypeList, Check: eachOf(startsBefore), Help: "Units that start before it at boot: \"postgresql.service\"."},
			{Name: "writes", Type: recipe.TypeList, Check: eachOf(unitPath), Help: "The directories that it may write to; nowhere else. They have to be there."},
		},
		Gives: []recipe.Given{{Name: "socket", Help: "The path of its socket, for nginx."}, {Name: "unit", Help: "Its unit, for restart(…)."}},
		Build: func(in recipe.Input) (recipe.Recipe, map[string]string, error) {
			name := in.Vars.String("name")
			app := uwsgiApp{
				Name: name, Description: name + " (uWSGI)", User: in.Vars.String("user"), Ini: configDirectory + "/uwsgi/" + name + ".ini",
				WSGIFile: in.Vars.String("wsgi"), Directory: in.Vars.String("directory"), Virtualenv: in.Vars.String("virtualenv"),
				Environment: in.Vars.List("environment"), EnvironmentFile: in.Vars.String("environment_file"), Needs: in.Vars.String("needs"), After: in.Vars.List("after"), WritePaths: in.Vars.List("writes"),
			}
			if app.User == "" {
				app.User = name
			}
			var r recipe.Recipe
			for _, directory := range []string{configDirectory, path.Dir(app.Ini)} {
				r.Add(resource.Directory{Path: directory})
			}
			files, err := app.files(in.Of("uwsgi"))
			if err != nil {
				return recipe.Recipe{}, nil, err
			}
			for i, item := range files.Items {
				if file, ok := item.Resource.(resource.File); ok && path.Base(file.Path) == app.unit() {
					file.Hides = resource.HiddenBy(app.unit()) // nobody's unit has that name
					files.Items[i].Resource = file
				}
			}
			r.Include(files)
			r.Include(uwsgiPackages([]string{app.unit()}))
			r.Include(app.service())
			return r, map[string]string{"socket": app.Socket(), "unit": app.unit()}, nil
		},
	}
}

func absolutePath(text string) error {
	if !strings.HasPrefix(text, "/") || path.Clean(text) != text {
		return fmt.Errorf("%q: must be a clean absolute path", text)
	}
	return nil
}

// unitPath is a path that stands as a word in a unit file.
func unitPath(text string) error {
	if !unitPaths.MatchString(text) {
		return fmt.Errorf("%q: wants a path of letters, digits and ._/:@+=,()-, as a unit file has it", text)
	}
	return absolutePath(text)
}

var (
	unitPaths    = regexp.MustCompile(`^[A-Za-z0-9._/:@+=,()-]+$`)
	unitNames    = regexp.MustCompile(`^[A-Za-z0-9:_.@-]+\.(service|socket|timer|target|path|mount|swap)$`)
	accountNames = regexp.MustCompile(`^[a-z_][a-z0-9_-]{0,31}$`) // as useradd(8) accepts on Debian
)

func startsBefore(unit string) error {
	if !unitNames.MatchString(unit) {
		return fmt.Errorf("%q: is no name of a unit, as postgresql.service", unit)
	}
	return nil
}

func account(name string) error {
	if !accountNames.MatchString(name) {
		return fmt.Errorf("%q: is no name of an account", name)
	}
	return nil
}

// othersNames are those of units that hosts of Debian have, and of folders in /run that are the
// system's: systemd would give such a folder to the application (systemd.exec(5), RuntimeDirectory=).
var othersNames = []string{
	"apparmor", "atd", "chrony", "console-setup", "credentials", "cron", "dbus", "getty", "ifup", "initctl", "keyboard-setup", "lock",
	"log", "lvm", "mount", "network", "networking", "nftables", "nginx", "polkit", "postgresql", "procps", "provision", "redis",
	"redis-server", "rsyslog", "sendsigs", "shm", "ssh", "sshd", "sudo", "udev", "udevd", "unattended-upgrades", "user", "uuidd", "uwsgi", "wpa_supplicant",
}

func appName(name string) error {
	if slices.Contains(othersNames, name) || strings.HasPrefix(name, "systemd") || strings.HasPrefix(name, "provision-") {
		return fmt.Errorf("%q: is the name of a unit of the system, or of its folder in /run", name)
	}
	return namesPart(name)
}

var environmentForm = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*=[^\pC]*$`)

func environmentVariable(text string) error {
	if !environmentForm.MatchString(text) {
		return fmt.Errorf("%q: must be as NAME=value, in one line", text)
	}
	return nil
}
