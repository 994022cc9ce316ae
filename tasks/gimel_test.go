package tasks

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"provision/internal/recipe"
	"provision/internal/resource"
)

// gimelOptions are settings other than the default, each of which can be turned off again.
var gimelOptions = map[string]map[string]any{
	"names":                 {"server_names": []any{"ab.example.org", "*.ab.example.org"}},
	"tls from files":        {"tls": "files", "tls_certificate": "/etc/ssl/g.pem", "tls_key": "/etc/ssl/private/g.key"},
	"no rate limit":         {"rate_limit": 0},
	"visitors' log":         {"log_visitors": true},
	"given secrets":         {"password": "correct-horse", "api_key": "correct-horse-battery", "hash_key": "correct-horse-battery"},
	"roles":                 {"viewer_password": "only-looking", "read_key": "correct-horse-reads", "track_key": "correct-horse-tracks"},
	"a webhook":             {"webhook": "https://hooks.example.org/T0/B1", "webhook_secret": "correct-horse-signs"},
	"a webhook of the host": {"webhook": "http://127.0.0.1:8065/hooks/x"},
	"redis elsewhere": {"redis_url": "rediss://gimel@redis.example.org:6380", "redis_password": "correct-horse",
		"redis_ca_file": "/etc/ssl/redis.pem"},
	"redis without a password": {"redis_url": "redis+cluster://10.0.0.1:7000,10.0.0.2:7000"},
	"graphite":                 {"graphite": "127.0.0.1:2003", "graphite_prefix": "ab.gimel"},
	"hll":                      {"counting": "hll", "undeclared_cap": 0},
	"events in PostgreSQL":     {"event_log": "postgresql", "event_log_memory": "64mb"},
	"events in files":          {"event_log": "files"},
	"events in BigQuery": {"event_log": "bigquery", "bigquery_dataset": "shop-analytics.gimel", "bigquery_credentials": serviceAccountKey,
		"bigquery_endpoint": "https://bigquery-shop.p.googleapis.com"},
	"one path": {"track_paths": []any{"/measure/it"}},
}

const serviceAccountKey = `{"type": "service_account", "project_id": "shop-analytics", "private_key": "correct-horse"}`

// deployed is a recipe of gimel that brings a release, or none for the version "".
func deployed(t *testing.T, platform recipe.Platform, raw map[string]any, version string) recipe.Recipe {
	t.Helper()
	task := taskNamed(t, "gimel")
	in := input(t, task, platform, raw)
	if version != "" {
		in.Release = &recipe.Release{Version: version, Artifact: func(arch string) (recipe.Artifact, error) {
			return recipe.Artifact{Source: "/tmp/gimel-" + arch, Size: 20e6, SHA256: recipe.Digest([]byte(version + arch))}, nil
		}}
	}
	built, err := task.Build(in)
	if err != nil {
		t.Fatal(err)
	}
	built.Label(task.Name)
	if err := built.Validate(); err != nil {
		t.Fatal(err)
	}
	return built
}

// From a bare host to a release, to an option, to the next release, and back: each
// converges, and its second plan is empty.
func TestGimelConverges(t *testing.T) {
	for _, platform := range recipe.Platforms() {
		for option, raw := range gimelOptions {
			t.Run(fmt.Sprintf("%d/%s/%s", platform.Release, platform.Arch, option), func(t *testing.T) {
				host := bareHost(platform)
				for _, step := range []struct {
					raw     map[string]any
					version string
				}{{nil, "a"}, {raw, ""}, {raw, "b"}, {nil, "a"}} {
					if _, err := host.Converge(deployed(t, platform, step.raw, step.version)); err != nil {
						t.Fatal(err)
					}
				}
				if target := host.Facts.Path(gimelCurrent).Target; target != "releases/a" {
					t.Errorf("current points to %q", target)
				}
			})
		}
	}
}

// A release needs no setting of another one only because a trial saw half of both: all
// that is new goes live in one step, behind the upload, which takes long.
func TestReleaseAndConfigurationAreTriedTogether(t *testing.T) {
	items := deployed(t, recipe.Platforms()[0], nil, "a").Items
	at := slices.IndexFunc(items, func(item recipe.Item) bool { return item.Resource.ID() == "link:"+gimelCurrent })
	config := slices.IndexFunc(items, func(item recipe.Item) bool { return item.Resource.ID() == "file:/etc/gimel/gimel.conf" })
	upload := slices.IndexFunc(items, func(item recipe.Item) bool { _, ok := item.Resource.(resource.Artifact); return ok })
	if upload < 0 || upload > config || config > at {
		t.Fatalf("upload at %d, configuration at %d, link at %d", upload, config, at)
	}
	for _, item := range items[config:at] {
		if _, ok := item.Resource.(resource.File); !ok {
			t.Errorf("%s stands between the configuration and the link", item.Resource.ID())
		}
	}
}

