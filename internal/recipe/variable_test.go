package recipe_test

import (
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"

	"provision/internal/recipe"
)

func TestDecode(t *testing.T) {
	records := recipe.Variable{Type: recipe.TypeRecords, Fields: []string{"name", "port"}}
	optional := recipe.Variable{Type: recipe.TypeRecords, Fields: []string{"name"}, Optional: []string{"help"}}
	choice := recipe.Variable{Type: recipe.TypeString, Choices: []string{"a", "b"}}
	even := recipe.Variable{Type: recipe.TypeInt, Check: func(value any) error {
		if value.(int)%2 != 0 {
			return errors.New("must be even")
		}
		return nil
	}}
	type mapping = map[string]any
	for _, test := range []struct {
		name     string
		variable recipe.Variable
		raw      any
		want     any
		err      string // in the error
	}{
		{"string", recipe.Variable{Type: recipe.TypeString}, "x", "x", ""},
		{"string from a secret", recipe.Variable{Type: recipe.TypeString}, recipe.NewSecret("x"), "x", ""},
		{"string from no", recipe.Variable{Type: recipe.TypeString}, false, nil, "want a string, found the boolean false: put it in quotes"},
		{"string from 0644", recipe.Variable{Type: recipe.TypeString}, uint64(420), nil, "found the number 420: put it in quotes"},
		{"string from 1e3", recipe.Variable{Type: recipe.TypeString}, 1e3, nil, "found the number 1000"},
		{"string from nothing", recipe.Variable{Type: recipe.TypeString}, nil, nil, "found nothing"},
		{"string from a list", recipe.Variable{Type: recipe.TypeString}, []any{"x"}, nil, "found a list"},
		{"choice", choice, "b", "b", ""},
		{"no choice", choice, "c", nil, `"c" is not one of a, b`},
		{"no choice, and a secret", choice, recipe.NewSecret("471147"), nil, "not one of a, b"},
		{"bool", recipe.Variable{Type: recipe.TypeBool}, true, true, ""},
		{"bool from yes", recipe.Variable{Type: recipe.TypeBool}, "yes", nil, `want true or false, found the string "yes"`},
		{"bool from 1", recipe.Variable{Type: recipe.TypeBool}, 1, nil, "found the number 1"},
		{"int", recipe.Variable{Type: recipe.TypeInt}, 3, 3, ""},
		{"int64", recipe.Variable{Type: recipe.TypeInt}, int64(-3), -3, ""},
		{"uint64", recipe.Variable{Type: recipe.TypeInt}, uint64(3), 3, ""},
		{"too big", recipe.Variable{Type: recipe.TypeInt}, uint64(math.MaxUint64), nil, "want a whole number"},
		{"int from 1.5", recipe.Variable{Type: recipe.TypeInt}, 1.5, nil, "want a whole number, found the number 1.5"},
		{"int from text", recipe.Variable{Type: recipe.TypeInt}, "3", nil, `found the string "3"`},
		{"checked", even, 4, 4, ""},
		{"checked, refused", even, 3, nil, "must be even"},
		{"list", recipe.Variable{Type: recipe.TypeList}, []any{"a", "b"}, []string{"a", "b"}, ""},
		{"list of a number", recipe.Variable{Type: recipe.TypeList}, []any{"a", 1}, nil, "want a list of strings, found the number 1 in it"},
		{"list from text", recipe.Variable{Type: recipe.TypeList}, "a", nil, "want a list"},
		{"secret", recipe.Variable{Type: recipe.TypeSecret}, "x", recipe.NewSecret("x"), ""},
		{"secret from a secret", recipe.Variable{Type: recipe.TypeSecret}, recipe.NewSecret("x"), recipe.NewSecret("x"), ""},
		{"secret from a number", recipe.Variable{Type: recipe.TypeSecret}, 471147, nil, "want a string: put it in quotes"},
		{"records", records, []any{mapping{"name": "a", "port": "1"}}, []map[string]string{{"name": "a", "port": "1"}}, ""},
		{"records, unknown key", records, []any{mapping{"name": "a", "port": "1", "x": "y"}}, nil, `entry 1: unknown key "x": want name, port`},
		{"records, key missing", records, []any{mapping{"name": "a", "port": "1"}, mapping{"name": "a"}}, nil, "entry 2: port is missing"},
		{"records, key left out", optional, []any{mapping{"name": "a"}, mapping{"name": "b", "help": "c"}}, []map[string]string{{"name": "a"}, {"name": "b", "help": "c"}}, ""},
		{"records, another key than these", optional, []any{mapping{"name": "a", "x": "y"}}, nil, `entry 1: unknown key "x": want name, and if wanted help`},
		{"records, a number", records, []any{mapping{"name": "a", "port": 1}}, nil, "entry 1: port: want a string, found the number 1"},
		{"records, two lines", records, []any{mapping{"name": "a\nb", "port": "1"}}, nil, "entry 1: name: must be one line"},
		{"records, text in it", records, []any{"a"}, nil, "entry 1: want a mapping with name, port"},
		{"records from a mapping", records, mapping{}, nil, "want a list of mappings with name, port"},
		{"no type", recipe.Variable{Name: "v"}, "x", nil, "variable v has no type"},
	} {
		got, err := test.variable.Decode(test.raw)
		if test.err != "" {
			if err == nil || !strings.Contains(err.Error(), test.err) || got != nil {
				t.Errorf("%s: %v, error %v, want %q in it", test.name, got, err, test.err)
			}
			if err != nil && strings.Contains(err.Error(), "471147") {
				t.Errorf("%s: the error tells the secret: %v", test.name, err)
			}
			continue
		}
		if err != nil || !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: %#v, %v; want %#v", test.name, got, err, test.want)
		}
	}
}

// What Zero gives can be read by the reader of its type.
func TestZeroIsOfItsType(t *testing.T) {
	values := recipe.Values{}
	for _, kind := range []recipe.Type{recipe.TypeString, recipe.TypeBool, recipe.TypeInt, recipe.TypeList, recipe.TypeSecret, recipe.TypeRecords} {
		values[string(kind)] = recipe.Variable{Type: kind}.Zero()
	}
	if values.String("string") != "" || values.Bool("bool") || values.Int("int") != 0 || values.List("list") != nil ||
		!values.Secret("secret").Empty() || values.Records("records") != nil {
		t.Errorf("zero values: %v", values)
	}
	if got := (recipe.Variable{Type: recipe.TypeInt, Default: 7}).Zero(); got != 7 {
		t.Errorf("default %v", got)
	}
	defer func() {
		if recover() == nil {
			t.Error("a variable that is not declared is read")
		}
	}()
	values.String("nobody's")
}
