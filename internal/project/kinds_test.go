package project

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"provision/internal/recipe"
	"provision/internal/resource"
)

// Each field of a kind of resource, as its example makes one, can be said in a task, but for those that are
// left out here.
func TestEveryFieldHasAParameter(t *testing.T) {
	leftOut := map[string]map[string]string{ // and why
		"file":       {"secret": "its content says so", "hides": "a timer says so"},
		"directory":  {"secret": "what leaves with a secret in it says so"},
		"line":       {"secret": "its line says so"},
		"block":      {"secret": "its text says so"},
		"deb":        {"artifact": "source says so"},
		"package":    {"upgrade": "the command line says so", "spares": "a purge says so"},
		"service":    {"follows": "a hint of the tasks that ship", "mend": "a hint of the tasks that ship", "instead": "a hint of the tasks that ship"},
		"repository": {"decides": "resource's own"},
		"timer":      {"oncalendar": "calendar"},
		"release":    {"task": "its task", "home": "releases says so"},
	}
	remembered := []string{"ours", "boots"} // what only the host's own memory of what was wanted says
	for _, w := range Words(shipped()) {
		if w.Group != Resources {
			continue
		}
		t.Run(w.Name, func(t *testing.T) {
			first := built(t, example(t, w), nil).Items[0]
			made := reflect.TypeOf(first.Resource)
			switch {
			case first.Of != nil:
				made = reflect.TypeOf(first.Of)
			case w.Name == releaseWord: // which has none before one is deployed
				made = reflect.TypeFor[resource.Releases]()
			}
			for _, field := range reflect.VisibleFields(made) {
				name := strings.ToLower(field.Name)
				has := slices.ContainsFunc(w.Parameters, func(p Parameter) bool { return p.Name == name })
				if _, left := leftOut[w.Name][name]; !field.Anonymous && !slices.Contains(remembered, name) && has == left {
					t.Errorf("%s: a parameter %v, and left out %v: it is either of them, a parameter in kinds_*.go or left out here", name, has, left)
				}
			}
		})
		delete(leftOut, w.Name)
	}
	for name := range leftOut {
		t.Errorf("%s: has a row here, and no word in kinds_*.go", name)
	}
}

// filesOfExamples are the project's files that examples name.
const filesOfExamples = "-- templates/env.tmpl --\n-- templates/shop.conf.tmpl --\n-- templates/site.tmpl --\n-- files/www/a --\n-- files/shop_1.4.2_all.deb --\n"

// example is a project with the example of a word in its task, where that is a part of one.
func example(t *testing.T, w *Word) *Project {
	t.Helper()
	task := "variables = [var(\"domain\", str), var(\"token\", secret), var(\"port\", int)]\n"
	switch w.Group {
	case Variables, Facts, Exports, Actions, Hooks:
		task = w.Example + "\ndef build(v, host):\n    return []\n"
	case Checks:
		task += "def build(v, host):\n    return []\ndef verify(v, host):\n    return [" + w.Example + "]\n"
	default:
		if w.Group == Parts {
			task += "needs = [\"nginx\"]\n"
		}
		if w.Name == releaseWord {
			task += "releases = \"/opt/shop\"\n"
		}
		task += "def build(v, host):\n    return [" + w.Example + ", service(\"nginx.service\"), service(\"redis-server.service\")]\n"
		if w.Name != "service" {
			task = strings.Replace(task, "service(\"nginx", "service(\"shop.service\"), service(\"nginx", 1)
		}
	}
	p, _ := open(t, "-- tasks/shop.star --\n"+task+filesOfExamples)
	return p
}

// The example of each word can be read, and the task of it built.
func TestExamples(t *testing.T) {
	for _, w := range Words(shipped()) {
		if w.Group == Tests {
			continue // TestExamplesOfTests runs them
		}
		t.Run(w.Name, func(t *testing.T) {
			if err := buildAll(example(t, w), nil); err != nil {
				t.Errorf("%v\n%s", err, w.Example)
			}
		})
	}
}

// An empty list of what a package brings, or a command changes, says something; no list does not.
func TestNothingIsBrought(t *testing.T) {
	p, _ := open(t, `
-- tasks/shop.star --
def build(v, host):
    return [
        package("aa"),
        package("bb", brings = []),
        command("c", "true", unless = "true"),
        command("d", "true", unless = "true", changes = []),
    ]
`)
	want := []string{"aa is installed", "", "c", ""}
	for i, r := range listed(built(t, p, nil)) {
		if until := r.(recipe.Unconfined).Unconfined(); until != want[i] {
			t.Errorf("%s: %q, want %q", r.ID(), until, want[i])
		}
	}
}
