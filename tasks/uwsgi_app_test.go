package tasks

import (
	"strings"
	"testing"

	"provision/internal/recipe"
	"provision/internal/resource"
)

// appWith makes the unit of an application of uWSGI.
func appWith(t *testing.T, app uwsgiApp) string {
	t.Helper()
	app.Name, app.Description, app.User, app.Ini, app.WSGIFile = "shop", "shop", "shop", "/etc/provision/uwsgi/shop.ini", "/srv/shop/wsgi.py"
	var uwsgi recipe.Task
	for _, task := range All() {
		if task.Name == "uwsgi" {
			uwsgi = task
		}
	}
	vars := recipe.Values{}
	for _, variable := range uwsgi.Variables {
		vars[variable.Name] = variable.Default
	}
	r, err := app.files(vars)
	if err != nil {
		t.Fatal(err)
	}
	return r.Items[1].Resource.(resource.File).Content
}

// One text of environment is one assignment, whatever is in its value (systemd.exec(5)).
func TestAppEnvironmentIsOneAssignment(t *testing.T) {
	unit := appWith(t, uwsgiApp{Environment: []string{"A=a LD_PRELOAD=/tmp/x.so", `B="b" \ 50%`, "C=c"}})
	for _, want := range []string{
		"\nEnvironment=\"A=a LD_PRELOAD=/tmp/x.so\"\n", `Environment="B=\"b\" \\ 50%%"` + "\n", "\nEnvironment=C=c\n",
	} {
		if !strings.Contains(unit, want) {
			t.Errorf("%q is not in:\n%s", want, unit)
		}
	}
}

// What would be two words in the unit, or another's unit, is refused where it is written.
func TestAppRefuses(t *testing.T) {
	bad := map[string][]any{
		"name":             {"ssh", "cron", "systemd-journald", "nginx", "redis-server", "user", "lock"},
		"user":             {"a b", "Shop", "1"},
		"writes":           {[]string{"/srv/a /etc"}, []string{"/srv/a\nb"}, []string{"/srv/%h"}},
		"after":            {[]string{"a.service b.service"}, []string{"postgresql"}, []string{"a\n.service"}},
		"environment":      {[]string{"A=a\nb"}, []string{"A=a\x00"}, []string{"A b=c"}},
		"environment_file": {"/srv/a b", "/srv/*"},
	}
	for _, variable := range appPart().Variables {
		for _, value := range bad[variable.Name] {
			if variable.Check == nil || variable.Check(value) == nil {
				t.Errorf("%s: %q passes", variable.Name, value)
			}
		}
		delete(bad, variable.Name)
	}
	if len(bad) > 0 {
		t.Errorf("no variables: %v", bad)
	}
}

// What is right passes.
func TestAppTakes(t *testing.T) {
	good := map[string]any{
		"name": "shop", "user": "shop", "writes": []string{"/var/lib/shop"}, "after": []string{"postgresql.service"},
		"environment": []string{"A=a b", "B="}, "environment_file": "/etc/shop/env",
	}
	for _, variable := range appPart().Variables {
		if value, ok := good[variable.Name]; ok {
			if err := variable.Check(value); err != nil {
				t.Errorf("%s: %v", variable.Name, err)
			}
		}
	}
}
