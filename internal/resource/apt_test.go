package resource_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"provision/internal/engine"
	"provision/internal/recipe"
	"provision/internal/resource"
)

func TestHold(t *testing.T) {
	is := func(status string) []recipe.Effect {
		return one(recipe.Known(recipe.PackageKey("pp"), recipe.Package{Status: status, Version: "1"}))
	}
	wanted, gone := resource.Hold{Package: "pp"}, resource.Hold{Package: "pp", Absent: true}
	check(t, []row{
		{name: "not installed", wanted: wanted, err: "is not installed"},
		{name: "removed", wanted: wanted, found: is("rc"), err: "is not installed"},
		{name: "installed", wanted: wanted, found: is("ii"), kind: recipe.Create, steps: "hold pp"},
		{name: "same", wanted: wanted, found: is("hi")},
		{name: "gone, none", wanted: gone},
		{name: "gone, installed", wanted: gone, found: is("ii")},
		{name: "gone, held", wanted: gone, found: is("hi"), kind: recipe.Delete, steps: "unhold pp"},
	})
}

const armored = "-----BEGIN PGP PUBLIC KEY BLOCK-----\nComment: x\n\nmQINBF\n=abcd\n-----END PGP PUBLIC KEY BLOCK-----\n"

func TestRepository(t *testing.T) {
	const file = "/etc/apt/sources.list.d/pgdg.sources"
	wanted := resource.Repository{
		Name: "pgdg", URIs: []string{"https://apt.postgresql.org/pub/repos/apt"}, Suites: []string{"bookworm-pgdg"}, Components: []string{"main"}, Key: armored,
	}
	gone := resource.Repository{Name: "pgdg", Absent: true}
	const content = `Types: deb
URIs: https://apt.postgresql.org/pub/repos/apt
Suites: bookworm-pgdg
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 Comment: x
 .
 mQINBF
 =abcd
 -----END PGP PUBLIC KEY BLOCK-----
`
	known := recipe.Known(recipe.ListsKey(), recipe.Lists{Known: true, Age: 100 * time.Hour})
	check(t, []row{
		{name: "none", wanted: wanted, found: one(known), kind: recipe.Create, steps: "write " + file + "; fetch the package lists"},
		{name: "same", wanted: wanted, found: one(known, foundFile(file, content, 0o644))},
		{name: "its lists were not fetched", wanted: wanted, found: one(foundFile(file, content, 0o644)), kind: recipe.Act, steps: "fetch the package lists"},
		{name: "another", wanted: wanted, found: one(known, foundFile(file, "x", 0o644)), kind: recipe.Update, steps: "write " + file + "; fetch the package lists"},
		{name: "gone, there", wanted: gone, found: one(known, foundFile(file, content, 0o644)), kind: recipe.Delete, steps: "remove " + file + "; fetch the package lists"},
		{name: "gone, none", wanted: gone},
	})
	// A source that changes without a Repository leaves apt's lists out of date.
	facts := recipe.Facts{}
	facts.Apply(one(known))
	facts.Apply(recipe.WriteFile{Path: "/etc/apt/sources.list.d/x.list"}.Effects())
	if facts.Lists().Known {
		t.Error("the lists are those of a source that came later")
	}
	byPath := resource.Repository{Name: "a", URIs: []string{"file:/srv/apt"}, Suites: []string{"./"}, Key: "/usr/share/keyrings/a.pgp"}
	change, err := byPath.Diff(facts)
	if err != nil || string(change.Diff.After) != "Types: deb\nURIs: file:/srv/apt\nSuites: ./\nSigned-By: /usr/share/keyrings/a.pgp\n" {
		t.Errorf("%q, %v", change.Diff.After, err)
	}
}

// What there is to upgrade to may be another with a repository's lists.
func TestUpgradeByANewRepository(t *testing.T) {
	var wanted recipe.Recipe
	wanted.Add(resource.Repository{Name: "a", URIs: []string{"file:/srv/apt"}, Suites: []string{"./"}, Key: "/k"})
	wanted.Add(resource.Package{Name: "pp"})
	facts := recipe.Facts{}
	facts.Apply(one(
		recipe.Known(recipe.PackageKey("pp"), recipe.Package{Status: "ii", Version: "1"}), recipe.Known(recipe.CandidateKey("pp"), recipe.Candidate{Version: "1"}),
		recipe.Known(recipe.ListsKey(), recipe.Lists{Known: true}),
	))
	plan, err := engine.NewPlan(resource.Upgraded(wanted), facts)
	if err != nil {
		t.Fatal(err)
	}
	var kinds []recipe.ChangeKind
	for _, planned := range plan.Items {
		kinds = append(kinds, planned.Change.Kind)
	}
	if !slices.Equal(kinds, []recipe.ChangeKind{"", recipe.Create, recipe.MayBe}) {
		t.Errorf("%q", kinds)
	}
}

