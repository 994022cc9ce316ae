package recipe

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
)

// Type is the type of a variable.
type Type string

// The types of variables, and the Go value that each is decoded to.
const (
	TypeString  Type = "string"  // string
	TypeBool    Type = "bool"    // bool: true or false, never YAML 1.1's yes and no
	TypeInt     Type = "int"     // int
	TypeList    Type = "list"    // []string
	TypeSecret  Type = "secret"  // Secret
	TypeRecords Type = "records" // []map[string]string: a list of mappings of Fields
)

// Variable is one setting of a task. It is documentation as much as code: list TASK and
// TASK --help print it.
type Variable struct {
	Name    string
	Type    Type
	Default any    // of the type's Go value; nil is the type's zero value
	Needed  bool   // it has to be set: it has no default
	Help    string // one sentence
	Choices []string
	Fields  []string // of TypeRecords: the mapping's keys that are required
	// Optional are further keys of TypeRecords, which a mapping may leave out.
	Optional []string
	// Check refuses a value with a reason: "must be a port". It gets the decoded value; of
	// a secret the reason must not repeat it, for it is shown.
	Check func(any) error
}

// Keys are all keys that a mapping of TypeRecords may have.
func (v Variable) Keys() []string { return slices.Concat(v.Fields, v.Optional) }

// Entry says what keys a mapping of TypeRecords has: "name, port, and if wanted help".
func (v Variable) Entry() string {
	required := strings.Join(v.Fields, ", ")
	if len(v.Optional) == 0 {
		return required
	}
	return required + ", and if wanted " + strings.Join(v.Optional, ", ")
}

// Values are a task's variables, decoded and checked, each name of the task present.
type Values map[string]any

// Zero returns the value that the variable has when nothing sets it.
func (v Variable) Zero() any {
	if v.Default != nil {
		return v.Default
	}
	switch v.Type {
	case TypeBool:
		return false
	case TypeInt:
		return 0
	case TypeList:
		return []string(nil)
	case TypeSecret:
		return Secret{}
	case TypeRecords:
		return []map[string]string(nil)
	}
	return ""
}

// Decode checks a raw value, as YAML gives it (string, bool, int64/uint64/int, []any,
// map[string]any), against the variable, and returns it in the type's Go value.
// It never guesses: a number where a string is meant is an error.
func (v Variable) Decode(raw any) (any, error) {
	decoded, err := v.decode(raw)
	if err != nil {
		return nil, err
	}
	if raw == any(UnknownSecret()) {
		return decoded, nil
	}
	if text, ok := decoded.(string); ok && len(v.Choices) > 0 && !slices.Contains(v.Choices, text) {
		if _, secret := raw.(Secret); secret {
			return nil, fmt.Errorf("not one of %s", strings.Join(v.Choices, ", "))
		}
		return nil, fmt.Errorf("%q is not one of %s", text, strings.Join(v.Choices, ", "))
	}
	if v.Check != nil {
		if err := v.Check(decoded); err != nil {
			return nil, err
		}
	}
	return decoded, nil
}

func (v Variable) decode(raw any) (any, error) {
	switch v.Type {
	case TypeString, TypeSecret:
		if secret, ok := raw.(Secret); ok {
			if v.Type == TypeString {
				return secret.Reveal(), nil
			}
			return secret, nil
		}
		text, ok := raw.(string)
		switch {
		case !ok && v.Type == TypeSecret: // what was found may be the secret
			return nil, errors.New("want a string: put it in quotes")
		case !ok:
			return nil, fmt.Errorf("want a string, found %s: put it in quotes", describe(raw))
		case v.Type == TypeSecret:
			return NewSecret(text), nil
		}
		return text, nil
	case TypeBool:
		if b, ok := raw.(bool); ok {
			return b, nil
		}
		return nil, fmt.Errorf("want true or false, found %s", describe(raw))
	case TypeInt:
		switch n := raw.(type) {
		case int:
			return n, nil
		case int64:
			return int(n), nil
		case uint64:
			if n <= math.MaxInt {
				return int(n), nil
			}
		}
		return nil, fmt.Errorf("want a whole number, found %s", describe(raw))
	case TypeList:
		return decodeList(raw)
	case TypeRecords:
		return v.decodeRecords(raw)
	}
	return nil, fmt.Errorf("variable %s has no type", v.Name)
}

func decodeList(raw any) (any, error) {
	items, ok := raw.([]any)
	if !ok {
		return nil, fmt.Errorf("want a list, found %s", describe(raw))
	}
	list := make([]string, 0, len(items))
	for _, item := range items {
		text, ok := item.(string)
		if !ok {
			return nil, fmt.Errorf("want a list of strings, found %s in it: put it in quotes", describe(item))
		}
		list = append(list, text)
	}
	return list, nil
}

func (v Variable) decodeRecords(raw any) (any, error) {
	items, ok := raw.([]any)
	if !ok {
		return nil, fmt.Errorf("want a list of mappings with %s, found %s", v.Entry(), describe(raw))
	}
	var records []map[string]string
	for i, item := range items {
		mapping, ok := item.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("entry %d: want a mapping with %s, found %s", i+1, v.Entry(), describe(item))
		}
		record := map[string]string{}
		for key, value := range mapping {
			text, ok := value.(string)
			switch {
			case !slices.Contains(v.Keys(), key):
				return nil, fmt.Errorf("entry %d: unknown key %q: want %s", i+1, key, v.Entry())
			case !ok:
				return nil, fmt.Errorf("entry %d: %s: want a string, found %s: put it in quotes", i+1, key, describe(value))
			case strings.ContainsAny(text, "\n\r\x00"):
				return nil, fmt.Errorf("entry %d: %s: must be one line", i+1, key)
			}
			record[key] = text
		}
		for _, field := range v.Fields {
			if record[field] == "" {
				return nil, fmt.Errorf("entry %d: %s is missing", i+1, field)
			}
		}
		records = append(records, record)
	}
	return records, nil
}

func describe(raw any) string {
	switch raw := raw.(type) {
	case nil:
		return "nothing"
	case bool:
		return fmt.Sprintf("the boolean %v", raw)
	case string:
		return fmt.Sprintf("the string %q", raw)
	case []any:
		return "a list"
	case map[string]any:
		return "a mapping"
	}
	return fmt.Sprintf("the number %v", raw)
}

func get[T any](v Values, name string) T {
	value, ok := v[name].(T)
	if !ok {
		// A task that reads what it does not declare is a mistake in the program.
		panic(fmt.Sprintf("variable %s: not declared with this type by its task", name))
	}
	return value
}

// String returns a variable of TypeString.
func (v Values) String(name string) string { return get[string](v, name) }

// Bool returns a variable of TypeBool.
func (v Values) Bool(name string) bool { return get[bool](v, name) }

// Int returns a variable of TypeInt.
func (v Values) Int(name string) int { return get[int](v, name) }

// List returns a variable of TypeList.
func (v Values) List(name string) []string { return get[[]string](v, name) }

// Secret returns a variable of TypeSecret.
func (v Values) Secret(name string) Secret { return get[Secret](v, name) }

// Records returns a variable of TypeRecords.
func (v Values) Records(name string) []map[string]string {
	return get[[]map[string]string](v, name)
}
