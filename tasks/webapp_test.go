package tasks

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"provision/internal/recipe"
	"provision/internal/resource"
)

const oneCommit = "3f2a0c7de1b84c5f9a6e7d2b1c0f8e4d5a6b7c8d"

// webappOptions are settings other than the default, each of which can be turned off again.
var webappOptions = map[string]map[string]any{
	"gunicorn":       {"server": "gunicorn", "threads": 4},
	"names, tls":     {"server_names": []any{"shop.example.org", "*.shop.example.org"}, "tls": "self-signed"},
	"tls from files": {"tls": "files", "tls_certificate": "/etc/ssl/s.pem", "tls_key": "/etc/ssl/private/s.key"},
	"django":         {"module": "shop.wsgi:application", "packages": []any{"python3-django"}, "django_settings": "shop.settings", "static": "static"},
	"environment":    {"environment": []any{"A=a b"}, "secrets": "TOKEN=correct-horse\n", "after": []any{"postgresql.service"}},
	"unmeasured":     {"graphite": ""},
	"monit":          {"monit": true},
	"virtualenv":     {"requirements": "requirements.txt"},
	"from git":       {"repository": "https://example.org/shop.git", "commit": oneCommit},
	"account":        {"user": "www-shop"},
}

// deployedWebapp is a recipe that brings a release, or none for the version "", of an instance.
func deployedWebapp(t *testing.T, platform recipe.Platform, instance string, raw map[string]any, version string) recipe.Recipe {
	t.Helper()
	in := input(t, taskNamed(t, "webapp"), platform, raw)
	in.Instance = instance
	switch version {
	case "":
	case "fetched":
		in.Release = &recipe.Release{}
	default:
		in.Release = &recipe.Release{Version: version, Artifact: func(string) (recipe.Artifact, error) {
			return recipe.Artifact{Source: "/tmp/shop.tar", Size: 1e6, SHA256: recipe.Digest([]byte(version))}, nil
		}}
	}
	built, err := taskNamed(t, "webapp").Build(in)
	if err != nil {
		t.Fatal(err)
	}
	built.Label(in.Named("webapp"))
	if err := built.Validate(); err != nil {
		t.Fatal(err)
	}
	return built
}

// From a bare host to a release, to an option, to the next release, and back: each converges, and its
// second plan is empty.
func TestWebappConverges(t *testing.T) {
	for _, platform := range recipe.Platforms() {
		if platform.Arch != "amd64" {
			continue
		}
		for option, raw := range webappOptions {
			t.Run(fmt.Sprintf("%d/%s", platform.Release, option), func(t *testing.T) {
				host := bareHost(platform)
				for _, step := range []struct {
					raw     map[string]any
					version string
				}{{nil, "a"}, {raw, ""}, {raw, "b"}, {nil, "a"}} {
					if _, err := host.Converge(deployedWebapp(t, platform, "", step.raw, step.version)); err != nil {
						t.Fatal(err)
					}
				}
				if target := host.Facts.Path("/srv/webapp/current").Target; target != "releases/a" {
					t.Errorf("current points to %q", target)
				}
			})
		}
	}
}

// Two of them share nothing but what both need.
func TestWebappInstances(t *testing.T) {
	platform := recipe.Platforms()[0]
	both, err := recipe.Join(deployedWebapp(t, platform, "shop", nil, "a"), deployedWebapp(t, platform, "blog", webappOptions["gunicorn"], "b"), deployedWebapp(t, platform, "", nil, "c"))
	if err != nil {
		t.Fatal(err)
	}
	host := bareHost(platform)
	if _, err := host.Converge(both); err != nil {
		t.Fatal(err)
	}
	for home, want := range map[string]string{"/srv/webapp-shop": "releases/a", "/srv/webapp-blog": "releases/b", "/srv/webapp": "releases/c"} {
		if target := host.Facts.Path(home + "/current").Target; target != want {
			t.Errorf("%s runs %q, want %s", home, target, want)
		}
	}
	// Whatever name an instance has, nothing of another has it too.
	if _, err := recipe.Join(deployedWebapp(t, platform, "shop", nil, "a"), deployedWebapp(t, platform, "shop-trial", nil, "b"), deployedWebapp(t, platform, "shop-memory", nil, "c")); err != nil {
		t.Error(err)
	}
	found, there, problem, _ := recipe.Find("webapp@shop", func(string) (recipe.Task, bool) { return taskNamed(t, "webapp"), true })
	if !there || found.Deployed == nil || found.Deployed.Current != "/srv/webapp-shop/current" || !found.Deployed.Fetches {
		t.Errorf("webapp@shop: %s, deployed to %+v", problem, found.Deployed)
	}
}

