package main

import (
	"bytes"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"provision/internal/inventory"
	"provision/internal/recipe"
	"provision/tasks"
)

// The schema that editors complete hosts.yaml from is the one of these tasks.
func TestSchemaIsCurrent(t *testing.T) {
	current(t, "Schema", map[string]string{"hosts.schema.json": string(inventory.Schema(catalogue(tasks.All()).known()))})
}

// The schema finds what is wrong with a variable of a task that it knows, and nothing wrong with those
// of a project's own.
func TestSchemaOfOwnTasks(t *testing.T) {
	schema := schemaOf(t, tasks.All())
	for variable, good := range map[string]bool{
		`"shop.domain": "a"`: true, `"shop.workers": 2`: true, `"web-shop.sites": [{"a": "b"}]`: true, `"shop@blue.domain": "a"`: true,
		`"nginx.ipv6": true`: true, `"nginxy.ipv6": true`: true, `"nginx@blue.ipv6": true`: false,
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

// Of a task that it knows it takes an instance only where a host may have several.
func TestSchemaOfInstances(t *testing.T) {
	schema := schemaOf(t, append(tasks.All(), recipe.Task{Name: "many", Instances: true}))
	for task, good := range map[string]bool{
		"nginx": true, "many": true, "many@blue": true, "shop": true, "shop@blue": true, "nginxy@blue": true,
		"nginx@blue": false, "many@": false, "many@Blue": false, "many@-b": false, "Shop": false,
	} {
		hosts := map[string]any{"hosts": map[string]any{"a": map[string]any{"tasks": []any{task}}}}
		if err := schema.Validate(hosts); (err == nil) != good {
			t.Errorf("%s: %v", task, err)
		}
	}
}

func schemaOf(t *testing.T, all []recipe.Task) *jsonschema.Schema {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(inventory.Schema(catalogue(all).known())))
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
	return schema
}
