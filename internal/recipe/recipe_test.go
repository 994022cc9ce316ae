package recipe_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"provision/internal/recipe"
)

// thing is a resource that is what its fields say.
type thing struct {
	Name, Want string
	Refuse     string
	Asks       []recipe.Probe
}

func (t thing) ID() string                               { return "thing:" + t.Name }
func (t thing) Probes() []recipe.Probe                   { return t.Asks }
func (t thing) Diff(recipe.Facts) (recipe.Change, error) { return recipe.Change{}, nil }
func (t thing) Validate() error {
	if t.Refuse == "" {
		return nil
	}
	return refusal(t.Refuse)
}

type refusal string

func (r refusal) Error() string { return string(r) }

// daemon has its place after all that shares it.
type daemon struct{ thing }

func (d daemon) ID() string { return "daemon:" + d.Name }
func (d daemon) Last() bool { return true }

func of(task string, resources ...recipe.Resource) recipe.Recipe {
	var r recipe.Recipe
	for _, resource := range resources {
		r.Add(resource)
	}
	r.Label(task)
	return r
}

func named(names ...string) []recipe.Resource {
	var all []recipe.Resource
	for _, name := range names {
		all = append(all, thing{Name: name})
	}
	return all
}

func ids(r recipe.Recipe) string {
	var all []string
	for _, item := range r.Items {
		_, name, _ := strings.Cut(item.Resource.ID(), ":")
		all = append(all, name+"/"+item.Task)
	}
	return strings.Join(all, " ")
}

func TestJoin(t *testing.T) {
	nginx := daemon{thing{Name: "nginx"}}
	for _, test := range []struct {
		name    string
		recipes []recipe.Recipe
		want    string
	}{
		{"nothing", nil, ""},
		{"one", []recipe.Recipe{of("x", named("a", "b")...)}, "a/x b/x"},
		{"two apart", []recipe.Recipe{of("x", named("a")...), of("y", named("b")...)}, "a/x b/y"},
		{"the same is one, at its first place", []recipe.Recipe{of("x", named("a", "b")...), of("y", named("c", "a")...)}, "a/x b/x c/y"},
		{"the last one moves", []recipe.Recipe{of("x", thing{Name: "a"}, nginx, thing{Name: "b"}), of("y", thing{Name: "c"}, nginx)}, "a/x b/x c/y nginx/x"},
		{"and moves again", []recipe.Recipe{of("x", nginx), of("y", thing{Name: "a"}, nginx), of("z", thing{Name: "b"}, nginx, thing{Name: "c"})}, "a/y b/z nginx/x c/z"},
		{"alone it stays", []recipe.Recipe{of("x", nginx, thing{Name: "a"})}, "nginx/x a/x"},
	} {
		joined, err := recipe.Join(test.recipes...)
		if err != nil || ids(joined) != test.want {
			t.Errorf("%s: %q, %v; want %q", test.name, ids(joined), err, test.want)
		}
	}
}

func TestJoinRefusesDifferentWants(t *testing.T) {
	_, err := recipe.Join(of("graphite", thing{Name: "a", Want: "1"}), of("gimel", thing{Name: "a", Want: "2"}))
	if err == nil || err.Error() != "thing:a: graphite and gimel want it different" {
		t.Errorf("error %v", err)
	}
}

func TestJoinKeepsTheStrongerNotification(t *testing.T) {
	reload := recipe.Notification{Unit: "a", Action: recipe.Reload}
	restart := recipe.Notification{Unit: "a", Action: recipe.Restart}
	other := recipe.Notification{Unit: "b", Action: recipe.Reload}
	for _, test := range []struct{ first, second, want []recipe.Notification }{
		{nil, nil, nil},
		{[]recipe.Notification{reload}, []recipe.Notification{restart}, []recipe.Notification{restart}},
		{[]recipe.Notification{restart}, []recipe.Notification{reload}, []recipe.Notification{restart}},
		{[]recipe.Notification{reload}, []recipe.Notification{other}, []recipe.Notification{reload, other}},
	} {
		var first, second recipe.Recipe
		first.Add(thing{Name: "a"}, test.first...)
		second.Add(thing{Name: "a"}, test.second...)
		joined, err := recipe.Join(first, second)
		if err != nil || !slices.Equal(joined.Items[0].Notifies, test.want) {
			t.Errorf("%v and %v: %v, %v", test.first, test.second, joined, err)
		}
		if !slices.Equal(first.Items[0].Notifies, test.first) {
			t.Errorf("Join changed its argument: %v", first.Items[0].Notifies)
		}
	}
}