// Without a release nothing of gimel starts; with the first one it does.
func TestNothingStartsWithoutARelease(t *testing.T) {
	platform := recipe.Platforms()[0]
	host := bareHost(platform)
	if _, err := host.Converge(deployed(t, platform, nil, "")); err != nil {
		t.Fatal(err)
	}
	starts := func() bool { return slices.Contains(host.Done, "start "+gimelUnit) }
	if starts() || !slices.Contains(host.Done, "start "+nginxUnit) {
		t.Errorf("without a release: %s", strings.Join(host.Done, ", "))
	}
	if _, err := host.Converge(deployed(t, platform, nil, "a")); err != nil {
		t.Fatal(err)
	}
	if !starts() {
		t.Error("with a release gimel does not start")
	}
}

// What a change makes gimel do; its socket stays whatever comes.
func TestGimelRestarts(t *testing.T) {
	platform := recipe.Platforms()[0]
	wanted := func(raw map[string]any, version string) recipe.Recipe { return deployed(t, platform, raw, version) }
	controls(t, wanted, map[string]controlled{
		"the same release":   {nil, "a", ""},
		"another release":    {nil, "b", "restart gimel.service"},
		"a setting":          {map[string]any{"queue": 10}, "", "restart gimel.service"},
		"a setting of nginx": {map[string]any{"rate_limit": 10}, "", "reload nginx.service"},
	})
}

// controlled is what is done to units for a change of settings or release.
type controlled struct {
	raw     map[string]any
	version string
	want    string
}

