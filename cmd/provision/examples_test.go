package main

import (
	"io"
	"os"
	"path/filepath"
	"testing"
)

// exampleVariables are the variables of examples that have no value of their own: secrets.
var exampleVariables = map[string][]string{"workload": {"workload.token=@env:EXAMPLE_SECRET"}}

// The projects in examples can be built for all of their hosts, without a connection.
func TestExamplesCanBeBuilt(t *testing.T) {
	inventories, err := filepath.Glob("../../examples/*/hosts.yaml")
	if err != nil || len(inventories) == 0 {
		t.Fatalf("%d examples, %v", len(inventories), err)
	}
	for _, inventory := range inventories {
		name := filepath.Base(filepath.Dir(inventory))
		t.Run(name, func(t *testing.T) {
			t.Setenv("EXAMPLE_SECRET", "correct-horse")
			out, err := os.CreateTemp(t.TempDir(), "")
			if err != nil {
				t.Fatal(err)
			}
			shown := console{os.Stdin, out, out}
			f := newFlags(shown)
			f.selection.inventory, f.selection.extra = inventory, exampleVariables[name]
			err = f.checkAll(shown)
			if _, seek := out.Seek(0, io.SeekStart); seek != nil {
				t.Fatal(seek)
			}
			text, _ := io.ReadAll(out)
			if err != nil {
				t.Errorf("%v\n%s", err, text)
			}
		})
	}
}
