package tasks

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"provision/internal/recipe"
	"provision/internal/resource"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestGoldenFiles(t *testing.T) {
	of := map[string][]string{
		"graphite": {"carbon for networks", "names", "postgresql", "without a password", "a cluster"},
		"gimel":    {"events in PostgreSQL", "events in files", "events in BigQuery"},
	}
	for _, task := range All() {
		cases := map[string]map[string]any{"defaults": nil}
		for _, name := range of[task.Name] {
			cases[strings.ReplaceAll(name, " ", "-")] = options[task.Name][name]
		}
		for _, platform := range recipe.Platforms() {
			if platform.Arch != "amd64" {
				continue
			}
			for name, raw := range cases {
				t.Run(fmt.Sprintf("%s-%d-%s", task.Name, platform.Release, name), func(t *testing.T) {
					golden(t, filepath.Join("testdata", fmt.Sprintf("%s-%d-%s.golden", task.Name, platform.Release, name)),
						describe(build(t, task, platform, raw)))
				})
			}
		}
	}
}

// describe writes a recipe as text: its resources in order, the files with their content.
func describe(built recipe.Recipe) string {
	var text strings.Builder
	for _, item := range built.Items {
		fmt.Fprintf(&text, "== %s", item.Resource.ID())
		for _, n := range item.Notifies {
			fmt.Fprintf(&text, " → %s %s", n.Action, n.Unit)
		}
		fmt.Fprintln(&text)
		switch kind := item.Resource.(type) {
		case resource.File:
			if !kind.Absent {
				fmt.Fprintf(&text, "%o %s:%s\n%s", kind.Mode, kind.Owner, kind.Group, kind.Content)
			}
			fmt.Fprintf(&text, "absent %v\n", kind.Absent)
		case resource.Tree:
			for _, file := range kind.Files {
				fmt.Fprintln(&text, file.Name)
				if file.Name == dashboardsFile { // the others are as they are in templates
					fmt.Fprint(&text, file.Content)
				}
			}
		case resource.Command:
			fmt.Fprintf(&text, "reads: %v\nunless:\n%s\nscript:\n%s\n", kind.Reads, kind.Unless, kind.Script)
		default:
			fields := reflect.ValueOf(kind)
			for i := range fields.NumField() {
				field := fields.Field(i)
				if attributes, ok := field.Interface().(recipe.Attributes); ok && !field.IsZero() {
					fmt.Fprintf(&text, "%04o %s:%s\n", attributes.Mode, attributes.Owner, attributes.Group)
				} else if !field.IsZero() {
					fmt.Fprintf(&text, "%s: %v\n", fields.Type().Field(i).Name, field)
				}
			}
		}
	}
	return text.String()
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got; go test ./tasks -update writes it anew):\n%s", path, diff)
	}
}
