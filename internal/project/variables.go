package project

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"go.starlark.net/starlark"

	"provision/internal/recipe"
)

// variableType is a type that var takes.
type variableType struct {
	name string
	kind recipe.Type
}

// variableTypes are those of recipe.Variable. str, int, bool and list are Starlark's own
// functions of that name.
var variableTypes = []variableType{
	{"str", recipe.TypeString}, {"int", recipe.TypeInt}, {"bool", recipe.TypeBool}, {"list", recipe.TypeList},
	{"secret", recipe.TypeSecret}, {"records", recipe.TypeRecords},
}

// typeName is a type that is no function of Starlark's.
type typeName string

// String implements starlark.Value.
func (t typeName) String() string { return string(t) }

// Type implements starlark.Value.
func (t typeName) Type() string { return "type" }

// Freeze implements starlark.Value.
func (t typeName) Freeze() {}

// Truth implements starlark.Value.
func (t typeName) Truth() starlark.Bool { return true }

// Hash implements starlark.Value.
func (t typeName) Hash() (uint32, error) { return starlark.String(t).Hash() }

func (t variableType) value() starlark.Value {
	if own, there := starlark.Universe[t.name]; there {
		return own
	}
	return typeName(t.name)
}

// declared is a variable that var made.
type declared struct {
	recipe.Variable
	at recipe.Position
}

// String implements starlark.Value.
func (d *declared) String() string { return fmt.Sprintf("var(%q)", d.Name) }

// Type implements starlark.Value.
func (d *declared) Type() string { return "var" }

// Freeze implements starlark.Value.
func (d *declared) Freeze() {}

// Truth implements starlark.Value.
func (d *declared) Truth() starlark.Bool { return true }

// Hash implements starlark.Value.
func (d *declared) Hash() (uint32, error) { return starlark.String(d.Name).Hash() }

// anyValue is a parameter that takes a value as it is.
func anyValue(name, kind, help string) Parameter {
	return Parameter{Name: name, Type: kind, Help: help, read: func(_ *call, v starlark.Value) (any, error) { return v, nil }}
}

func variableWords() []*Word {
	return []*Word{{
		Name: "var", Group: Variables,
		About:   "A variable of the task: hosts.yaml and -e set it as TASK.NAME, and in build and verify it is v.NAME.",
		Example: "variables = [\n    var(\"domain\", str, help = \"Name that visitors type.\"),\n    var(\"workers\", int, default = 2, min = 1, max = 64, help = \"Processes.\"),\n]",
		Parameters: []Parameter{
			required(text("name", "Its name: lower case letters, digits and _.")),
			required(anyValue("type", "str, int, bool, list, secret or records", "What it holds; list is a list of texts, records a list of dicts with the keys that fields names.")),
			byName(anyValue("default", "a value of its type", "What it is when nothing sets it. Without one it has to be set; with default = None it may be left out, and is empty then. A secret has no other.")),
			byName(text("help", "What it does, one sentence.")),
			byName(texts("choices", "Of str: the only values that it takes.")),
			byName(number("min", "Of int: the least.")),
			byName(number("max", "Of int: the most.")),
			byName(texts("fields", "Of records: the keys that each has.")),
			byName(texts("optional", "Of records: further keys, which one may leave out.")),
		},
		returns: declare,
	}}
}

