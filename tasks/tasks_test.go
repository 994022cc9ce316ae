package tasks

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"provision/internal/recipe"
	"provision/internal/resource"
)

// needed are values of the variables that have to be set.
var needed = map[string]map[string]any{
	"balancer":    {"servers": []any{"192.0.2.21", "192.0.2.22"}},
	"failover":    {"address": "192.0.2.100/24"},
	"healthcheck": {"domain": "shop.example.org"},
}

// values returns a task's variables with raw ones laid over the defaults, decoded as the
// inventory would.
func values(t testing.TB, task recipe.Task, raw map[string]any) recipe.Values {
	t.Helper()
	decoded := recipe.Values{}
	for _, variable := range task.Variables {
		decoded[variable.Name] = variable.Zero()
		value, set := raw[variable.Name]
		if variable.Needed && !set {
			value, set = needed[task.Name][variable.Name]
		}
		if !set {
			continue
		}
		var err error
		if decoded[variable.Name], err = variable.Decode(value); err != nil {
			t.Fatalf("%s.%s: %v", task.Name, variable.Name, err)
		}
	}
	for name := range raw {
		if _, declared := decoded[name]; !declared {
			t.Fatalf("%s has no variable %s", task.Name, name)
		}
	}
	return decoded
}

func taskNamed(t testing.TB, name string) recipe.Task {
	t.Helper()
	for _, task := range All() {
		if task.Name == name {
			return task
		}
	}
	t.Fatalf("no task %s", name)
	return recipe.Task{}
}

func input(t testing.TB, task recipe.Task, platform recipe.Platform, raw map[string]any) recipe.Input {
	t.Helper()
	return recipe.Input{
		Vars: values(t, task, raw), System: platform.System, Address: "198.51.100.7", Host: recipe.HostOf(web1, platform), Peers: peersOf(t),
		Of: func(name string) recipe.Values {
			if !slices.Contains(task.Uses, name) {
				t.Fatalf("%s reads the variables of %s, which it does not use", task.Name, name)
			}
			return values(t, taskNamed(t, name), nil)
		},
	}
}

// withTasks is the input, where the host has these tasks.
func withTasks(in recipe.Input, tasks ...string) recipe.Input {
	in.Host = recipe.HostOf(recipe.Listed{Name: in.Host.Name(), Address: in.Host.Address(), Tasks: tasks}, recipe.Platforms()[0])
	return in
}

func build(t testing.TB, task recipe.Task, platform recipe.Platform, raw map[string]any) recipe.Recipe {
	t.Helper()
	built, err := task.Build(input(t, task, platform, raw))
	if err != nil {
		t.Fatal(err)
	}
	built.Label(task.Name)
	if err := built.Validate(); err != nil {
		t.Fatal(err)
	}
	return built
}

// toggles are settings of graphite other than the default, each of them an option that
// can be turned off again.
var toggles = map[string]map[string]any{
	"without a password":     {"auth": false},
	"a given password":       {"password": "it's \"my\" $ecret %s"},
	"tls self-signed":        {"tls": "self-signed"},
	"tls from files":         {"tls": "files", "tls_certificate": "/etc/ssl/g.pem", "tls_key": "/etc/ssl/private/g.key"},
	"postgresql":             {"database": "postgresql"},
	"carbon for networks":    {"carbon_listen": []any{"10.1.0.0/16", "2001:db8::/32"}},
	"carbon for IPv4":        {"carbon_listen": []any{"192.0.2.5/32"}},
	"a cluster":              {"carbon_nodes": []any{"10.0.0.1", "10.0.0.2", "2001:db8::3"}, "carbon_listen": []any{"10.1.0.0/16"}},
	"pickle":                 {"carbon_pickle": true},
	"names":                  {"server_names": []any{"graphite.example.org", "*.metrics.example.org"}, "tls": "self-signed"},
	"pickle, networks, open": {"carbon_pickle": true, "carbon_listen": []any{"10.0.0.0/8"}, "auth": false},
}

