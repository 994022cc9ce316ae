package project

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"go.starlark.net/starlark"

	"provision/internal/recipe"
)

// declaredAction is an action that action made.
type declaredAction struct{ recipe.Script }

// String implements starlark.Value.
func (d *declaredAction) String() string { return fmt.Sprintf("action(%q)", d.Name) }

// Type implements starlark.Value.
func (d *declaredAction) Type() string { return "action" }

// Freeze implements starlark.Value.
func (d *declaredAction) Freeze() {}

// Truth implements starlark.Value.
func (d *declaredAction) Truth() starlark.Bool { return true }

// Hash implements starlark.Value.
func (d *declaredAction) Hash() (uint32, error) { return starlark.String(d.Name).Hash() }

// actionExample is how actions are written at least.
const actionExample = `actions = [action("flush", "shop flush", help = "Empties the cache.")]`

func actionWords() []*Word {
	return []*Word{{
		Name: "action", Group: Actions, Manual: "sh(1)",
		About: "A script that is no state of a host, and is run when somebody says so: provision do TASK NAME. It is run as root, under the host's lock, and is in the host's journal. " +
			"Its arguments and the task's variables are variables of the shell, by their names: nothing is pasted into the script, so write \"$dir\" there. A list has an element a line, of a bool it is true or false; records are left out. Beside them $instance is what v.instance is. " +
			"They come on standard input, before the script begins: a secret is in no argument and not in the environment, and the script hands it on so too: printf %s \"$token\" | shop login.",
		Example: "actions = [\n    action(\"backup\", \"pg_dump shop >\\\"$dir/shop.sql\\\"\", help = \"Writes the database into a file.\", args = [\n        var(\"dir\", str, default = \"/var/backups\", help = \"Where to.\"),\n    ]),\n]",
		Parameters: []Parameter{
			required(text("name", "Its name: lower case letters, digits, - and _.")),
			text("script", "POSIX sh."),
			byName(text("source", "The file that has the script, in files/ beside the task.")),
			byName(text("help", "What it does, one sentence.")),
			byName(Parameter{Name: "args", Type: "list of var(…)", Help: "Its arguments, which -e sets: provision do shop backup -e dir=/mnt. Their types are those of variables, but for records.", read: readArguments}),
			byName(or(duration("timeout", "How long it may take."), `"30m"`)),
			byName(truth("drains", "It interrupts what the host serves: the host is drained around it, by the drain and undrain of its tasks, and brought back when their checks pass.")),
		},
		returns: declareAction,
	}}
}

// readArguments reads what an action takes.
func readArguments(c *call, v starlark.Value) (any, error) {
	const example = `args = [var("dir", str, default = "/var/backups")]`
	list, ok := v.(starlark.Iterable)
	if _, dict := v.(*starlark.Dict); !ok || dict {
		return nil, plain(fmt.Sprintf("want a list of var(…), found %s", c.found(v)), example)
	}
	var all []recipe.Variable
	for one := range starlark.Elements(list) {
		d, ok := one.(*declared)
		switch {
		case !ok:
			return nil, plain(fmt.Sprintf("want var(…), found %s", c.found(one)), example)
		case d.Variable.Type == recipe.TypeRecords:
			return nil, plain(d.Name+": no variable of the shell holds records", "a list, with a text for each")
		case slices.ContainsFunc(all, func(v recipe.Variable) bool { return v.Name == d.Name }):
			return nil, plain("there are two of the name "+d.Name, "rename one of them")
		}
		all = append(all, d.Variable)
	}
	return all, nil
}

// declareAction checks an action where it stands.
func declareAction(c *call) (starlark.Value, error) {
	a := recipe.Script{
		Name: given[string](c, "name"), Help: given[string](c, "help"), At: c.at,
		Arguments: given[[]recipe.Variable](c, "args"), Timeout: given[time.Duration](c, "timeout"), Drains: given[bool](c, "drains"),
	}
	if !taskName.MatchString(a.Name) {
		return nil, plain(fmt.Sprintf("action: %q is no name of an action", a.Name), `lower case letters, digits, - and _, as "backup"`)
	}
	var err error
	a.Text, err = c.shell("action", actionExample)
	return &declaredAction{a}, err
}

// shell is the script that a word has, or the file of one.
func (c *call) shell(what, example string) (string, error) {
	if c.has("source") == c.has("script") {
		return "", plain(what+": wants a script or a source", example)
	}
	text := given[string](c, "script")
	if c.has("source") {
		_, read, err := c.project.use(c.file, fileFolder, given[string](c, "source"), maxSource)
		if err != nil {
			return "", plain(what+": "+err.Error(), adviceOf(err))
		}
		text = read
	}
	if strings.TrimSpace(text) == "" || strings.Contains(text, "\x00") {
		return "", plain(what+": the script is empty, or no text", example)
	}
	return text, nil
}

// readActions reads the actions of a task.
func (s *script) readActions() error {
	value, there := s.file.globals[actionsName]
	if !there {
		return nil
	}
	list, ok := value.(*starlark.List)
	if !ok {
		return s.refuse(actionsName, "actions: want a list, found "+value.Type(), actionExample)
	}
	for one := range list.Elements() {
		a, ok := one.(*declaredAction)
		if !ok {
			return s.refuse(actionsName, fmt.Sprintf("actions: want action(…), found %s", one), actionExample)
		}
		if slices.ContainsFunc(s.actions, func(b recipe.Script) bool { return b.Name == a.Name }) {
			return &recipe.SourceError{At: a.At, Problem: "actions: there are two of the name " + a.Name, Advice: "rename one of them"}
		}
		for _, v := range s.variables {
			if slices.ContainsFunc(a.Arguments, func(w recipe.Variable) bool { return w.Name == v.Name }) {
				return &recipe.SourceError{At: a.At, Problem: fmt.Sprintf("action %s: args: %s is a variable of the task, which the script has too", a.Name, v.Name), Advice: "rename it, or leave it out: $" + v.Name + " is what hosts.yaml says"}
			}
		}
		s.actions = append(s.actions, a.Script)
	}
	return nil
}
