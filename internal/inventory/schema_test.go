package inventory

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"provision/internal/recipe"
)

// The whole schema of a few tasks is a golden file, to be read when it changes.
func TestSchema(t *testing.T) {
	got := Schema(known())
	if *update {
		if err := os.WriteFile("testdata/schema.json", got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("testdata/schema.json")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Error(diff)
	}
	if again := Schema(known()); string(again) != string(got) {
		t.Error("it is another one each time")
	}
}

func TestSchemaHasNoSecretDefault(t *testing.T) {
	text := Schema(Known{"a": {Variables: []recipe.Variable{{Name: "b", Type: recipe.TypeSecret, Default: recipe.NewSecret("hunter2")}}}})
	var schema struct {
		Definitions struct {
			Vars struct {
				Properties map[string]map[string]any
			}
		}
	}
	if err := json.Unmarshal(text, &schema); err != nil {
		t.Fatal(err)
	}
	secret := schema.Definitions.Vars.Properties["a.b"]
	if secret["type"] != "string" || secret["default"] != nil {
		t.Errorf("got %v", secret)
	}
}