// everyBuild calls f with every task, platform and toggle.
func everyBuild(t *testing.T, f func(t *testing.T, task recipe.Task, platform recipe.Platform, raw map[string]any)) {
	for _, task := range All() {
		for _, platform := range recipe.Platforms() {
			name := fmt.Sprintf("%s/%d/%s", task.Name, platform.Release, platform.Arch)
			t.Run(name+"/defaults", func(t *testing.T) { f(t, task, platform, nil) })
			if task.Name != "graphite" {
				continue
			}
			for option, raw := range toggles {
				t.Run(name+"/"+option, func(t *testing.T) { f(t, task, platform, raw) })
			}
		}
	}
}

func TestEveryTaskBuilds(t *testing.T) {
	everyBuild(t, func(t *testing.T, task recipe.Task, platform recipe.Platform, raw map[string]any) {
		built := build(t, task, platform, raw)
		if len(built.Items) == 0 {
			t.Fatal("an empty recipe")
		}
		// Alone, and beside the tasks that it may share a host with.
		if _, err := recipe.Join(built); err != nil {
			t.Fatal(err)
		}
		joined, err := recipe.Join(built, build(t, taskNamed(t, "nginx"), platform, nil), build(t, taskNamed(t, "uwsgi"), platform, nil))
		if err != nil {
			t.Fatal(err)
		}
		if err := joined.Validate(); err != nil {
			t.Fatal(err)
		}
	})
}

// A service that is notified must be in the recipe, or nobody would restart it.
func TestNotifiedServicesAreThere(t *testing.T) {
	everyBuild(t, func(t *testing.T, task recipe.Task, platform recipe.Platform, raw map[string]any) {
		built := build(t, task, platform, raw)
		last := map[string]int{}
		for i, item := range built.Items {
			if service, ok := item.Resource.(resource.Service); ok {
				last[service.Unit] = i
			}
		}
		for i, item := range built.Items {
			var notified []string
			for _, n := range item.Notifies {
				notified = append(notified, n.Unit)
			}
			if p, ok := item.Resource.(resource.Package); ok {
				notified = append(notified, p.Restarts...)
			}
			for _, unit := range notified {
				if at, ok := last[unit]; !ok || at < i {
					t.Errorf("%s notifies %s, which does not come after it", item.Resource.ID(), unit)
				}
			}
		}
	})
}

// startNothing are packages without a service.
var startNothing = []string{"openssl", "python3", "uwsgi-core", "uwsgi-plugin-python3"}

// Everything that a service reads is there before a package could start it.
func TestConfigurationComesBeforePackages(t *testing.T) {
	everyBuild(t, func(t *testing.T, task recipe.Task, platform recipe.Platform, raw map[string]any) {
		if slices.Contains([]string{"uwsgi", "postgresql", "dashboard"}, task.Name) { // which run as their packages have them, or have none
			return
		}
		packages, files := -1, 0
		for i, item := range build(t, task, platform, raw).Items {
			switch kind := item.Resource.(type) {
			case resource.Package:
				if packages < 0 && !slices.Contains(startNothing, kind.Name) {
					packages = i
				}
			case resource.File:
				if kind.Absent {
					continue
				}
				files++
				if packages >= 0 {
					t.Errorf("%s comes after a package", kind.Path)
				}
			}
		}
		if packages < 0 || files == 0 {
			t.Errorf("package at %d, %d files", packages, files)
		}
	})
}

// What a package may change is never a file whose content the recipe knows: each has to
// be shown in full before it is written.
func TestPackagesBringNoFileOfOurs(t *testing.T) {
	everyBuild(t, func(t *testing.T, task recipe.Task, platform recipe.Platform, raw map[string]any) {
		built := build(t, task, platform, raw)
		asked := map[recipe.Key]string{}
		for _, item := range built.Items {
			for _, key := range item.Keys() {
				asked[key] = item.Resource.ID()
			}
		}
		for _, item := range built.Items {
			brought, ok := item.Resource.(resource.Package)
			if !ok {
				continue
			}
			for _, key := range brought.Brings {
				id, known := asked[key]
				if !known {
					t.Errorf("package %s brings %s, which nothing asks about", brought.Name, key)
				}
				if strings.HasPrefix(id, "file:") || strings.HasPrefix(id, "directory:") {
					t.Errorf("package %s brings %s: it would not be shown", brought.Name, id)
				}
			}
		}
	})
}

