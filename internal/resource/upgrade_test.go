package resource_test

import (
	"slices"
	"testing"
	"time"

	"provision/internal/engine"
	"provision/internal/recipe"
	"provision/internal/resource"
)

func TestPackageUpgrade(t *testing.T) {
	is := func(status, version, candidate string) []recipe.Effect {
		return one(
			recipe.Known(recipe.PackageKey("pp"), recipe.Package{Status: status, Version: version}),
			recipe.Known(recipe.CandidateKey("pp"), recipe.Candidate{Version: candidate}),
		)
	}
	left := resource.Package{Name: "pp", Restarts: []string{"p.service"}}
	wanted := left
	wanted.Upgrade = true
	check(t, []row{
		{name: "not asked for", wanted: left, found: is("ii", "1", "1:2~b")},
		{name: "newest", wanted: wanted, found: is("ii", "1", "1")},
		{name: "no candidate", wanted: wanted, found: is("ii", "1", "")},
		{name: "on hold", wanted: wanted, found: is("hi", "1", "1:2~b")},
		{name: "newer there", wanted: wanted, found: is("ii", "1", "1:2~b"), kind: recipe.Update, steps: "install pp=1:2~b", deltas: "version 1→1:2~b"},
		{name: "not installed", wanted: wanted, found: is("", "", "2"), kind: recipe.Create, steps: "install pp"},
	})
	var facts recipe.Facts = map[recipe.Key]recipe.Fact{}
	facts.Apply(is("ii", "1", "2"))
	change, err := wanted.Diff(facts)
	if err != nil {
		t.Fatal(err)
	}
	facts.Apply(change.Effects())
	if got := facts[recipe.PackageKey("pp")].Until; got != "pp 2 is installed" {
		t.Errorf("after the upgrade the package is known once %q", got)
	}
	if got := facts.Pending("p.service").Action; got != recipe.Restart {
		t.Errorf("after the upgrade the service has %q before it", got)
	}
}

// Lists that are too old leave open what there is to upgrade to, and with that what restarts.
func TestUpgradedRecipe(t *testing.T) {
	var wanted recipe.Recipe
	wanted.Add(resource.Package{Name: "pp", Restarts: []string{"p.service"}, Brings: []recipe.Key{recipe.PathKey("/p")}})
	wanted.Add(resource.Package{Name: "gone", Absent: true})
	wanted.Add(resource.File{Path: "/q", Absent: true})
	wanted.Add(resource.File{Path: "/p", Absent: true})
	wanted.Add(resource.Service{Unit: "p.service"})
	upgraded := resource.Upgraded(wanted)
	kinds := func(lists recipe.Lists, candidate string) []recipe.ChangeKind {
		t.Helper()
		var facts recipe.Facts = map[recipe.Key]recipe.Fact{}
		facts.Apply(one(
			recipe.Known(recipe.PackageKey("pp"), recipe.Package{Status: "ii", Version: "1"}),
			recipe.Known(recipe.CandidateKey("pp"), recipe.Candidate{Version: candidate}),
			recipe.Known(recipe.ListsKey(), lists),
			recipe.Known(recipe.UnitKey("p.service"), recipe.Unit{Load: "loaded", Active: "active", State: "enabled"}),
		))
		plan, err := engine.NewPlan(upgraded, facts)
		if err != nil {
			t.Fatal(err)
		}
		var all []recipe.ChangeKind
		for _, planned := range plan.Items {
			all = append(all, planned.Change.Kind)
		}
		return all
	}
	for _, test := range []struct {
		name      string
		lists     recipe.Lists
		candidate string
		want      []recipe.ChangeKind // lists, pp, gone, /q, /p, p.service
	}{
		{"same", recipe.Lists{Known: true, Age: resource.UpgradeListsMaxAge}, "1", []recipe.ChangeKind{"", "", "", "", "", ""}},
		{"newer", recipe.Lists{Known: true}, "2", []recipe.ChangeKind{"", recipe.Update, "", "", recipe.MayBe, recipe.Act}},
		{"old lists", recipe.Lists{Known: true, Age: resource.UpgradeListsMaxAge + time.Second}, "1", []recipe.ChangeKind{recipe.Act, recipe.MayBe, "", "", recipe.MayBe, recipe.MayBe}},
		{"no lists", recipe.Lists{}, "", []recipe.ChangeKind{recipe.Act, recipe.MayBe, "", "", recipe.MayBe, recipe.MayBe}},
	} {
		if got := kinds(test.lists, test.candidate); !slices.Equal(got, test.want) {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
	if items := resource.Upgraded(recipe.Recipe{Items: wanted.Items[1:2]}).Items; len(items) != 1 {
		t.Errorf("nothing to upgrade, and there are %d items", len(items))
	}
}
