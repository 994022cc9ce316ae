package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"provision/internal/engine"
	"provision/internal/recipe"
)

// object is a JSON object; encoding/json writes its keys sorted, so that the schema is always
// the same text.
type object = map[string]any

// records are all records by the name of their event, in the order in which a run has them.
var records = []struct {
	event word
	form  any
}{
	{"connecting", connecting{}}, {"asking", asking{}}, {"plan", planned{}}, {"applying", applying{}},
	{"step_began", stepBegan{}}, {"step_ended", stepEnded{}}, {"output", output{}}, {"progress", progress{}},
	{"note", note{}}, {"changed", changed{}}, {"restored", restored{}}, {"verifying", verifying{}},
	{"checked", checked{}}, {"printed", printed{}}, {"graphed", graphed{}}, {"finished", finished{}}, {"summary", summary{}}, {"error", problem{}},
	{"proving", proving{}}, {"proved", proved{}}, {"fault", fault{}}, {"brings", brings{}}, {"changes", changes{}},
	{"task", listedTask{}}, {"host", listedHost{}}, {"kind", listedKind{}}, {"run", pastRun{}},
}

// hostless are the events of no host.
var hostless = []word{"summary", "error", "proving", "proved", "fault", "brings", "changes", "task", "kind", "run"}

// words are the closed sets of words, by type.
var words = map[reflect.Type][]string{
	reflect.TypeFor[recipe.ChangeKind](): {string(recipe.Create), string(recipe.Update), string(recipe.Delete), string(recipe.Act), string(recipe.Becomes), string(recipe.MayBe), string(same)},
	reflect.TypeFor[recipe.Vantage]():    {string(recipe.FromHost), string(recipe.FromController)},
	reflect.TypeFor[engine.Status](): {
		string(engine.StatusSame), string(engine.StatusChanged), string(engine.StatusPending), string(engine.StatusVerified),
		string(engine.StatusDone), string(engine.StatusFailed), string(engine.StatusUnreachable), string(engine.StatusLocked),
		string(engine.StatusStale), string(engine.StatusNotConverged), string(engine.StatusInterrupted), string(engine.StatusNotBegun),
		string(engine.StatusRefused),
	},
}

// Schema returns the JSON schema of a line of --json, of draft-07 as that of hosts.yaml. It is
// made of the records themselves, so that it says what is written. A field that is not in it
// is no error to it: fields may be added.
func Schema() []byte {
	definitions, lines := object{}, []any{}
	for _, f := range records {
		form := structSchema(reflect.TypeOf(f.form), f.event)
		definitions[string(f.event)] = form
		lines = append(lines, object{"$ref": "#/definitions/" + string(f.event)})
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(object{
		"$schema":     "http://json-schema.org/draft-07/schema#",
		"title":       "A line of provision --json",
		"description": "One object a line, each an event; docs/json.md says what it means",
		"oneOf":       lines,
		"definitions": definitions,
	}); err != nil {
		panic(fmt.Sprintf("schema: %v", err)) // it holds nothing that JSON cannot
	}
	return text.Bytes()
}

// structSchema returns the schema of a record, or of a part of one: then event is "".
func structSchema(t reflect.Type, event word) object {
	properties, required := object{}, []string{}
	for _, field := range reflect.VisibleFields(t) {
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		if field.Anonymous || name == "-" {
			continue
		}
		properties[name] = fieldSchema(field)
		if options != "omitempty" || event != "" && name == "host" && !slices.Contains(hostless, event) {
			required = append(required, name)
		}
	}
	if event != "" {
		properties["event"] = object{"const": event}
	}
	if slices.Contains(hostless, event) {
		delete(properties, "host")
	}
	return object{"type": "object", "properties": properties, "required": required}
}

func fieldSchema(field reflect.StructField) object {
	if closed := field.Tag.Get("words"); closed != "" {
		return object{"enum": strings.Fields(closed)}
	}
	if field.Type == reflect.TypeFor[stamp]() {
		return object{"type": "string", "format": "date-time"}
	}
	return typeSchema(field.Type)
}

func typeSchema(t reflect.Type) object {
	if closed, known := words[t]; known {
		return object{"enum": closed}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return typeSchema(t.Elem())
	case reflect.Struct:
		return structSchema(t, "")
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return object{"type": "string", "contentEncoding": "base64"}
		}
		items := typeSchema(t.Elem())
		if t.Elem().Kind() == reflect.Pointer {
			items["type"] = []any{items["type"], "null"}
		}
		return object{"type": "array", "items": items}
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.Int, reflect.Int64:
		return object{"type": "integer"}
	case reflect.Float64:
		return object{"type": "number"}
	case reflect.String:
		return object{"type": "string"}
	}
	return object{} // anything
}