// What follows in a task that ships is known: each package and each command says what else it may
// change of it.
func TestWhatMayChangeIsSaid(t *testing.T) {
	everyBuild(t, func(t *testing.T, task recipe.Task, platform recipe.Platform, raw map[string]any) {
		for _, item := range build(t, task, platform, raw).Items {
			if unconfined, ok := item.Resource.(recipe.Unconfined); ok && unconfined.Unconfined() != "" {
				t.Errorf("%s does not say what it may change", item.Resource.ID())
			}
		}
	})
}

// Probes are asked before the controller knows the host's name and release, in one round
// trip: a guard may not depend on them.
func TestGuardsAreTheSameOnEveryPlatform(t *testing.T) {
	for _, task := range All() {
		for _, raw := range toggles {
			if task.Name != "graphite" {
				raw = nil
			}
			guards := map[recipe.Key]string{}
			for _, platform := range append(recipe.Platforms(), recipe.Platform{System: recipe.System{Release: 12, Arch: "amd64"}, Hostname: "other"}) {
				for _, probe := range build(t, task, platform, raw).Probes() {
					if guard, seen := guards[probe.Key]; seen && guard != probe.Script {
						t.Errorf("%s of %s is not the same on %+v", probe.Key, task.Name, platform)
					}
					guards[probe.Key] = probe.Script
				}
			}
		}
	}
}

// A guard says what it reads: at least the recipe's own files that its text names.
func TestGuardsSayWhatTheyRead(t *testing.T) {
	everyBuild(t, func(t *testing.T, task recipe.Task, platform recipe.Platform, raw map[string]any) {
		checkGuards(t, build(t, task, platform, raw))
	})
	checkGuards(t, deployed(t, recipe.Platforms()[0], nil, "a"))
}

func checkGuards(t *testing.T, built recipe.Recipe) {
	t.Helper()
	for _, item := range built.Items {
		command, ok := item.Resource.(resource.Command)
		if !ok {
			continue
		}
		if len(command.Reads) == 0 {
			t.Errorf("the guard of %s does not say what it reads", command.ID())
		}
		words := strings.FieldsFunc(command.Unless, func(r rune) bool { return strings.ContainsRune(" \n\"'=()<>;", r) })
		for _, other := range built.Items {
			path, ok := strings.CutPrefix(other.Resource.ID(), "file:")
			if ok && slices.Contains(words, path) && !slices.Contains(command.Reads, recipe.PathKey(path)) {
				t.Errorf("the guard of %s reads %s, and does not say so", command.ID(), path)
			}
		}
	}
}

// checks returns a task's checks.
func checks(t testing.TB, task recipe.Task, in recipe.Input) []recipe.Check {
	t.Helper()
	made, err := task.Verify(in)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func TestVerifyAndAfterTellNoSecret(t *testing.T) {
	const word = "correct-horse-battery"
	task := taskNamed(t, "graphite")
	for _, platform := range recipe.Platforms() {
		for _, raw := range []map[string]any{{"password": word}, {"password": word, "tls": "self-signed"}} {
			in := input(t, task, platform, raw)
			built := build(t, task, platform, raw)
			for _, text := range []string{
				strings.Join(task.After(in), "\n"),
				fmt.Sprintf("%#v", checks(t, task, in)),
				fmt.Sprintf("%#v", built.Probes()),
			} {
				if strings.Contains(text, word) {
					t.Errorf("the password is in %s", text)
				}
			}
		}
	}
}
