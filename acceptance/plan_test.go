package acceptance

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// compareWithPlan holds what an install did against what the plan had announced.
func compareWithPlan(t *testing.T, host machine, planned, done []event) {
	t.Helper()
	changed := map[string]string{}
	for _, e := range of(done, "changed", host.Name) {
		changed[e.Resource] = e.Kind
	}
	announced := map[string]bool{}
	for _, r := range only(t, planned, "plan", host.Name).Resources {
		kind, happened := changed[r.Resource]
		announced[r.Resource] = true
		switch {
		case r.Kind == "same" && happened:
			t.Errorf("%s: %s changed (%s), which was not announced", host.Name, r.Resource, kind)
		case r.Kind == "same" || r.Kind == "maybe":
		case !happened:
			t.Errorf("%s: %s was announced (%s) and did not change", host.Name, r.Resource, r.Kind)
		case kind != r.Kind:
			t.Errorf("%s: %s was announced as %s and was %s", host.Name, r.Resource, r.Kind, kind)
		}
		if strings.HasPrefix(r.Resource, "file:") && r.Kind == "maybe" {
			t.Errorf("%s: %s is only known after %s", host.Name, r.Resource, r.Until)
		}
		if happened && r.Content != nil && r.Content.Form == "text" {
			checkShown(t, host, strings.TrimPrefix(r.Resource, "file:"), r.Content.Diff)
		}
	}
	for resource := range changed {
		if !announced[resource] {
			t.Errorf("%s: %s changed and was in no plan", host.Name, resource)
		}
	}
}

// checkShown compares a new file of the host with what the plan's diff had shown of it.
func checkShown(t *testing.T, host machine, path, diff string) {
	t.Helper()
	var shown strings.Builder
	for line := range strings.Lines(diff) {
		if strings.HasPrefix(line, "+") && !strings.HasPrefix(line, "+++ ") || strings.HasPrefix(line, " ") {
			shown.WriteString(line[1:])
		}
	}
	if content := host.read(t, path); content != shown.String() {
		t.Errorf("%s: %s is\n%s\nthe plan had shown\n%s", host.Name, path, content, shown.String())
	}
}

// brought matches what comes with packages though no package lists it: the state of dpkg
// and apt, what maintainer scripts make (accounts, links, units turned on, caches, copies
// of configuration that was there before), and what services write when they run.
// Provision's own memory is there too, and the file that a Command of the recipe makes of
// the password, on the host, because nothing of it may be shown.
var brought = regexp.MustCompile(strings.Join([]string{
	`^/var/(lib/(dpkg|apt|ucf|python|graphite|nginx|logrotate|postgresql)|cache|log|backups|www|tmp)(/|$)`,
	`^/var/lib/systemd/deb-systemd-helper-enabled(/|$)`, `^/tmp/`, `^/var/lib/provision(/|$)`, `^/etc/nginx/graphite\.htpasswd$`,
	`^/etc/(passwd|group|shadow|gshadow|subuid|subgid)-?$`, `^/etc/(ld\.so\.cache|\.pwd\.lock|inputrc|networks)$`,
	`^/etc/(alternatives|fonts/conf\.d|nginx/modules-enabled|python3|rc[0-9S]\.d)(/|$)`,
	`^/etc/systemd/system/(multi-user|timers)\.target\.wants(/|$)`, `\.dpkg-dist$`,
	`^/usr/local/(lib/python3\.[0-9]+|share/fonts)(/|$)`, `/__pycache__(/|$)`, `\.pyc$`,
	`^/usr/share/(mime|icons|fonts)/`, `\.cache$`,
}, "|"))

// everyFileWasShown compares the host's files now with those of the bare host: what no
// package brought has to be a resource of the plan.
func everyFileWasShown(t *testing.T, host machine, bare files, plan event) {
	t.Helper()
	known := packaged(t, host)
	for _, r := range plan.Resources {
		for _, kind := range []string{"file:", "directory:", "link:", "line:"} {
			if path, ok := strings.CutPrefix(r.Resource, kind); ok {
				known[path] = true
			}
		}
	}
	now := host.snapshot(t)
	for _, path := range union(bare, now) {
		if bare[path] == now[path] || known[path] || known[aliased(path)] || running.MatchString(path) || brought.MatchString(path) ||
			strings.Contains(now[path], " /etc/alternatives/") {
			continue
		}
		t.Errorf("%s: %s is %q, was %q: in no package and in no plan", host.Name, path, now[path], bare[path])
	}
}

// aliased is the path under which a package may list a file of /usr: packages of Debian 12
// still have some in /lib, which is a link there.
func aliased(path string) string { return strings.TrimPrefix(path, "/usr") }

// packaged returns all paths that dpkg knows of.
func packaged(t *testing.T, host machine) map[string]bool {
	t.Helper()
	lists, err := filepath.Glob(filepath.Join(host.Root(), "var/lib/dpkg/info/*.list"))
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, list := range lists {
		data, err := os.ReadFile(list)
		if err != nil {
			t.Fatal(err)
		}
		for path := range strings.Lines(string(data)) {
			known[strings.TrimSuffix(path, "\n")] = true
		}
	}
	return known
}
