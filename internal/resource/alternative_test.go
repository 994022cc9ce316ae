package resource_test

import (
	"reflect"
	"strings"
	"testing"

	"provision/internal/engine"
	"provision/internal/recipe"
	"provision/internal/resource"
)

// chosen is what update-alternatives says of the name editor.
func chosen(status, value string, offered ...string) recipe.Effect {
	said := "Status: " + status + "\nBest: /nano\nValue: " + value
	for _, path := range offered {
		said += "\nAlternative: " + path
	}
	return recipe.Known(recipe.CommandKey("choose editor"), recipe.Command{Output: said})
}

func TestAlternative(t *testing.T) {
	wanted, gone := resource.Alternative{Name: "editor", Path: "/vim"}, resource.Alternative{Name: "editor", Absent: true}
	nobody := recipe.Known(recipe.CommandKey("choose editor"), recipe.Command{Exit: 1})
	check(t, []row{
		{name: "nothing is offered", wanted: wanted, found: one(nobody), err: "nothing is offered for editor"},
		{name: "another is offered", wanted: wanted, found: one(chosen("auto", "/nano")), err: "/vim is not offered for editor"},
		{name: "nobody has chosen", wanted: wanted, found: one(chosen("auto", "/nano", "/vim")), kind: recipe.Update, steps: "choose editor", deltas: "value /nano→/vim"},
		{name: "another is chosen", wanted: wanted, found: one(chosen("manual", "/ed", "/vim")), kind: recipe.Update, steps: "choose editor", deltas: "value /ed→/vim"},
		{name: "the best, by chance", wanted: resource.Alternative{Name: "editor", Path: "/nano"}, found: one(chosen("auto", "/nano", "/nano")), kind: recipe.Update, steps: "choose editor", deltas: "status auto→manual"},
		{name: "same", wanted: wanted, found: one(chosen("manual", "/vim", "/vim"))},
		{name: "gone, chosen", wanted: gone, found: one(chosen("manual", "/vim")), kind: recipe.Delete, steps: "choose editor", deltas: "value /vim→/nano"},
		{name: "gone, the best was chosen", wanted: gone, found: one(chosen("manual", "/nano")), kind: recipe.Delete, steps: "choose editor", deltas: "status manual→auto"},
		{name: "gone, nobody has chosen", wanted: gone, found: one(chosen("auto", "/nano"))},
		{name: "gone, nothing is offered", wanted: gone, found: one(nobody)},
	})
}

// What stood there is what somebody had chosen, and no choice by priority.
func TestAlternativeThatStood(t *testing.T) {
	for value, before := range map[string]recipe.Before{"manual": {Line: "/ed"}, "auto": {Nothing: true}} {
		facts := recipe.Facts{}
		facts.Apply(one(chosen(value, "/ed", "/vim")))
		if stood := (resource.Alternative{Name: "editor", Path: "/vim"}).Stood(facts); !reflect.DeepEqual(stood, before) {
			t.Errorf("%s: %+v, want %+v", value, stood, before)
		}
	}
}

// What is offered is known after the package that says that it changes that.
func TestAlternativeOfANewPackage(t *testing.T) {
	var wanted recipe.Recipe
	wanted.Add(resource.Package{Name: "vim", Brings: []recipe.Key{recipe.PathKey("/var/lib/dpkg/alternatives/editor")}})
	wanted.Add(resource.Alternative{Name: "editor", Path: "/vim"})
	facts := recipe.Facts{}
	facts.Apply(one(chosen("auto", "/nano"), recipe.Known(recipe.ListsKey(), recipe.Lists{Known: true})))
	plan, err := engine.NewPlan(wanted, facts)
	if err != nil {
		t.Fatal(err)
	}
	if until := plan.Items[1].Change.Until; !strings.Contains(until, "vim is installed") {
		t.Errorf("%+v", plan.Items[1].Change)
	}
}

func TestAlternativesThatAreRefused(t *testing.T) {
	for _, bad := range []resource.Alternative{
		{Path: "/vim"}, {Name: "editor"}, {Name: "-x", Path: "/vim"}, {Name: "a/b", Path: "/vim"}, {Name: "a b", Path: "/vim"}, {Name: "editor", Path: "vim"}, {Name: "editor", Path: "/a\nb"}, {Name: "../x", Absent: true},
	} {
		if err := bad.Validate(); err == nil {
			t.Errorf("%+v: not refused", bad)
		}
	}
	for _, good := range []resource.Alternative{{Name: "c++", Path: "/usr/bin/g++"}, {Name: "editor", Absent: true}} {
		if err := good.Validate(); err != nil {
			t.Error(err)
		}
	}
}
