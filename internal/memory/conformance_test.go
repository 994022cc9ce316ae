package memory_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"provision/internal/memory"
	"provision/internal/recipe"
	"provision/internal/resource"
)

// Each kind, noted, read again and no longer wanted, leaves as its row says; then it is gone, and
// nothing is left to do.
func TestEachKindLeaves(t *testing.T) {
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			wanted := asRemembered(t, kind.wanted)
			trace, before := wanted.Trace(), wanted.Stood(facts(kind.before))
			trace.Before = &before
			noted := memory.Memory{Head: memory.Head{Task: "a"}, Traces: []recipe.Trace{trace}}.Text()
			if strings.Contains(noted, "hidden") || strings.Contains(noted, "ours") {
				t.Errorf("content is noted: %s", noted)
			}
			read, err := memory.Parse("a", noted)
			if err != nil {
				t.Fatal(err)
			}
			leaving := resource.Leaving{Traces: read.Traces, Purge: kind.purge}
			gone, stays := leaving.Resource(read.Traces[0])
			var titles []string
			if gone != nil {
				now := facts(kind.now)
				titles = settles(t, gone, now)
				if says, ok := gone.(interface{ Stays(recipe.Facts) string }); ok && len(titles) == 0 {
					stays = says.Stays(now)
				}
			}
			if strings.Join(titles, "; ") != kind.steps || stays != kind.stays {
				t.Errorf("steps %q, stays %q; want %q, %q: how it leaves is leave of the kind, which has a row in kinds of ../resource/leave.go", titles, stays, kind.steps, kind.stays)
			}
		})
	}
}

func asRemembered(t *testing.T, wanted recipe.Resource) recipe.Remembered {
	t.Helper()
	is, ok := wanted.(recipe.Remembered)
	if !ok {
		t.Fatalf("%T does not say how it is remembered: Trace and Stood, as of ../resource/link.go", wanted)
	}
	return is
}

// Of each kind, what is not known to be ours stays, and that is said.
func TestWhatIsNotKnownToBeOursStays(t *testing.T) {
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			trace := asRemembered(t, kind.wanted).Trace()
			gone, stays := resource.Leaving{Traces: []recipe.Trace{trace}, Purge: true}.Resource(trace)
			if gone != nil {
				if titles := settles(t, gone, facts(kind.now)); len(titles) > 0 {
					t.Errorf("steps %q", titles)
				}
			}
			if stays == "" && !trace.Gone || strings.Contains(stays, "hidden") {
				t.Errorf("stays %q", stays)
			}
		})
	}
}

// What stands alone at its path is so to all: to what is wanted there instead, and to a run that has to
// keep what it takes the place of.
func TestWhatIsAtAPathIsFoundThere(t *testing.T) {
	for _, kind := range kinds {
		trace := asRemembered(t, kind.wanted).Trace()
		path, whole := resource.At(trace)
		if alone := strings.HasPrefix(trace.Identity(), "path:"); whole != alone || alone && path != trace.Name {
			t.Errorf("%s: at %q, whole %v; it is %s", kind.name, path, whole, trace.Identity())
		}
	}
}

// settles returns the titles of what a resource changes, after which it has to want nothing.
func settles(t *testing.T, gone recipe.Resource, now recipe.Facts) []string {
	t.Helper()
	change, err := gone.Diff(now)
	if err != nil {
		t.Fatal(err)
	}
	var titles []string
	for _, step := range change.Steps {
		titles = append(titles, step.Title())
	}
	now.Apply(change.Effects())
	for _, probe := range gone.Probes() {
		if now[probe.Key].Until != "" {
			return titles
		}
	}
	if again, err := gone.Diff(now); err != nil || !again.Empty() {
		t.Errorf("after its own change it wants %+v, %v", again, err)
	}
	return titles
}

// forgotten are the kinds of which nothing is remembered, beside those that are called Former: what leaves.
var forgotten = []string{
	"Kept",           // of a rollback
	"KeptMemory",     // that too
	"Standing",       // a service that takes in what leaves
	"packageLists",   // of an upgrade
	"presentRelease", // of a deploy
	"Action",         // which is no state
}

// A new kind says how it is remembered, and has a row above.
func TestEveryKindIsRemembered(t *testing.T) {
	files, err := filepath.Glob("../resource/*.go")
	if err != nil {
		t.Fatal(err)
	}
	methods := map[string][]string{}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, declaration := range file.Decls {
			if function, ok := declaration.(*ast.FuncDecl); ok && function.Recv != nil {
				if name, ok := function.Recv.List[0].Type.(*ast.Ident); ok {
					methods[name.Name] = append(methods[name.Name], function.Name.Name)
				}
			}
		}
	}
	var rows []string
	for _, kind := range kinds {
		rows = append(rows, strings.TrimPrefix(fmt.Sprintf("%T", kind.wanted), "resource."))
	}
	for kind, has := range methods {
		if !slices.Contains(has, "Diff") || strings.HasPrefix(kind, "Former") || slices.Contains(forgotten, kind) {
			continue
		}
		if !slices.Contains(has, "Trace") || !slices.Contains(has, "Stood") {
			t.Errorf("%s does not say how it is remembered: Trace and Stood, as of ../resource/link.go; of one of which nothing is, forgotten says why", kind)
		}
		if !slices.Contains(rows, kind) {
			t.Errorf("%s has no row in kinds (conformance_kinds_test.go) that says how it leaves", kind)
		}
	}
}