// controls brings each change to a host that runs the release a.
func controls(t *testing.T, wanted func(raw map[string]any, version string) recipe.Recipe, changes map[string]controlled) {
	t.Helper()
	for name, c := range changes {
		host := bareHost(recipe.Platforms()[0])
		if _, err := host.Converge(wanted(nil, "a")); err != nil {
			t.Fatal(err)
		}
		host.Done = nil
		if _, err := host.Converge(wanted(c.raw, c.version)); err != nil {
			t.Fatal(err)
		}
		done := slices.DeleteFunc(host.Done, func(title string) bool {
			verb, _, _ := strings.Cut(title, " ")
			return !slices.Contains([]string{"start", "stop", "restart", "reload"}, verb)
		})
		if got := strings.Join(done, ", "); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// A release that the host is said to have is not uploaded, and has to be there.
func TestPresentRelease(t *testing.T) {
	platform := recipe.Platforms()[0]
	host := bareHost(platform)
	for _, version := range []string{"a", "b"} {
		if _, err := host.Converge(deployed(t, platform, nil, version)); err != nil {
			t.Fatal(err)
		}
	}
	task := taskNamed(t, "gimel")
	in := input(t, task, platform, nil)
	for version, want := range map[string]string{"a": "", "c": "is not on the host"} {
		in.Release = &recipe.Release{Version: version, Present: true}
		built, err := task.Build(in)
		if err != nil {
			t.Fatal(err)
		}
		_, err = host.Converge(built)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", version, err, want)
		}
	}
	if target := host.Facts.Path(gimelCurrent).Target; target != "releases/a" {
		t.Errorf("current points to %q", target)
	}
}

// Every task beside every other on one host.
func TestTasksTogether(t *testing.T) {
	for _, platform := range recipe.Platforms() {
		recipes := []recipe.Recipe{deployed(t, platform, nil, "a")}
		for _, task := range All() {
			in := input(t, task, platform, nil)
			of := in.Of
			in.Of = func(name string) recipe.Values { // as one hosts.yaml has them for all
				if name == "graphite" {
					return values(t, taskNamed(t, name), map[string]any{"tls": "self-signed"})
				}
				return of(name)
			}
			switch task.Name {
			case "graphite":
				in.Vars = in.Of(task.Name)
			case "balancer": // 80 and 443 are nginx's
				in.Vars = values(t, task, map[string]any{"ports": []any{"8443"}})
			case secureMetricsName: // a sender's way is where carbon listens
				in.Vars = values(t, task, map[string]any{"role": "receiver"})
			}
			built, err := task.Build(in)
			if err != nil {
				t.Fatal(err)
			}
			built.Label(task.Name)
			recipes = append(recipes, built)
		}
		for _, order := range [][]recipe.Recipe{recipes, reversed(recipes)} {
			joined, err := recipe.Join(order...)
			if err != nil {
				t.Fatal(err)
			}
			if err := joined.Validate(); err != nil {
				t.Fatal(err)
			}
			if _, err := bareHost(platform).Converge(joined); err != nil {
				t.Error(err)
			}
		}
	}
}

func reversed(recipes []recipe.Recipe) []recipe.Recipe {
	turned := slices.Clone(recipes)
	slices.Reverse(turned)
	return turned
}

func TestGimelTellsNoSecret(t *testing.T) {
	raw := map[string]any{}
	maps.Copy(raw, gimelOptions["given secrets"])
	maps.Copy(raw, gimelOptions["events in BigQuery"])
	task := taskNamed(t, "gimel")
	in := input(t, task, recipe.Platforms()[0], raw)
	for _, text := range []string{
		strings.Join(task.After(in), "\n"), fmt.Sprintf("%#v", checks(t, task, in)),
		fmt.Sprintf("%#v", deployed(t, recipe.Platforms()[0], raw, "a").Probes()),
	} {
		if strings.Contains(text, "correct-horse") {
			t.Errorf("tells the secret: %s", text)
		}
	}
}

func TestGimelVariablesRefuse(t *testing.T) {
	cases := []struct {
		task, variable string
		raw            any
		want           string
	}{
		{"gimel", "track_paths", []any{}, "at least one"},
		{"gimel", "track_paths", []any{"track"}, "must be a path"},
		{"gimel", "track_paths", []any{"/a;b"}, "must be a path"},
		{"gimel", "track_paths", []any{"/metrics"}, "another meaning"},
		{"gimel", "track_paths", []any{"/api/v1"}, "another meaning"},
		{"gimel", "password", "short", "8 to 200"},
		{"gimel", "viewer_password", "short", "8 to 200"},
		{"gimel", "webhook", "http://hooks.example.org/x", "must be https"},
		{"gimel", "webhook", "hooks.example.org/x", "must be a URL"},
		{"gimel", "webhook", "https://user:word@hooks.example.org/x", "without a user"},
		{"gimel", "api_key", "a\nbcdefghijklmnopq", "one line"},
		{"gimel", "track_paths", []any{"/a/../b"}, "must be a path"},
		{"gimel", "track_paths", []any{"/."}, "must be a path"},
		{"gimel", "redis_url", "http://x", "must be a URL"},
		{"gimel", "redis_url", "redis://x:0", "HOST:PORT"},
		{"gimel", "redis_url", "redis://x:70000", "HOST:PORT"},
		{"gimel", "redis_url", "redis://x:22x", "HOST:PORT"},
		{"gimel", "redis_url", "redis://fe80::1:6379", "HOST:PORT"},
		{"gimel", "redis_url", "redis://x:6379,y:6379", "several hosts"},
		{"gimel", "redis_url", "redis://x/first", "behind the hosts"},
		{"gimel", "redis_url", "redis+sentinel://x:1,y:2", "needs /MASTER"},
		{"gimel", "redis_url", "redis+cluster://x:1/2", "behind the hosts"},
		{"gimel", "redis_url", "unix:///run/../x", "without .."},
		{"gimel", "redis_ca_file", "ca.pem", "absolute path"},
		{"gimel", "graphite", "x:0", "HOST:PORT"},
		{"gimel", "graphite", "x:+1", "HOST:PORT"},
		{"gimel", "graphite", "x:70000", "HOST:PORT"},
		{"gimel", "graphite", "x:1\n", "HOST:PORT"},
		{"gimel", "redis_url", "redis://u:secret@x:6379", "no password"},
		{"gimel", "redis_url", "redis://x\nqueue = 1", "must be a URL"},
		{"gimel", "graphite", "127.0.0.1", "HOST:PORT"},
		{"gimel", "graphite", "a b:2003", "HOST:PORT"},
		{"gimel", "graphite_prefix", "a..b", "must be words"},
		{"gimel", "bigquery_dataset", "gimel", "PROJECT.DATASET"},
		{"gimel", "bigquery_dataset", "shop-analytics.gimel\nsink = files", "PROJECT.DATASET"},
		{"gimel", "bigquery_credentials", "correct-horse", "key of a service account"},
		{"gimel", "bigquery_credentials", `{"type": "external_account", "private_key": "x"}`, "key of a service account"},
		{"gimel", "bigquery_endpoint", "http://bigquery.example.org", "must be a URL"},
		{"gimel", "bigquery_endpoint", "https://x y", "must be a URL"},
		{"gimel", "keep_releases", 1, "must be between"},
		{"gimel", "counting", "guess", "is not one of"},
		{"redis", "bind", []any{"everywhere"}, "must be an address"},
		{"redis", "maxmemory", "0", "must be a size"},
		{"redis", "appendfsync", "no", "is not one of"},
	}
	for _, c := range cases {
		_, err := find(t, c.task, c.variable).Decode(c.raw)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "secret@") {
			t.Errorf("%s.%s = %q: got %v, want %q", c.task, c.variable, c.raw, err, c.want)
		}
	}
}