func TestValidate(t *testing.T) {
	asks := thing{Name: "u", Asks: []recipe.Probe{{Key: recipe.PendingKey("u.service")}}}
	note := recipe.Notification{Unit: "u.service", Action: recipe.Reload}
	var good, deaf recipe.Recipe
	good.Add(thing{Name: "a"}, note)
	good.Add(asks)
	good.Label("x")
	deaf.Add(thing{Name: "a"}, note)
	deaf.Label("x")
	for _, test := range []struct {
		recipe recipe.Recipe
		want   string
	}{
		{recipe.Recipe{}, ""},
		{good, ""},
		{deaf, "x: thing:a notifies u.service, which is no service of the recipe"},
		{of("x", thing{Name: "a", Refuse: "thing a: no"}), "x: thing a: no"},
	} {
		err := test.recipe.Validate()
		if test.want == "" && err != nil || test.want != "" && (err == nil || err.Error() != test.want) {
			t.Errorf("error %v, want %q", err, test.want)
		}
	}
}

func TestMerge(t *testing.T) {
	path, other := recipe.PathKey("/a"), recipe.PathKey("/b")
	fill := map[string]string{"X": "/k"}
	probes := []recipe.Probe{{Key: path}, {Key: other, Digest: true}, {Key: path, Digest: true}, {Key: path, Unfill: fill}, {Key: other}, {Key: path}}
	before := slices.Clone(probes)
	got := recipe.Merge(probes)
	want := []recipe.Probe{{Key: path, Digest: true, Unfill: fill}, {Key: other, Digest: true}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	if !reflect.DeepEqual(probes, before) {
		t.Error("Merge changed its argument")
	}
	if got := recipe.Merge(nil); len(got) != 0 {
		t.Errorf("of nothing: %v", got)
	}
}

func TestFacts(t *testing.T) {
	facts := recipe.Facts{}
	facts.Apply([]recipe.Effect{
		recipe.Known(recipe.PathKey("/a"), recipe.Path{Type: recipe.PathFile}),
		recipe.UnknownUntil(recipe.UnitKey("u"), "u is installed"),
	})
	clone := facts.Clone()
	clone.Apply([]recipe.Effect{recipe.Known(recipe.PathKey("/a"), recipe.Path{})})
	if facts.Path("/a").Type != recipe.PathFile || clone.Path("/a").Type != recipe.PathAbsent {
		t.Error("a clone shares its facts")
	}
	if got := facts.Unknown([]recipe.Key{recipe.PathKey("/a"), recipe.UnitKey("u")}); got != "u is installed" {
		t.Errorf("unknown until %q", got)
	}
	if got := facts.Unknown([]recipe.Key{recipe.PathKey("/a"), recipe.PathKey("/never asked")}); got != "" {
		t.Errorf("unknown until %q", got)
	}
}

func TestNearest(t *testing.T) {
	names := []string{"graphite", "nginx", "redis", "uwsgi"}
	for word, want := range map[string]string{
		"grafite": "graphite", "graphit": "graphite", "ngnix": "nginx", "redi": "redis", "uwsg": "uwsgi",
		"nginx": "nginx", "postgresql": "", "": "", "x": "", "nix": "", "rds": "",
	} {
		if got := recipe.Nearest(word, names); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", word, got, want)
		}
	}
}
