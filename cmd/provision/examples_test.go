package main

import (
	"os"
	"path/filepath"
	"testing"
)

// exampleVariables are those of examples that have no value of their own: secrets.
var exampleVariables = map[string][]string{
	"workload": {"workload.token=@env:EXAMPLE_SECRET"},
	"cluster":  {"cache.password=@env:EXAMPLE_SECRET"},
}

// untested are examples without tests on the model: one is there to be measured, two have no task of their own.
var untested = map[string]bool{"workload": true, "metrics": true, "drift": true}

// The projects in examples can be built for all of their hosts, without a connection, and the
// tests of their tasks pass.
func TestExamples(t *testing.T) {
	inventories, err := filepath.Glob("../../examples/*/hosts.yaml")
	if err != nil || len(inventories) == 0 {
		t.Fatalf("%d examples, %v", len(inventories), err)
	}
	for _, inventory := range inventories {
		name := filepath.Base(filepath.Dir(inventory))
		t.Run(name, func(t *testing.T) {
			t.Setenv("EXAMPLE_SECRET", "correct-horse")
			out, err := os.Create(filepath.Join(t.TempDir(), "printed"))
			if err != nil {
				t.Fatal(err)
			}
			shown := console{os.Stdin, out, out}
			f := newFlags(shown)
			f.selection.inventory, f.selection.extra = inventory, exampleVariables[name]
			err = f.checkAll(shown)
			if err == nil && !untested[name] {
				err = f.testOnModel(shown, nil, testFlags{})
			}
			if err != nil {
				printed, _ := os.ReadFile(out.Name())
				t.Errorf("%v\n%s", err, printed)
			}
		})
	}
}
