package main

import (
	"bytes"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"provision/internal/inventory"
	"provision/tasks"
)

// The schema that editors complete hosts.yaml from is the one of these tasks.
func TestSchemaIsCurrent(t *testing.T) {
	const file = "../../docs/hosts.schema.json"
	got := inventory.Schema(catalogue(tasks.All()).known())
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("go test ./cmd/provision -run Schema -update writes it anew: %s", diff)
	}
}

// The schema finds what is wrong with a variable of a task that it knows, and nothing wrong with those
// of a project's own.
func TestSchemaOfOwnTasks(t *testing.T) {
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(inventory.Schema(catalogue(tasks.All()).known())))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("hosts.schema.json", document); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("hosts.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	for variable, good := range map[string]bool{
		`"shop.domain": "a"`: true, `"shop.workers": 2`: true, `"web-shop.sites": [{"a": "b"}]`: true, `"shop@blue.domain": "a"`: true,
		`"nginx.ipv6": true`: true, `"nginxy.ipv6": true`: true,
		`"nginx.ipv6": "yes"`: false, `"nginx.ipv7": true`: false, `"ipv6": true`: false, `"Shop.domain": "a"`: false, `"shop.": 1`: false,
	} {
		hosts, err := jsonschema.UnmarshalJSON(bytes.NewReader([]byte(`{"vars": {` + variable + `}, "hosts": {"a": {"tasks": ["shop", "nginx"]}}}`)))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(hosts); (err == nil) != good {
			t.Errorf("%s: %v", variable, err)
		}
	}
}