func TestDeb(t *testing.T) {
	wanted := resource.Deb{Name: "shop", Version: "1.2-3", Artifact: recipe.Artifact{Source: "x", Size: 5, SHA256: recipe.Digest([]byte("deb"))}, Brings: []recipe.Key{recipe.UnitKey("shop.service")}}
	gone := resource.Deb{Name: "shop", Absent: true}
	const file = "/var/cache/apt/archives/shop_7a64bb59c3ef.deb"
	is := func(status, version string) []recipe.Effect {
		return one(recipe.Known(recipe.PackageKey("shop"), recipe.Package{Status: status, Version: version}))
	}
	steps := strings.ReplaceAll("upload FILE; install shop=1.2-3; remove FILE", "FILE", strings.Replace(file, "7a64bb59c3ef", recipe.Digest([]byte("deb"))[:12], 1))
	check(t, []row{
		{name: "none", wanted: wanted, kind: recipe.Create, steps: steps},
		{name: "removed", wanted: wanted, found: is("rc", "1.2-3"), kind: recipe.Create, steps: steps},
		{name: "same", wanted: wanted, found: is("ii", "1.2-3")},
		{name: "same, held", wanted: wanted, found: is("hi", "1.2-3")},
		{name: "another", wanted: wanted, found: is("ii", "1.2-2"), kind: recipe.Update, steps: steps, deltas: "version 1.2-2→1.2-3"},
		{name: "gone, there", wanted: gone, found: is("ii", "1"), kind: recipe.Delete, steps: "purge shop"},
		{name: "gone, none", wanted: gone},
	})
	facts := recipe.Facts{}
	change, err := wanted.Diff(facts)
	if err != nil {
		t.Fatal(err)
	}
	facts.Apply(change.Effects())
	for _, key := range []recipe.Key{recipe.PackageKey("shop"), recipe.UnitKey("shop.service")} {
		if facts[key].Until != "shop 1.2-3 is installed" {
			t.Errorf("%s after the install: %+v", key, facts[key])
		}
	}
}

func TestAptKindsThatAreRefused(t *testing.T) {
	good := resource.Repository{Name: "a", URIs: []string{"https://x/debian"}, Suites: []string{"stable"}, Key: armored}
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
	repository := func(change func(*resource.Repository)) recipe.Validator {
		bad := good
		change(&bad)
		return bad
	}
	for name, bad := range map[string]recipe.Validator{
		"a hold of no name":      resource.Hold{Package: "a b"},
		"a path for a name":      repository(func(r *resource.Repository) { r.Name = "../x" }),
		"no key":                 repository(func(r *resource.Repository) { r.Key = "" }),
		"a key that is none":     repository(func(r *resource.Repository) { r.Key = "mQINBF" }),
		"a key with a field":     repository(func(r *resource.Repository) { r.Key = armored + "\nTrusted: yes\n" }),
		"a key's relative path":  repository(func(r *resource.Repository) { r.Key = "/../x" }),
		"no URI":                 repository(func(r *resource.Repository) { r.URIs = nil }),
		"a URI with a space":     repository(func(r *resource.Repository) { r.URIs = []string{"https://x y"} }),
		"a URI of two lines":     repository(func(r *resource.Repository) { r.URIs = []string{"https://x\nTrusted: yes"} }),
		"a URI of no scheme":     repository(func(r *resource.Repository) { r.URIs = []string{"x/debian"} }),
		"no suite":               repository(func(r *resource.Repository) { r.Suites = nil }),
		"a suite of two lines":   repository(func(r *resource.Repository) { r.Suites = []string{"a\nb"} }),
		"a component of options": repository(func(r *resource.Repository) { r.Components = []string{"[trusted=yes]"} }),
		"a deb of no version":    resource.Deb{Name: "shop"},
		"a deb of two words":     resource.Deb{Name: "shop", Version: "1 2"},
		"a deb of no name":       resource.Deb{Name: "-o", Version: "1"},
	} {
		if err := bad.Validate(); err == nil {
			t.Errorf("%s: not refused", name)
		}
	}
}
