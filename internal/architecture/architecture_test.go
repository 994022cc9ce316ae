// Package architecture holds the picture of which folder may import which, and the test that
// keeps it. Data goes one way: nothing later in the line is known to anything earlier.
package architecture

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "provision/"

// rooms says for each folder which others of this module its code (not its tests) may
// import. A folder below one that is named belongs to it, unless it is named itself.
var rooms = map[string][]string{
	"internal/recipe":            {},
	"internal/script":            {"internal/recipe"},
	"internal/resource":          {"internal/recipe", "internal/script"}, // Quote: a Command's script names paths
	"internal/memory":            {"internal/recipe", "internal/resource"},
	"internal/engine":            {"internal/recipe"},
	"internal/model":             {"internal/engine", "internal/memory", "internal/recipe"},
	"internal/journal":           {"internal/engine", "internal/recipe", "internal/script"},
	"internal/address":           {},
	"internal/remote":            {"internal/address", "internal/script"},
	"internal/inventory":         {"internal/address", "internal/recipe"},
	"internal/release":           {"internal/recipe"},
	"internal/project":           {"internal/engine", "internal/memory", "internal/model", "internal/recipe", "internal/resource", "templates"},
	"internal/run":               {"internal/engine", "internal/inventory", "internal/journal", "internal/memory", "internal/recipe", "internal/remote", "internal/resource", "internal/script"},
	"internal/report":            {"internal/address", "internal/engine", "internal/recipe", "internal/report/chart"},
	"internal/report/chart":      {},
	"internal/report/reporttest": {"internal/report"},
	"internal/lab":               {},
	"internal/proof":             {"internal/engine", "internal/recipe", "internal/resource", "internal/script"},
	"internal/lab/labtest":       {"internal/lab"},
	"internal/lab/simulated":     {},
	"internal/architecture":      {},
	"internal/npm":               {},
	"templates":                  {},
	"tasks":                      {"internal/npm", "internal/recipe", "internal/resource", "internal/script", "templates"},
	"cmd/provision": {
		"internal/address", "internal/engine", "internal/inventory", "internal/journal", "internal/lab", "internal/memory", "internal/project", "internal/proof", "internal/recipe", "internal/release",
		"internal/remote", "internal/report", "internal/resource", "internal/run", "internal/script", "tasks", "templates",
	},
	// gimel is a product of its own.
	"internal/gimel": {"internal/gimel"},
	"cmd/gimel":      {"internal/gimel"},
	// What makes the packages.
	"packaging/contents": {},
	// What makes the site.
	"packaging/site": {},
	// What tries it all on real hosts.
	"acceptance": {
		"internal/engine", "internal/inventory", "internal/journal", "internal/lab", "internal/lab/labtest", "internal/lab/simulated", "internal/proof", "internal/recipe",
		"internal/release", "internal/remote", "internal/resource", "internal/run", "internal/script", "tasks", "templates",
	},
}

// libraries says which folders may import a library; the code of all others may not, nor
// any library that is not named.
var libraries = map[string][]string{
	"github.com/charmbracelet/lipgloss": {"internal/report"},
	"github.com/charmbracelet/x/ansi":   {"internal/report"},
	"github.com/muesli/termenv":         {"internal/report"},
	"github.com/aymanbagabas/go-udiff":  {"internal/report", "internal/project"},
	"golang.org/x/term":                 {"internal/report", "cmd/provision"},
	"github.com/spf13":                  {"cmd/provision"},
	"golang.org/x/crypto/ssh":           {"internal/remote", "internal/lab", "internal/inventory", "internal/resource"}, // inventory: age reads SSH keys; resource: authorized_keys
	"github.com/pkg/sftp":               {"internal/remote"},
	"filippo.io/age":                    {"internal/inventory"},
	"github.com/goccy/go-yaml":          {"internal/inventory"},
	"go.starlark.net":                   {"internal/project"},
	"golang.org/x/sync":                 {"internal/lab", "internal/run", "internal/gimel", "cmd/gimel"},
	"golang.org/x/sys":                  {"internal/remote", "internal/lab", "internal/gimel", "cmd/gimel"},
	"github.com/redis/go-redis":         {"internal/gimel", "cmd/gimel"},
	"github.com/jackc/pgx":              {"internal/gimel"},
	"cloud.google.com/go/bigquery":      {"internal/gimel/eventlog/bigquery"},
	"google.golang.org/api":             {"internal/gimel/eventlog/bigquery"}, // the client's options and errors
	"github.com/prometheus":             {"internal/gimel"},
	"gonum.org/v1/gonum":                {"internal/gimel"},

	// What BigQuery is asked has to be GoogleSQL, in tests.
	"github.com/cloudspannerecosystem/memefish": {"internal/gimel/bigquerytest"},

	// What --json prints is checked with it, in tests.
	"github.com/santhosh-tekuri/jsonschema": {"internal/report/reporttest", "packaging/contents"},
}

// testsToo are the libraries that also a test may import only in their folders.
var testsToo = []string{"github.com/charmbracelet/lipgloss", "golang.org/x/crypto/ssh"}

// imported is one import of one file.
type imported struct {
	file, folder, what string
	test               bool
}

func TestImports(t *testing.T) {
	seen := map[string]bool{}
	for _, i := range imports(t, "../..") {
		room := under(rooms, i.folder)
		seen[room] = true
		switch {
		case room == "":
			t.Errorf("%s: its folder is not in the picture: a new one goes into rooms here, and into CONTRIBUTING.md, Where things are", i.file)
		case strings.HasPrefix(i.what, module):
			inner := strings.TrimPrefix(i.what, module)
			if !i.test && inner != i.folder && !slices.Contains(rooms[room], under(rooms, inner)) {
				t.Errorf("%s: %s may not import %s: data goes one way, see CONTRIBUTING.md, Where things are", i.file, room, inner)
			}
		case strings.Contains(strings.Split(i.what, "/")[0], "."):
			library := under(libraries, i.what)
			if (!i.test || slices.Contains(testsToo, library)) && !within(i.folder, libraries[library]) {
				t.Errorf("%s: %s may not import %s: who may is said in libraries here", i.file, room, i.what)
			}
		}
	}
	for room := range rooms {
		if _, err := os.Stat("../../" + room); err != nil {
			t.Errorf("%s: in the picture, but not in the tree", room)
		} else if !seen[room] {
			t.Errorf("%s: in the picture, but without code", room)
		}
	}
}

// imports reads the import clauses of all Go files below a folder.
func imports(t *testing.T, root string) []imported {
	t.Helper()
	var all []imported
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		base := entry.Name()
		if entry.IsDir() && (base == "testdata" || base == "node_modules" || strings.HasPrefix(base, ".") && base != "..") {
			return filepath.SkipDir
		}
		if entry.IsDir() || !strings.HasSuffix(base, ".go") {
			return nil
		}
		relative, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, spec := range file.Imports {
			what, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			all = append(all, imported{file: relative, folder: path.Dir(relative), what: what, test: strings.HasSuffix(base, "_test.go")})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 100 {
		t.Fatalf("found only %d imports", len(all))
	}
	return all
}

// under returns the longest name of a table that a path is or lies below, "" for none.
func under[V any](table map[string]V, name string) string {
	longest := ""
	for entry := range table {
		if (name == entry || strings.HasPrefix(name, entry+"/")) && len(entry) > len(longest) {
			longest = entry
		}
	}
	return longest
}

func within(folder string, folders []string) bool {
	return slices.ContainsFunc(folders, func(f string) bool { return folder == f || strings.HasPrefix(folder, f+"/") })
}
