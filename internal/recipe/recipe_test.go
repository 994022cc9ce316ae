package recipe_test

import (
	"reflect"
	"slices"
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

func of(task string, resources ...recipe.Resource) recipe.Recipe {
	var r recipe.Recipe
	for _, resource := range resources {
		r.Add(resource)
	}
	r.Label(task)
	return r
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
