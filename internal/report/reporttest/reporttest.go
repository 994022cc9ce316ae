// Package reporttest checks what --json prints against the schema in docs, for tests of the
// command and of real hosts.
package reporttest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"provision/internal/report"
)

// strict is the schema, to which also a field that it does not have is an error: whatever is
// written is documented. docs/json.schema.json is the same text.
var strict = sync.OnceValues(func() (*jsonschema.Schema, error) {
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(report.Schema()))
	if err != nil {
		return nil, err
	}
	closeObjects(document)
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	if err := compiler.AddResource("json.schema.json", document); err != nil {
		return nil, err
	}
	return compiler.Compile("json.schema.json")
})

// closeObjects allows every object of a schema the properties that it names, and no others.
func closeObjects(node any) {
	switch n := node.(type) {
	case map[string]any:
		if _, named := n["properties"].(map[string]any); named && n["type"] == "object" {
			n["additionalProperties"] = false
		}
		for _, inner := range n {
			closeObjects(inner)
		}
	case []any:
		for _, inner := range n {
			closeObjects(inner)
		}
	}
}

// NoCode is the exit code of what ends without telling one.
const NoCode = -1

// Check says what is wrong with what a command with --json printed: each line is an object of
// the schema, and the last has the exit code of the command.
func Check(printed string, exitCode int) error {
	schema, err := strict()
	if err != nil {
		return err
	}
	lines := strings.Split(strings.TrimSuffix(printed, "\n"), "\n")
	for _, line := range lines {
		value, err := jsonschema.UnmarshalJSON(strings.NewReader(line))
		if err == nil {
			err = schema.Validate(value)
		}
		if err != nil {
			return fmt.Errorf("%s\n%w", line, err)
		}
	}
	if exitCode == NoCode {
		return nil
	}
	var last struct {
		ExitCode *int `json:"exit_code"`
	}
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &last); err != nil {
		return err
	}
	if last.ExitCode == nil || *last.ExitCode != exitCode {
		return fmt.Errorf("the command ended with %d, and its last line is %s", exitCode, lines[len(lines)-1])
	}
	return nil
}
