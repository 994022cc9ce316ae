package acceptance

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"provision/internal/proof"
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
		case r.Kind == "same" || r.Kind == "maybe" || r.Kind == "becomes":
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

// everyFileWasShown compares the host's files now with those of the bare host: what no
// package brought has to be a resource of the plan.
func everyFileWasShown(t *testing.T, host machine, bare proof.State, plan event) {
	t.Helper()
	known := packaged(t, host)
	for _, r := range plan.Resources {
		for _, kind := range []string{"file:", "directory:", "link:", "line:"} {
			if path, ok := strings.CutPrefix(r.Resource, kind); ok {
				known[path] = true
			}
		}
	}
	for _, d := range bare.Only("file").Differences(host.look(t).Only("file"), proof.Except("debian", "packages")) {
		if !known[d.Name] && !known[aliased(d.Name)] && !strings.Contains(d.After, " /etc/alternatives/") {
			t.Errorf("%s: %s: in no package and in no plan", host.Name, d)
		}
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
