package main

import (
	"os"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"

	"provision/internal/report"
	"provision/internal/report/reporttest"
)

// The schema of --json in docs is the one of the records that are written.
func TestJSONSchemaIsCurrent(t *testing.T) {
	const file = "../../docs/json.schema.json"
	got := report.Schema()
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

func cmdObjects(ts *testscript.TestScript, _ bool, args []string) {
	code := reporttest.NoCode // of list, which ends without a summary
	if args[0] != "-" {
		var err error
		code, err = strconv.Atoi(args[0])
		ts.Check(err)
	}
	ts.Check(reporttest.Check(ts.ReadFile("stdout"), code))
}
