package main

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

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
