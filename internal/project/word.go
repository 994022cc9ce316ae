package project

import (
	"fmt"
	"slices"
	"strings"

	"go.starlark.net/starlark"

	"provision/internal/recipe"
)

// Word is one of the words that a task may use beside Starlark's own: a kind of resource, a
// check, a template. It is documentation as much as code: list --kinds and list kind:NAME
// print it.
type Word struct {
	Name       string
	Group      Group
	About      string // what it is, the first sentence for a list, and what it refuses
	Leaves     string // of a kind of resources: what becomes of one that is no longer wanted
	Example    string // lines of a task
	Manual     string // what it goes by: "systemd.unit(5)"
	Parameters []Parameter
	Gives      []recipe.Given // of a part

	value bool // it is no function: its parameters are what it has

	// returns makes its value of arguments that were read.
	returns func(*call) (starlark.Value, error)
}

// Group is what a word is for.
type Group string

// The groups, in the order in which they are listed.
const (
	Resources     Group = "resources" // what build returns
	Parts         Group = "parts"     // what build returns too: of the tasks that ship
	Notifications Group = "notify"    // what notify takes
	Checks        Group = "checks"    // what verify returns
	Texts         Group = "texts"
	Variables     Group = "variables"
	Facts         Group = "facts"
	Exports       Group = "exports"
	Actions       Group = "actions"
	Hooks         Group = "hooks"
	Hosts         Group = "hosts" // what build and verify get beside the variables
	Tests         Group = "tests" // what a test gets
)

// Parameter is one argument of a word. The first ones may be given by their place.
type Parameter struct {
	Name     string
	Type     string // how it is written: "text", "octal text", "list of texts"
	Required bool
	ByName   bool   // only by name
	None     bool   // None is a value of it as any other
	Default  string // what it is without, as it would be written; "" is nothing
	Help     string // one sentence

	read func(*call, starlark.Value) (any, error)
}

// call is one use of a word.
type call struct {
	*building
	word   *Word
	at     recipe.Position
	file   string // of the project, in which it stands
	values map[string]any
	none   map[string]bool  // the arguments that are given as None
	rest   []starlark.Tuple // of a word that takes any name
}

// words are all that a task may say, with the parts of those that ship.
func words(shipped []recipe.Task) []*Word {
	return slices.Concat(fileKinds(), partKinds(), madeKinds(), projectKinds(), networkKinds(), systemKinds(), aptKinds(), hostKinds(), unitKinds(), []*Word{releaseKind()}, partWords(shipped),
		notifications(), checkWords(), textWords(), variableWords(), factWords(), exportWords(), actionWords(), hookWords())
}

// Words returns the words that a task and its tests may use, and what it knows of a host, for
// documentation.
func Words(shipped []recipe.Task) []*Word {
	return slices.Concat(words(shipped), []*Word{hostWord()}, testingWords())
}

// predeclared are the names of a task beside Starlark's own.
func (p *Project) predeclared() starlark.StringDict {
	names := starlark.StringDict{
		guarded: starlark.NewBuiltin(guarded, notSecret), uncut: starlark.NewBuiltin(uncut, uncutText),
		"hash": starlark.NewBuiltin("hash", hashed), "len": starlark.NewBuiltin("len", counted),
	}
	for _, t := range variableTypes {
		names[t.name] = t.value()
	}
	for _, word := range words(p.shipped) {
		add(names, word.Name, starlark.NewBuiltin(word.Name, p.say(word)))
	}
	return names
}

// say makes a function of a word.
func (p *Project) say(word *Word) func(*starlark.Thread, *starlark.Builtin, starlark.Tuple, []starlark.Tuple) (starlark.Value, error) {
	return func(thread *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, named []starlark.Tuple) (starlark.Value, error) {
		c := &call{building: buildingOf(thread), word: word, values: make(map[string]any, len(args)+len(named))}
		if c.building == nil {
			if word.Group != Variables && word.Group != Facts && word.Group != Exports && word.Group != Actions && word.Group != Hooks {
				return nil, plain(word.Name+": stands outside of build and verify", "put it into the list that build returns; what is above runs before there is a host")
			}
			c.building = &building{project: p}
		}
		c.at = placeOf(thread.CallStack())
		c.at.Column = max(1, c.at.Column-len(word.Name)) // Starlark's place is that of the bracket
		c.file = p.fileOf(thread)
		if err := c.read(args, named); err != nil {
			return nil, err
		}
		return word.returns(c)
	}
}