var variableName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,63}$`)

// declare checks a variable where it stands.
func declare(c *call) (starlark.Value, error) {
	v := recipe.Variable{
		Name: given[string](c, "name"), Help: given[string](c, "help"), Choices: given[[]string](c, "choices"), Fields: given[[]string](c, "fields"), Optional: given[[]string](c, "optional"),
	}
	switch {
	case !variableName.MatchString(v.Name):
		return nil, plain(fmt.Sprintf("var: %q is no name of a variable", v.Name), "lower case letters, digits and _, as \"max_size\"")
	case v.Name == instanceName:
		return nil, plain("var: v.instance is there of itself: blue of shop@blue, or nothing", "another name, as \"the_instance\"")
	case reserved(v.Name):
		return nil, plain(fmt.Sprintf("var: %q is a word of the language: v.%s cannot be written", v.Name, v.Name), "another name, as \""+v.Name+"_\" or \"the_"+v.Name+"\"")
	}
	var err error
	if v.Type, err = typeOf(given[starlark.Value](c, "type")); err != nil {
		return nil, err
	}
	if err := c.limits(&v); err != nil {
		return nil, err
	}
	v.Needed = !c.has("default") && !c.none["default"]
	if c.has("default") {
		if v.Default, err = c.defaultOf(v, given[starlark.Value](c, "default")); err != nil {
			return nil, plain(fmt.Sprintf("var: default of %s: %s", v.Name, err), cmp.Or(adviceOf(err), "a default is what hosts.yaml could set it to"))
		}
	}
	return &declared{v, c.at}, nil
}

// instanceName is what every task's variables have of themselves.
const instanceName = "instance"

// reserved reports whether Starlark keeps a word for itself.
func reserved(name string) bool {
	_, err := dialect().ParseExpr("", name, 0)
	return err != nil
}

func typeOf(value starlark.Value) (recipe.Type, error) {
	var names []string
	for _, t := range variableTypes {
		if own, ok := value.(*starlark.Builtin); ok && own == t.value() || value == t.value() {
			return t.kind, nil
		}
		names = append(names, t.name)
	}
	advice := "one of " + strings.Join(names, ", ")
	text, quoted := starlark.AsString(value)
	if quoted && slices.Contains(names, text) {
		advice = text + ", without quotes"
	}
	return "", plain(fmt.Sprintf("var: %s is no type", value), advice)
}

// limits reads what a variable's values have to be, each of the types that have it.
func (c *call) limits(v *recipe.Variable) error {
	for _, only := range []struct {
		name string
		kind recipe.Type
	}{{"choices", recipe.TypeString}, {"min", recipe.TypeInt}, {"max", recipe.TypeInt}, {"fields", recipe.TypeRecords}, {"optional", recipe.TypeRecords}} {
		if c.has(only.name) && v.Type != only.kind {
			return plain(fmt.Sprintf("var: %s: is not of this type", only.name), "leave it out: "+c.word.parameter(only.name).Help)
		}
	}
	if v.Type == recipe.TypeRecords && len(v.Fields) == 0 {
		return plain("var: records need fields", "fields = [\"name\", \"port\"]")
	}
	low, high := given[int](c, "min"), given[int](c, "max")
	hasLow, hasHigh := c.has("min"), c.has("max")
	if hasLow && hasHigh && low > high {
		return plain(fmt.Sprintf("var: min %d is more than max %d", low, high), "swap them")
	}
	if hasLow || hasHigh {
		v.Check = func(value any) error {
			switch n := value.(int); {
			case hasLow && hasHigh && (n < low || n > high):
				return fmt.Errorf("must be between %d and %d", low, high)
			case hasLow && n < low:
				return fmt.Errorf("must be %d or more", low)
			case hasHigh && n > high:
				return fmt.Errorf("must be %d or less", high)
			}
			return nil
		}
	}
	return nil
}

// defaultOf reads a default as the inventory reads a value.
func (c *call) defaultOf(v recipe.Variable, value starlark.Value) (any, error) {
	if v.Type == recipe.TypeSecret {
		return nil, plain("a secret in plain text", "leave it out, and the secret has to be given; default = None, and it may be left out")
	}
	raw, err := (&plainer{building: c.building}).value(value)
	if err != nil {
		return nil, err
	}
	return v.Decode(raw)
}

// values are a task's variables as build and verify see them: v.NAME.
type values struct {
	of  *building
	all []recipe.Variable
}

// String implements starlark.Value.
func (v *values) String() string { return "the variables of " + v.of.task }

// Type implements starlark.Value.
func (v *values) Type() string { return "variables" }

// Freeze implements starlark.Value.
func (v *values) Freeze() {}

// Truth implements starlark.Value.
func (v *values) Truth() starlark.Bool { return true }

// Hash implements starlark.Value.
func (v *values) Hash() (uint32, error) { return 0, fmt.Errorf("unhashable: variables") }

// AttrNames implements starlark.HasAttrs.
func (v *values) AttrNames() []string {
	names := []string{instanceName}
	for _, variable := range v.all {
		names = append(names, variable.Name)
	}
	slices.Sort(names)
	return names
}

// Attr implements starlark.HasAttrs.
func (v *values) Attr(name string) (starlark.Value, error) {
	if name == instanceName {
		return starlark.String(v.of.in.Instance), nil
	}
	value, there := v.of.in.Vars[name]
	if !there {
		return nil, unknownAttribute("v", name, v.AttrNames(), "the task has no such variable", "var(\""+name+"\", str, help = …) in variables")
	}
	return v.of.starlark(value), nil
}

// unknownAttribute is the error of v.NAME and host.NAME.
func unknownAttribute(of, name string, names []string, problem, otherwise string) error {
	advice := otherwise
	if near := recipe.Nearest(name, names); near != "" {
		advice = "did you mean " + of + "." + near + "?"
	}
	return plain(of+"."+name+": "+problem, advice)
}

// starlark makes Starlark's value of a variable's, which cannot be changed.
func (b *building) starlark(value any) starlark.Value {
	switch value := value.(type) {
	case string:
		return starlark.String(value)
	case bool:
		return starlark.Bool(value)
	case int:
		return starlark.MakeInt(value)
	case recipe.Secret:
		return &secret{value, b}
	case []string:
		return b.list(len(value), func(i int) starlark.Value { return starlark.String(value[i]) })
	case []map[string]string:
		return b.list(len(value), func(i int) starlark.Value {
			dict := starlark.NewDict(len(value[i]))
			for _, key := range sortedKeys(value[i]) {
				dict.SetKey(starlark.String(key), starlark.String(value[i][key])) // it fails of a frozen one
			}
			return dict
		})
	}
	return starlark.None
}

func (b *building) list(n int, at func(int) starlark.Value) starlark.Value {
	elements := make([]starlark.Value, n)
	for i := range elements {
		elements[i] = at(i)
	}
	list := starlark.NewList(elements)
	list.Freeze()
	return list
}
