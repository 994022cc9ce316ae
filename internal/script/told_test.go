package script

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// declared are the types of a folder's code that have all of these methods.
func declared(t *testing.T, folder string, methods ...string) []string {
	t.Helper()
	files, err := filepath.Glob(folder + "/*.go")
	if err != nil {
		t.Fatal(err)
	}
	has := map[string][]string{}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, declaration := range file.Decls {
			if function, ok := declaration.(*ast.FuncDecl); ok && function.Recv != nil {
				if receiver, ok := function.Recv.List[0].Type.(*ast.Ident); ok && slices.Contains(methods, function.Name.Name) {
					has[receiver.Name] = append(has[receiver.Name], function.Name.Name)
				}
			}
		}
	}
	var types []string
	for name, some := range has {
		if len(some) == len(methods) {
			types = append(types, name)
		}
	}
	return types
}

// A new step has a case, and what that calls is a function of sh/: without, the first run that has it would panic
// here, or end with 127 on its host.
func TestEveryStepIsTold(t *testing.T) {
	var told string
	for _, file := range []string{"step.go", "step_file.go", "record.go"} { // which has names of functions that are kinds of records too
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		told += string(text)
	}
	steps := declared(t, "../recipe", "Effects", "Title")
	if len(steps) < 20 {
		t.Fatalf("found only %d steps", len(steps))
	}
	for _, step := range steps {
		if !strings.Contains(told, "\tcase recipe."+step+":\n") {
			t.Errorf("recipe.%s has no case in told (step.go), nor in toldOfFile (step_file.go), which is for one on a path", step)
		}
	}
	for _, function := range regexp.MustCompile(`(?:function:|\tKind[A-Za-z]+ +=) "([a-z_]+)"`).FindAllStringSubmatch(told, -1) {
		if !strings.Contains("\n"+library(), "\n"+function[1]+"() {") {
			t.Errorf("a step calls %s, which no file of sh/ has", function[1])
		}
	}
}
