package report

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"provision/internal/engine"
)

// codes are exit codes, for tests that have no command.
func codes(status engine.Status) int {
	if failed(status) {
		return 3
	}
	return 0
}

// docs/json.md tells of every event and of every field.
func TestEveryFieldIsDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/json.md")
	if err != nil {
		t.Fatal(err)
	}
	var schema struct {
		Definitions map[string]any
	}
	if err := json.Unmarshal(Schema(), &schema); err != nil {
		t.Fatal(err)
	}
	var missing []string
	var look func(name string, node any)
	look = func(name string, node any) {
		form, _ := node.(map[string]any)
		if items, ok := form["items"]; ok {
			look(name, items)
		}
		properties, _ := form["properties"].(map[string]any)
		for field, inner := range properties {
			if !strings.Contains(string(page), "`"+field+"`") {
				missing = append(missing, name+": "+field)
			}
			for _, closed := range enum(inner) {
				if !strings.Contains(string(page), "`"+closed+"`") {
					missing = append(missing, name+": "+field+": "+closed)
				}
			}
			look(name, inner)
		}
	}
	for event, form := range schema.Definitions {
		if !strings.Contains(string(page), "\n### `"+event+"`\n") {
			missing = append(missing, event)
		}
		look(event, form)
	}
	slices.Sort(missing)
	if len(missing) > 0 {
		t.Errorf("not in docs/json.md:\n%s", strings.Join(missing, "\n"))
	}
}

func enum(form any) []string {
	node, _ := form.(map[string]any)
	values, _ := node["enum"].([]any)
	var texts []string
	for _, value := range values {
		texts = append(texts, value.(string))
	}
	return texts
}

// The schema's closed sets are those of the engine's constants: one more there is one here.
func TestSchemaHasEveryStatus(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "../engine/event.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var constants []string
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if ok && strings.HasPrefix(spec.Names[0].Name, "Status") {
			constants = append(constants, strings.Trim(spec.Values[0].(*ast.BasicLit).Value, `"`))
		}
		return true
	})
	if got := words[reflect.TypeFor[engine.Status]()]; len(constants) == 0 || !slices.Equal(got, constants) {
		t.Errorf("the schema has %q, the engine %q", got, constants)
	}
}
