package main

import (
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"provision/internal/report"
	"provision/internal/report/reporttest"
)

// The schema of --json in docs is the one of the records that are written.
func TestJSONSchemaIsCurrent(t *testing.T) {
	current(t, "Schema", map[string]string{"json.schema.json": string(report.Schema())})
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
