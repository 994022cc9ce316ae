package architecture

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
)

// placesOfAKind are where a kind of resource has to be beside its own file (docs/architecture.md, Where a kind is), as
// far as no test there finds out by itself, and which kinds are not there, with why.
var placesOfAKind = []struct {
	files   []string
	missing string
	without map[string]string
}{
	{
		[]string{"internal/resource/*_test.go"}, "has no table in a test of internal/resource", nil,
	},
	{
		[]string{"internal/project/*.go"}, "is no word of own tasks: it wants a row in internal/project/kinds_*.go",
		map[string]string{"Artifact": "it is what a release brings"},
	},
	{
		[]string{"internal/journal/*_test.go"}, "is not done by the real runner in a test of internal/journal",
		map[string]string{
			"Artifact": "its steps are in steps_test.go", "Link": "its steps are in steps_test.go", "Block": "its steps are a Line's",
			"Command": "it is an Exec", "Group": "a lab host has accounts", "Membership": "a lab host has accounts",
			"Package": "packages_test.go has its steps", "Service": "guard_test.go has its steps, and a lab host a systemd", "Mount": "it is a File and a Service", "Timer": "it is Files and a Service",
		},
	},
	{
		[]string{"acceptance/kinds_tried_test.go", "tasks/*.go"}, "is tried on no lab host: it wants a row in acceptance/kinds_tried_test.go, where no task that ships has one",
		map[string]string{"Artifact": "the releases of tasks that ship have it", "Membership": "a user's groups are tried", "Module": "no lab host loads one", "Swap": "no lab host swaps"},
	},
}

// A new kind is told where it is missing.
func TestAKindHasItsPlaces(t *testing.T) {
	kinds := kindsOf(t, "../../internal/resource")
	if len(kinds) < 25 {
		t.Fatalf("found only %d kinds", len(kinds))
	}
	for _, place := range placesOfAKind {
		named := namedIn(t, place.files)
		for _, kind := range kinds {
			there := named[kind]
			why, left := place.without[kind]
			switch {
			case !there && !left:
				t.Errorf("%s %s; or it is left out here, with why", kind, place.missing)
			case there && left:
				t.Errorf("%s is there (%s), and left out here: %s", kind, place.files, why)
			}
		}
	}
}

// kindsOf are the types that a recipe may want: those with Validate, and Diff and Trace, or the Items of a composite.
func kindsOf(t *testing.T, folder string) []string {
	t.Helper()
	methods := map[string][]string{}
	for _, name := range filesOf(t, []string{folder + "/*.go"}) {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, declaration := range file.Decls {
			if function, ok := declaration.(*ast.FuncDecl); ok && function.Recv != nil {
				if receiver, ok := function.Recv.List[0].Type.(*ast.Ident); ok {
					methods[receiver.Name] = append(methods[receiver.Name], function.Name.Name)
				}
			}
		}
	}
	var kinds []string
	for kind, has := range methods {
		one := slices.Contains(has, "Diff") && slices.Contains(has, "Trace")
		if slices.Contains(has, "Validate") && (one || slices.Contains(has, "Items")) {
			kinds = append(kinds, kind)
		}
	}
	slices.Sort(kinds)
	return kinds
}

func filesOf(t *testing.T, patterns []string) []string {
	t.Helper()
	var all []string
	for _, pattern := range patterns {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d files, %v", pattern, len(files), err)
		}
		all = append(all, files...)
	}
	return all
}

// made is where a resource is made.
var made = regexp.MustCompile(`\b(?:resource|want)\.(\w+)\{`)

// namedIn are the kinds that files make resources of.
func namedIn(t *testing.T, patterns []string) map[string]bool {
	t.Helper()
	named := map[string]bool{}
	for _, pattern := range patterns {
		for _, name := range filesOf(t, []string{"../../" + pattern}) {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			for _, found := range made.FindAllSubmatch(text, -1) {
				named[string(found[1])] = true
			}
		}
	}
	return named
}