// A release that the host fetches is a checkout of the commit, under the beginning of its name.
func TestWebappFetches(t *testing.T) {
	platform := recipe.Platforms()[0]
	built := deployedWebapp(t, platform, "", webappOptions["from git"], "fetched")
	at := slices.IndexFunc(built.Items, func(item recipe.Item) bool {
		git, is := item.Resource.(resource.Git)
		return is && git.Path == "/srv/webapp/releases/3f2a0c7de1b8" && git.Commit == oneCommit
	})
	if at < 0 {
		t.Error("no checkout of the commit")
	}
	in := input(t, taskNamed(t, "webapp"), platform, nil)
	in.Release = &recipe.Release{}
	if _, err := buildWebapp(in); err == nil || !strings.Contains(err.Error(), "add --artifact FILE") {
		t.Errorf("nothing to deploy: %v", err)
	}
}

// What nginx or Graphite hears of is nothing to the application.
func TestWebappRestarts(t *testing.T) {
	wanted := func(raw map[string]any, version string) recipe.Recipe {
		return deployedWebapp(t, recipe.Platforms()[0], "", raw, version)
	}
	controls(t, wanted, map[string]controlled{
		"the same release":   {nil, "a", ""},
		"another release":    {nil, "b", "restart webapp.service"},
		"a limit":            {map[string]any{"max_requests": 10}, "", "restart webapp.service"},
		"a setting of nginx": {map[string]any{"static": "static"}, "", "reload nginx.service"},
		"another carbon":     {map[string]any{"graphite": "10.1.2.3:2003"}, "", "restart webapp.memory.service"},
	})
}

// What is in a value stays in it (systemd.exec(5), EnvironmentFile=; read back on Debian 13).
func TestEnvironmentFile(t *testing.T) {
	got := environmentFile("TOKEN=a b\"c$d`e\\f\n\nX=\n")
	if want := "TOKEN=\"a b\\\"c\\$d\\`e\\\\f\"\nX=\"\"\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestWebappTellsNoSecret(t *testing.T) {
	task, raw := taskNamed(t, "webapp"), webappOptions["environment"]
	in := input(t, task, recipe.Platforms()[0], raw)
	for _, text := range []string{
		strings.Join(task.After(in), "\n"), fmt.Sprintf("%#v", checks(t, task, in)),
		fmt.Sprintf("%#v", deployedWebapp(t, recipe.Platforms()[0], "", raw, "a").Probes()),
	} {
		if strings.Contains(text, "correct-horse") {
			t.Errorf("tells the secret: %s", text)
		}
	}
}

func TestWebappRefuses(t *testing.T) {
	for _, c := range []struct {
		variable string
		raw      any
		want     string
	}{
		{"module", "wsgi", "shop.wsgi:application"},
		{"module", "a b:c", "shop.wsgi:application"},
		{"packages", []any{"redis-server"}, "python3-django"},
		{"requirements", "../x", "top of the release"},
		{"requirements", "/etc/x", "top of the release"},
		{"static_url", "/", "/static/"},
		{"health_path", "/a b", "must be a path"},
		{"secrets", "TOKEN=a\nword\n", "line 2"},
		{"commit", "main", "whole name"},
		{"repository", "https://u:p@example.org/x.git", "password"},
		{"repository", "file:///x", "https, http or ssh"},
	} {
		if _, err := find(t, "webapp", c.variable).Decode(c.raw); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("webapp.%s = %q: %v, want %q", c.variable, c.raw, err, c.want)
		}
	}
	for want, raw := range map[string]map[string]any{
		"repository":         {"commit": oneCommit},
		"evil_reload_on_rss": {"evil_reload_on_rss": 256},
		"memory_max":         {"memory_max": 256},
		"tls":                {"tls": "files"},
	} {
		task := taskNamed(t, "webapp")
		if variable, err := task.Check(values(t, task, raw)); err == nil || variable != want {
			t.Errorf("%v: %q, %v", raw, variable, err)
		}
	}
	in := input(t, taskNamed(t, "webapp"), recipe.Platforms()[0], nil)
	in.Instance = strings.Repeat("a", 32)
	if _, err := buildWebapp(in); err == nil || !strings.Contains(err.Error(), "webapp@"+in.Instance+".user") {
		t.Errorf("an account with too long a name: %v", err)
	}
}
