package main

import (
	"fmt"
	"os"
	"strings"

	"provision/internal/project"
	"provision/internal/recipe"
	"provision/internal/report"
	"provision/tasks"
)

// kindPrefix begins the name of a word of own tasks, where list takes one.
const kindPrefix = "kind:"

// groupTitles are what the words of own tasks are for, as they are listed.
var groupTitles = map[project.Group]string{
	project.Resources:     "In the list of build",
	project.Parts:         "Parts of tasks that ship, in the list of build",
	project.Notifications: "In notify",
	project.Checks:        "In the list of verify",
	project.Texts:         "Texts",
	project.Variables:     "In variables",
	project.Facts:         "In facts",
	project.Exports:       "In exports",
	project.Actions:       "In actions",
	project.Hooks:         "As drain and undrain",
	project.Hosts:         "Of the host",
	project.Tests:         "In a test, def test_NAME(t)",
}

// kinds are the words of own tasks.
func kinds() []report.Word {
	var all []report.Word
	for _, w := range project.Words(tasks.All()) {
		word := report.Word{Name: w.Name, Group: groupTitles[w.Group], About: w.About, Leaves: w.Leaves, Signature: w.Signature(), Example: w.Example, Manual: w.Manual}
		for _, p := range w.Parameters {
			word.Parameters = append(word.Parameters, report.WordParameter{Name: p.Name, Type: p.Type, Default: p.Default, Help: p.Help, Required: p.Required, ByName: p.ByName})
		}
		for _, g := range w.Gives {
			word.Gives = append(word.Gives, report.WordGiven{Name: g.Name, Help: g.Help})
		}
		all = append(all, word)
	}
	return all
}

// listKinds prints the words of own tasks.
func (f *flags) listKinds(io console) error {
	if f.output.json {
		return report.NewJSON(io.out, nil, nil).Kinds(kinds())
	}
	return report.Words(io.out, report.Detect(io.out, os.Getenv), kinds())
}

// listKind prints one of them.
func (f *flags) listKind(io console, name string) error {
	var names []string
	for _, word := range kinds() {
		if word.Name == name && f.output.json {
			return report.NewJSON(io.out, nil, nil).Kinds([]report.Word{word})
		}
		if word.Name == name {
			return report.OneWord(io.out, report.Detect(io.out, os.Getenv), word)
		}
		names = append(names, word.Name)
	}
	hint := "provision list --kinds"
	if near := recipe.Nearest(name, names); near != "" {
		hint = "did you mean provision list " + kindPrefix + near + "?"
	}
	return usage(fmt.Errorf("%q: no such kind", strings.TrimSpace(name)), hint)
}
