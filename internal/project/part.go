package project

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.starlark.net/starlark"

	"provision/internal/recipe"
	"provision/internal/resource"
)

// This file makes words of what the tasks that ship offer: nginx.site. What they make of it is their
// business; it comes with them, as data.

// partWords are the words of tasks' parts.
func partWords(tasks []recipe.Task) []*Word {
	var all []*Word
	for _, task := range tasks {
		for _, part := range task.Parts {
			all = append(all, partWord(task.Name, part))
		}
	}
	return all
}

func partWord(task string, part recipe.Part) *Word {
	w := &Word{
		Name: task + "." + part.Name, Group: Parts, About: part.About, Leaves: part.Leaves, Example: part.Example, Manual: part.Manual, Gives: part.Gives,
	}
	for _, v := range part.Variables {
		w.Parameters = append(w.Parameters, ofVariable(v))
	}
	w.returns = func(c *call) (starlark.Value, error) {
		if c.trial != nil {
			return nil, plain(w.Name+": is for the list of build", "a test says what is there by its resources: has = [file(…), package(…)]")
		}
		if !slices.Contains(c.needs, task) {
			needs := append(slices.Clone(c.needs), task)
			return nil, plain(fmt.Sprintf("%s: is a part of %s, which this task does not need", w.Name, task), fmt.Sprintf("needs = [%s]", inQuotes(needs)))
		}
		in := c.in
		in.Vars = recipe.Values{}
		for _, v := range part.Variables {
			in.Vars[v.Name] = v.Zero()
			if value, given := c.values[v.Name]; given {
				in.Vars[v.Name] = value
			}
		}
		made, gives, err := part.Build(in)
		if err == nil {
			err = c.fits(made)
		}
		if err != nil {
			return nil, plain(w.Name+": "+err.Error(), cmp.Or(adviceOf(err), w.Example))
		}
		for i := range made.Items {
			made.Items[i].At = c.at
		}
		return c.make(&thing{items: made.Items, gives: gives}), nil
	}
	return w
}

// fits refuses what of a part cannot be meant: whom it notifies may come with its task.
func (c *call) fits(made recipe.Recipe) error {
	for _, item := range made.Items {
		if validator, ok := item.Resource.(recipe.Validator); ok {
			if err := validator.Validate(); err != nil {
				return err
			}
		}
		if file, ok := item.Resource.(resource.File); ok {
			if err := c.weigh(len(file.Content)); err != nil {
				return err
			}
		}
	}
	return nil
}

func inQuotes(texts []string) string {
	all := make([]string, len(texts))
	for i, text := range texts {
		all[i] = strconv.Quote(text)
	}
	return strings.Join(all, ", ")
}

// variableKinds are how values of variables are written in a task.
var variableKinds = map[recipe.Type]string{
	recipe.TypeString: "text", recipe.TypeBool: "True or False", recipe.TypeInt: "number", recipe.TypeList: "list of texts", recipe.TypeRecords: "list of dicts",
}

// ofVariable is the parameter that takes a variable of a part.
func ofVariable(v recipe.Variable) Parameter {
	if v.Type == recipe.TypeSecret {
		return ofSecret(v)
	}
	p := Parameter{
		Name: v.Name, Type: variableKinds[v.Type], Required: v.Needed, ByName: !v.Needed, Help: v.Help,
		read: func(c *call, value starlark.Value) (any, error) {
			if c.holds(value, 3) {
				return nil, errSeen
			}
			raw, err := (&plainer{building: c.building}).value(value)
			if err != nil {
				return nil, err
			}
			return v.Decode(raw)
		},
	}
	if v.Default != nil {
		p.Default = (&building{}).starlark(v.Default).String()
	}
	return p
}

// ofSecret is the parameter that takes a variable which is secret: a text that may have secrets in it.
func ofSecret(v recipe.Variable) Parameter {
	p := contentOf(v.Name, v.Help)
	p.Required, p.ByName = v.Needed, !v.Needed
	read := p.read
	p.read = func(c *call, value starlark.Value) (any, error) {
		text, err := read(c, value)
		if err != nil {
			return nil, err
		}
		secret := recipe.NewSecret(text.(content).text)
		if v.Check != nil {
			err = v.Check(secret)
		}
		return secret, err
	}
	return p
}

// namespace is a task that ships, as a task of one's own has it: with a word for each of its parts.
type namespace struct {
	name  string
	words starlark.StringDict
}

// add adds a word to those that a task may say, a part's below its task.
func add(names starlark.StringDict, word string, value starlark.Value) {
	task, part, of := strings.Cut(word, ".")
	if !of {
		names[word] = value
		return
	}
	if names[task] == nil {
		names[task] = &namespace{task, starlark.StringDict{}}
	}
	names[task].(*namespace).words[part] = value
}

// String implements starlark.Value.
func (n *namespace) String() string { return "the task " + n.name }

// Type implements starlark.Value.
func (n *namespace) Type() string { return "task" }

// Freeze implements starlark.Value.
func (n *namespace) Freeze() {}

// Truth implements starlark.Value.
func (n *namespace) Truth() starlark.Bool { return true }

// Hash implements starlark.Value.
func (n *namespace) Hash() (uint32, error) { return 0, errors.New("unhashable: task") }

// AttrNames implements starlark.HasAttrs.
func (n *namespace) AttrNames() []string { return n.words.Keys() }

// Attr implements starlark.HasAttrs.
func (n *namespace) Attr(name string) (starlark.Value, error) {
	if word, there := n.words[name]; there {
		return word, nil
	}
	return nil, unknownAttribute(n.name, name, n.AttrNames(), "the task offers no such part", "it has "+strings.Join(n.AttrNames(), ", "))
}

// AttrNames implements starlark.HasAttrs: what a part gives.
func (t *thing) AttrNames() []string { return sortedKeys(t.gives) }

// Attr implements starlark.HasAttrs.
func (t *thing) Attr(name string) (starlark.Value, error) {
	if text, there := t.gives[name]; there {
		return starlark.String(text), nil
	}
	if len(t.gives) == 0 {
		return nil, nil // as of any value without
	}
	return nil, unknownAttribute(t.word.Name, name, t.AttrNames(), "it gives nothing of that name", "it has "+strings.Join(t.AttrNames(), ", "))
}
