package resource

import (
	"fmt"
	"slices"
	"strings"

	"provision/internal/recipe"
	"provision/internal/script"
)

// Action is an action of a task that is to be run once, with what it is given. It is no state: each
// plan of it has it.
type Action struct {
	recipe.Script
	Given  recipe.Values // its arguments
	Values recipe.Values // the task's variables
}

// ID implements recipe.Resource.
func (a Action) ID() string { return "action:" + a.Name }

// Acts implements recipe.Acting.
func (a Action) Acts() bool { return true }

// Probes implements recipe.Resource.
func (a Action) Probes() []recipe.Probe { return nil }

// longestTitle bounds what a host's journal has of an action's arguments, in bytes.
const longestTitle = 1 << 10

// Diff implements recipe.Resource.
func (a Action) Diff(recipe.Facts) (recipe.Change, error) {
	change := recipe.Change{Kind: recipe.Act, Summary: "run"}
	title := a.Name
	for _, argument := range a.Arguments {
		text, secret := shownArgument(a.Given[argument.Name])
		if text == "" {
			continue
		}
		change.Deltas = append(change.Deltas, recipe.Delta{Name: argument.Name, Before: text})
		if word := " " + argument.Name + "=" + script.Quote(text); !secret && len(title)+len(word) < longestTitle {
			title += word
		}
	}
	change.Steps = []recipe.Step{recipe.Exec{Name: title, Script: readsValues + a.Text, Input: recipe.NewSecret(a.assignments()), Timeout: a.Timeout}}
	return change, nil
}

// shownArgument is a value on one line.
func shownArgument(value any) (text string, secret bool) {
	switch value := value.(type) {
	case recipe.Secret:
		if value.Empty() {
			return "", true
		}
		return "[secret]", true
	case []string:
		return oneLine(strings.Join(value, ", ")), false
	}
	return oneLine(fmt.Sprint(value)), false
}

func oneLine(text string) string {
	return strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' }), " ")
}

// readsValues begins an action's script: the values come on standard input, for what is in an argument
// or in the environment can be seen on the host.
const readsValues = "eval \"$(cat)\" || exit\n"

// assignments is the sh that sets the shell's variables.
func (a Action) assignments() string {
	var s strings.Builder
	for _, values := range []recipe.Values{a.Values, a.Given} {
		var names []string
		for name := range values {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			if _, records := values[name].([]map[string]string); records {
				continue // no variable of sh holds one
			}
			s.WriteString(name + "=" + script.Quote(shellText(values[name])) + "\n")
		}
	}
	return s.String()
}

// shellText is a value as a variable of sh has it: of a list each element is a line.
func shellText(value any) string {
	switch value := value.(type) {
	case recipe.Secret:
		return value.Reveal()
	case []string:
		return strings.Join(value, "\n")
	}
	return fmt.Sprint(value)
}