// fileOf is the file that a word is said in, as the project names it.
func (p *Project) fileOf(thread *starlark.Thread) string {
	if m := p.read[thread.CallFrame(1).Pos.Filename()]; m != nil {
		return m.name
	}
	return ""
}

// read reads the arguments, each as its parameter wants it.
func (c *call) read(args starlark.Tuple, named []starlark.Tuple) error {
	places := slices.IndexFunc(c.word.Parameters, func(p Parameter) bool { return p.ByName })
	if places < 0 {
		places = len(c.word.Parameters)
	}
	if len(args) > places {
		return plain(fmt.Sprintf("%s: found %d arguments without a name, takes %d", c.word.Name, len(args), places), c.signature())
	}
	for i, value := range args {
		if err := c.set(c.word.Parameters[i], value); err != nil {
			return err
		}
	}
	for _, pair := range named {
		name := string(pair[0].(starlark.String))
		at := slices.IndexFunc(c.word.Parameters, func(p Parameter) bool { return p.Name == name })
		switch {
		case c.word.takesAny(): // its own have their place alone
			c.rest = append(c.rest, pair)
			continue
		case at < 0:
			return c.unknown(name)
		case at < len(args):
			return plain(fmt.Sprintf("%s: %s is given twice, by its place and by its name", c.word.Name, name), c.signature())
		}
		if err := c.set(c.word.Parameters[at], pair[1]); err != nil {
			return err
		}
	}
	for _, p := range c.word.Parameters {
		if _, given := c.values[p.Name]; p.Required && !given {
			return plain(fmt.Sprintf("%s: %s is missing: %s", c.word.Name, p.Name, strings.TrimSuffix(p.Help, ".")), c.signature())
		}
	}
	return nil
}

// anyName is the parameter of a word that takes arguments of any name.
const anyName = "**"

func (w *Word) takesAny() bool {
	return slices.ContainsFunc(w.Parameters, func(p Parameter) bool { return p.Name == anyName })
}

func (w *Word) parameter(name string) Parameter {
	at := slices.IndexFunc(w.Parameters, func(p Parameter) bool { return p.Name == name })
	return w.Parameters[at]
}

// set reads one argument. None is as if it were not given, but where it is a value.
func (c *call) set(p Parameter, value starlark.Value) error {
	if value == starlark.None && !p.None {
		if c.none == nil {
			c.none = map[string]bool{}
		}
		c.none[p.Name] = true
		return nil
	}
	read, err := p.read(c, value)
	if err == nil {
		c.values[p.Name] = read
		return nil
	}
	advice := adviceOf(err)
	if advice == "" {
		advice = fmt.Sprintf("%s = %s: %s", p.Name, p.Type, p.Help)
	}
	return plain(c.word.Name+": "+p.Name+": "+err.Error(), advice)
}

// unknown is the error of an argument that there is not.
func (c *call) unknown(name string) error {
	var names []string
	for _, p := range c.word.Parameters {
		names = append(names, p.Name)
	}
	advice := "it has " + strings.Join(names, ", ")
	if near := recipe.Nearest(name, names); near != "" {
		advice = "did you mean " + near + "?"
	}
	return plain(fmt.Sprintf("%s: has no argument %s", c.word.Name, name), advice)
}

// signature is a hint: how a word is written at least.
func (c *call) signature() string { return c.word.Signature() }

// Signature is how a word is written, with what it must have and what else it may have.
func (w *Word) Signature() string {
	if w.value {
		return w.Name + ".NAME"
	}
	var parts []string
	for _, p := range w.Parameters {
		switch {
		case p.Name == anyName:
			parts = append(parts, "name = value, …")
		case p.Required && !p.ByName:
			parts = append(parts, p.Name)
		case p.Required:
			parts = append(parts, p.Name+" = "+p.Type)
		case p.ByName:
			parts = append(parts, p.Name+" = …")
		default:
			parts = append(parts, "["+p.Name+"]")
		}
	}
	return w.Name + "(" + strings.Join(parts, ", ") + ")"
}

// given returns an argument, the zero value of one that was not given.
func given[T any](c *call, name string) T {
	value, _ := c.values[name].(T)
	return value
}

// has reports whether an argument was given.
func (c *call) has(name string) bool {
	_, given := c.values[name]
	return given
}
