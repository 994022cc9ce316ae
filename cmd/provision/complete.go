package main

import (
	"errors"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"provision/internal/inventory"
	"provision/internal/recipe"
	"provision/tasks"
)

// complete tells a shell's completion the names of tasks and hosts.
func (f *flags) complete(root *cobra.Command) {
	for _, command := range root.Commands() {
		if strings.Contains(command.Use, "TASK") && command.ValidArgsFunction == nil {
			command.ValidArgsFunction = f.completeTasks
		}
	}
	for _, flag := range []string{"hosts", "limit"} {
		// It fails for a flag that there is not.
		_ = root.RegisterFlagCompletionFunc(flag, f.completeHosts)
	}
}

func (f *flags) completeTasks(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	var names []string
	all, err := f.selection.tasks()
	if err != nil { // whoever presses the tab key wants no error
		all = tasks.All()
	}
	for _, task := range append(all, f.instances(all)...) {
		if !slices.Contains(args, task.Name) {
			names = append(names, cobra.CompletionWithDesc(task.Name, task.Summary))
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// instances are those that hosts of the inventory have; none where it cannot be read.
func (f *flags) instances(all catalogue) []recipe.Task {
	inv, err := f.read()
	if err != nil {
		return nil
	}
	var names []string
	for _, host := range inv.Hosts() {
		for _, name := range host.Tasks {
			if _, instance := recipe.SplitInstance(name); instance != "" && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	found, err := all.find(names)
	if err != nil {
		return nil
	}
	return found
}

// completeHosts completes the last name of a list with commas. An inventory that cannot be
// read has no names: whoever presses the tab key wants no error.
func (f *flags) completeHosts(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
	inv, err := f.read()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	before := typed[:strings.LastIndex(typed, ",")+1]
	names := []string{before + "all"}
	for _, group := range inv.Groups() {
		names = append(names, before+group)
	}
	for _, host := range inv.Hosts() {
		names = append(names, before+host.Name)
	}
	if hosts, err := labHosts(); err == nil {
		for _, host := range hosts {
			names = append(names, before+host.Name)
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}

// read is the inventory, but for one that would have to be run: whoever presses the tab key did not ask for
// that.
func (f *flags) read() (*inventory.Inventory, error) {
	if inventory.IsProgram(f.selection.path()) {
		return nil, errors.New("it would have to be run")
	}
	quiet := f.selection
	quiet.tell = nil
	return quiet.open(&inventory.Keys{})
}
