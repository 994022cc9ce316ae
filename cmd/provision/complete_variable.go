package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"provision/internal/recipe"
)

// completeVariables completes -e: a variable of the tasks that were named, or of the one before the dot, or an
// argument of the action; and behind = what there is to choose from.
func (f *flags) completeVariables(command *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	var all []string
	task, _, dotted := strings.Cut(typed, ".")
	for _, one := range f.completed() {
		named := slices.Contains(args, one.Name)
		switch {
		case dotted && one.Name == task, !dotted && named:
			all = append(all, completedValues(one.Name+".", one.Variables, typed)...)
		case !dotted && len(args) == 0 && len(one.Variables) > 0:
			all = append(all, one.Name+".")
		}
		for _, action := range one.Actions {
			if named && command.Name() == "do" && len(args) > 1 && args[1] == action.Name {
				all = append(all, completedValues("", action.Arguments, typed)...)
			}
		}
	}
	return all, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}

// completedValues are variables up to their =, and of the one whose = was typed the values that it may have.
func completedValues(before string, variables []recipe.Variable, typed string) []string {
	var all []string
	for _, variable := range variables {
		name := before + variable.Name + "="
		if !strings.HasPrefix(typed, name) {
			all = append(all, cobra.CompletionWithDesc(name, variable.Help))
			continue
		}
		choices := variable.Choices
		if variable.Type == recipe.TypeBool {
			choices = []string{"true", "false"}
		}
		for _, choice := range choices {
			all = append(all, name+choice)
		}
	}
	return all
}

// completeSecrets completes the name of a variable that is a secret.
func (f *flags) completeSecrets(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	var names []string
	for _, task := range f.completed() {
		for _, variable := range task.Variables {
			if variable.Type == recipe.TypeSecret && len(args) == 0 {
				names = append(names, cobra.CompletionWithDesc(task.Name+"."+variable.Name, variable.Help))
			}
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
