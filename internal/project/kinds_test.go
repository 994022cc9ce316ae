package project

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"provision/internal/recipe"
	"provision/internal/resource"
)

// Each field of a kind of resource can be said in a task, but for those that are left out here.
func TestEveryFieldHasAParameter(t *testing.T) {
	kinds := map[string]struct {
		made    any
		leftOut map[string]string // why
	}{
		"file":           {resource.File{}, map[string]string{"secret": "its content says so", "hides": "a timer says so"}},
		"directory":      {resource.Directory{}, map[string]string{"secret": "what leaves with a secret in it says so"}},
		"link":           {resource.Link{}, nil},
		"line":           {resource.Line{}, map[string]string{"secret": "its line says so"}},
		"block":          {resource.Block{}, map[string]string{"secret": "its text says so"}},
		"generated":      {resource.Secret{}, nil},
		"certificate":    {resource.Certificate{}, nil},
		"tree":           {resource.Tree{}, nil},
		"deb":            {resource.Deb{}, map[string]string{"artifact": "source says so"}},
		"download":       {resource.Download{}, nil},
		"archive":        {resource.Archive{}, nil},
		"git":            {resource.Git{}, nil},
		"package":        {resource.Package{}, map[string]string{"upgrade": "the command line says so", "spares": "a purge says so"}},
		"service":        {resource.Service{}, map[string]string{"follows": "a hint of the tasks that ship", "mend": "a hint of the tasks that ship", "instead": "a hint of the tasks that ship"}},
		"command":        {resource.Command{}, nil},
		"user":           {resource.User{}, nil},
		"group":          {resource.Group{}, nil},
		"membership":     {resource.Membership{}, nil},
		"authorized_key": {resource.AuthorizedKey{}, nil},
		"hold":           {resource.Hold{}, nil},
		"alternative":    {resource.Alternative{}, nil},
		"repository":     {resource.Repository{}, map[string]string{"decides": "resource's own"}},
		"sysctl":         {resource.Sysctl{}, nil},
		"module":         {resource.Module{}, nil},
		"hostname":       {resource.Hostname{}, nil},
		"timezone":       {resource.Timezone{}, nil},
		"timer":          {resource.Timer{}, map[string]string{"oncalendar": "calendar"}},
		"mount":          {resource.Mount{}, nil},
		"swap":           {resource.Swap{}, nil},
		"release":        {resource.Releases{}, map[string]string{"task": "its task", "home": "releases says so"}},
	}
	remembered := []string{"ours", "boots"} // what only the host's own memory of what was wanted says
	for _, w := range Words(shipped()) {
		if w.Group != Resources {
			continue
		}
		kind, there := kinds[w.Name]
		if !there {
			t.Errorf("%s: kinds has no row of it: its type, and which of its fields have no parameter, and why", w.Name)
			continue
		}
		delete(kinds, w.Name)
		for _, field := range reflect.VisibleFields(reflect.TypeOf(kind.made)) {
			name := strings.ToLower(field.Name)
			has := slices.ContainsFunc(w.Parameters, func(p Parameter) bool { return p.Name == name })
			if _, left := kind.leftOut[name]; !field.Anonymous && !slices.Contains(remembered, name) && has == left {
				t.Errorf("%s: %s: a parameter %v, and left out %v: it is either of them, a parameter in kinds_*.go or left out here", w.Name, name, has, left)
			}
		}
	}
	for name := range kinds {
		t.Errorf("%s: has a row here, and no word in kinds_*.go", name)
	}
}

// filesOfExamples are the project's files that examples name.
const filesOfExamples = "-- templates/env.tmpl --\n-- templates/shop.conf.tmpl --\n-- templates/site.tmpl --\n-- files/www/a --\n-- files/shop_1.4.2_all.deb --\n"

// The example of each word can be read, where it is a part of a task.
func TestExamples(t *testing.T) {
	for _, w := range Words(shipped()) {
		if w.Group == Tests {
			continue // TestExamplesOfTests runs them
		}
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
		files := "-- tasks/shop.star --\n" + task + filesOfExamples
		t.Run(w.Name, func(t *testing.T) {
			unpack(t, txtar.Parse([]byte(files)))
			p, err := Open(".", Options{Shipped: shipped()})
			if err == nil {
				err = buildAll(p, nil)
			}
			if err != nil {
				t.Errorf("%v\n%s", err, task)
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
