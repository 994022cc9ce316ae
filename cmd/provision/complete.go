package main

import (
	"errors"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"provision/internal/inventory"
	"provision/internal/lab"
	"provision/internal/recipe"
	"provision/tasks"
)

// complete tells a shell's completion what may stand behind each verb and each flag that takes a name.
func (f *flags) complete(root *cobra.Command) {
	for _, command := range documented(root) {
		if command.ValidArgsFunction == nil && len(command.ValidArgs) == 0 {
			command.ValidArgsFunction = f.completeArguments(command)
		}
		if command.LocalNonPersistentFlags().Lookup("limit") != nil { // of secret: a group or a host
			_ = command.RegisterFlagCompletionFunc("limit", f.completeHosts)
		}
		for _, flag := range []string{"suite", "release"} {
			// It fails for a flag that there is not.
			_ = command.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(lab.Suites(), cobra.ShellCompDirectiveNoFileComp))
		}
	}
	_ = root.RegisterFlagCompletionFunc("hosts", f.completeHosts)
	_ = root.RegisterFlagCompletionFunc("limit", f.completeHosts)
	_ = root.RegisterFlagCompletionFunc("extra-var", f.completeVariables)
}

// completeArguments goes by what a verb's usage says of its arguments; nil is for files.
func (f *flags) completeArguments(command *cobra.Command) cobra.CompletionFunc {
	_, arguments, _ := strings.Cut(strings.TrimPrefix(command.Use, command.Name()), " ")
	arguments = strings.TrimPrefix(arguments, "[flags] ")
	ofLab := command.Parent() != nil && command.Parent().Name() == "lab"
	switch {
	case arguments == "", strings.HasPrefix(arguments, "[N |"), !ofLab && arguments == "NAME": // none, or a new name
		return cobra.NoFileCompletions
	case strings.Contains(arguments, kindPrefix):
		return f.completeListed
	case arguments == "TASK.VARIABLE":
		return f.completeSecrets
	case strings.Contains(arguments, "TASK"):
		return f.completeTasks
	case ofLab:
		return completeLabHosts
	case strings.HasPrefix(arguments, "HOST"):
		return f.completeHost
	case arguments == "DIR":
		return cobra.FixedCompletions(nil, cobra.ShellCompDirectiveFilterDirs)
	case arguments == strings.ToLower(arguments):
		return cobra.FixedCompletions([]string{arguments}, cobra.ShellCompDirectiveNoFileComp)
	}
	return nil
}

func (f *flags) completeTasks(command *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	var names []string
	released := command.Name() == "deploy" || command.Name() == "releases"
	one := !strings.Contains(command.Use, "...")
	for _, task := range f.completed() {
		if !slices.Contains(args, task.Name) && !(one && len(args) > 0) && !(released && task.Deployed == nil) {
			names = append(names, cobra.CompletionWithDesc(task.Name, task.Summary))
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// completed are the tasks that there are, with the instances that hosts have.
func (f *flags) completed() catalogue {
	all, err := f.selection.tasks()
	if err != nil { // whoever presses the tab key wants no error
		all = tasks.All()
	}
	return slices.Concat(all, f.instances(all))
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

// completeListed completes what list tells of: a task, a host, a word of own tasks.
func (f *flags) completeListed(command *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	if strings.HasPrefix(typed, kindPrefix) {
		var words []string
		for _, word := range kinds() {
			words = append(words, kindPrefix+word.Name)
		}
		return words, cobra.ShellCompDirectiveNoFileComp
	}
	names, directive := f.completeTasks(command, args, typed)
	return slices.Concat(names, f.hostNames(false)), directive
}

// completeHost completes the one host that comes first; what is behind it is ssh's.
func (f *flags) completeHost(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveDefault
	}
	return f.hostNames(true), cobra.ShellCompDirectiveNoFileComp
}

func completeLabHosts(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	var names []string
	hosts, _ := labHosts() // none where there is no lab
	for _, host := range hosts {
		if !slices.Contains(args, host.Name) {
			names = append(names, host.Name)
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// completeHosts completes the last name of a list with commas.
func (f *flags) completeHosts(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
	last := strings.LastIndex(typed, ",") + 1
	if strings.HasPrefix(typed[last:], "!") {
		last++
	}
	names := []string{"all"}
	if inv, err := f.read(); err == nil {
		names = append(names, inv.Groups()...)
	}
	names = append(names, f.hostNames(true)...)
	for i := range names {
		names[i] = typed[:last] + names[i]
	}
	return names, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}

// hostNames are the hosts of the inventory, and with those of the lab. An inventory that cannot be read has
// none: whoever presses the tab key wants no error.
func (f *flags) hostNames(withLab bool) []string {
	var names []string
	if inv, err := f.read(); err == nil {
		for _, host := range inv.Hosts() {
			names = append(names, host.Name)
		}
	}
	if hosts, err := labHosts(); err == nil && withLab {
		for _, host := range hosts {
			names = append(names, host.Name)
		}
	}
	return names
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
