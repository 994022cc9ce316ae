package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"provision/internal/inventory"
	"provision/internal/recipe"
	"provision/internal/resource"
	"provision/internal/run"
)

func newDo(f *flags, io console) *cobra.Command {
	command := &cobra.Command{
		Use:   "do TASK ACTION [ARGUMENT...]",
		Short: "run an action of a task on hosts: a backup, a flush",
		Long: `Runs an action of a task: a script that the task's file names in actions, as
root, under the host's lock; what it prints is printed line by line, and the
host's journal has it. Without -H or -l it runs on the hosts that have the task
in hosts.yaml. -e NAME=VALUE sets an argument of it, -e TASK.VARIABLE=VALUE a
variable of the task; a secret comes from a file (@FILE), standard input (@-)
or the environment (@env:NAME). Arguments that have to be given may also stand
behind the action, in their order. An action that interrupts what its host
serves says so (drains): then the host is drained around it.
provision list TASK tells the actions.`,
		Example: `  provision do shop backup -l web
  provision do shop backup -l web -e dir=/mnt/backups -y
  provision do alerts test load -H web1`,
		Args: cobra.ArbitraryArgs,
		RunE: func(command *cobra.Command, args []string) error {
			task, action, err := f.findAction(args)
			if err != nil {
				return err
			}
			f.selection.extra = append(f.selection.extra, placed(action, args[2:])...)
			e, err := f.deed(io, task, action)
			if err != nil {
				return err
			}
			e.question = "Run this?"
			return f.change(command.Context(), io, "do "+task.Name+" "+action.Name, e, run.Do)
		},
		ValidArgsFunction: f.completeActions,
	}
	f.run.registerChanges(command)
	return command
}

// findAction is the action that was named, and its task.
func (f *flags) findAction(args []string) (recipe.Task, recipe.Script, error) {
	var none recipe.Script
	if len(args) == 0 {
		return recipe.Task{}, none, usage(errors.New("do: wants TASK ACTION"), "provision do --help")
	}
	task, err := f.findTask(args[0])
	if err != nil {
		return task, none, err
	}
	var names []string
	for _, action := range task.Actions {
		if len(args) > 1 && action.Name == args[1] {
			return task, action, tooMany(action, args[2:])
		}
		names = append(names, action.Name)
	}
	hint := "provision do " + task.Name + " " + strings.Join(names, ", or ")
	switch {
	case len(names) == 0:
		return task, none, usage(fmt.Errorf("task %s has no actions", task.Name), `provision list kind:action tells how a task of your own gets one`)
	case len(args) == 1:
		return task, none, usage(fmt.Errorf("do: wants an action of %s", task.Name), hint)
	}
	if near := recipe.Nearest(args[1], names); near != "" {
		hint = "did you mean provision do " + task.Name + " " + near + "?"
	}
	return task, none, usage(fmt.Errorf("task %s has no action %q", task.Name, args[1]), hint)
}

// needed are the arguments that have to be given, and are no secrets: those may stand behind the action.
func needed(action recipe.Script) []string {
	var names []string
	for _, argument := range action.Arguments {
		if argument.Needed && argument.Type != recipe.TypeSecret {
			names = append(names, argument.Name)
		}
	}
	return names
}

// tooMany refuses more words behind an action than it has arguments that have to be given.
func tooMany(action recipe.Script, words []string) error {
	if names := needed(action); len(words) > len(names) {
		hint := "an argument of the action goes with -e: -e NAME=VALUE; a host with -l or -H"
		return usage(fmt.Errorf("do: action %s takes %d arguments behind it, found %d", action.Name, len(names), len(words)), hint)
	}
	return nil
}

// placed is what -e would say of the words behind an action.
func placed(action recipe.Script, words []string) []string {
	var extra []string
	for i, word := range words {
		extra = append(extra, needed(action)[i]+"="+word)
	}
	return extra
}

// deed pairs every chosen host with an action, and what it is given there.
func (f *flags) deed(io console, task recipe.Task, action recipe.Script) (errand, error) {
	all, err := f.selection.tasks()
	if err != nil {
		return errand{}, err
	}
	given, rest, err := argumentsOf(action, f.selection.extra)
	if err != nil {
		return errand{}, err
	}
	f.selection.extra = rest
	extra, err := f.selection.extras()
	if err != nil {
		return errand{}, err
	}
	base, instance := recipe.SplitInstance(task.Name)
	for _, x := range extra {
		if x.Task != task.Name && x.Task != base {
			return errand{}, usage(fmt.Errorf("-e %s.%s: the action gets the variables of %s alone", x.Task, x.Variable, task.Name), "provision list "+task.Name)
		}
	}
	return f.errand(io, []recipe.Task{task}, extra, func(host inventory.Host) (run.Blueprint, error) {
		values, err := host.Values(task.Name, all.known(), extra)
		if err != nil {
			return run.Blueprint{}, err
		}
		values["instance"] = instance // as v.instance in build
		blueprint := run.Blueprint{
			Values: map[string]recipe.Values{task.Name: values, "": given}, // of both the secrets are masked
			Action: &resource.Action{Script: action, Given: given, Values: values}, ActionOf: task,
		}
		if action.Drains {
			err = all.drainedFor(&blueprint, host, task, extra)
		}
		return blueprint, err
	})
}

// drainedFor has a host drained for an action, where it can be, and brought back when its tasks' checks pass.
func (c catalogue) drainedFor(b *run.Blueprint, host inventory.Host, task recipe.Task, extra []inventory.Extra) error {
	its, err := c.whole([]recipe.Task{task})
	if err != nil {
		return err
	}
	others, err := c.besides(host, its)
	if err != nil {
		return err
	}
	if b.Drains, err = c.drains(host, its, others, nil); err != nil || len(b.Drains) == 0 {
		return err
	}
	b.Remaining, err = c.provable(host, slices.Concat(its, others), extra, b.Values)
	return err
}

// argumentsOf reads the arguments of an action from what -e said, and returns what else was said.
func argumentsOf(action recipe.Script, said []string) (given recipe.Values, rest []string, err error) {
	known := inventory.Known{action.Name: {Name: action.Name, Variables: action.Arguments}}
	var names []string
	for _, argument := range action.Arguments {
		names = append(names, argument.Name)
	}
	var extra []inventory.Extra
	for _, text := range said {
		key, _, assigned := strings.Cut(text, "=")
		if !assigned || strings.Contains(key, ".") {
			rest = append(rest, text)
			continue
		}
		if !slices.Contains(names, key) {
			return nil, nil, usage(fmt.Errorf("-e %s: action %s takes no such argument", key, action.Name), argumentHint(key, names))
		}
		one, err := inventory.ParseExtra(action.Name+"."+text, known)
		if err != nil {
			return nil, nil, err
		}
		if slices.ContainsFunc(extra, func(x inventory.Extra) bool { return x.Variable == one.Variable }) {
			return nil, nil, usage(fmt.Errorf("-e %s: is given twice", key), "give it once")
		}
		extra = append(extra, one)
	}
	for _, argument := range action.Arguments {
		if argument.Needed && !slices.ContainsFunc(extra, func(x inventory.Extra) bool { return x.Variable == argument.Name }) {
			return nil, nil, usage(fmt.Errorf("action %s: its argument %s has to be given", action.Name, argument.Name), strings.TrimSpace("-e "+argument.Name+"="+valueForm(argument)+"  "+argument.Help))
		}
	}
	given, err = inventory.Host{}.Values(action.Name, known, extra)
	return given, rest, err
}

// valueForm is how an argument's value is written.
func valueForm(argument recipe.Variable) string {
	switch argument.Type {
	case recipe.TypeSecret:
		return "@FILE"
	case recipe.TypeList:
		return "[A, B]"
	case recipe.TypeBool:
		return "true"
	}
	return "VALUE"
}

func argumentHint(key string, names []string) string {
	if near := recipe.Nearest(key, names); near != "" {
		return "did you mean -e " + near + "=…?"
	}
	if len(names) == 0 {
		return "it takes none; a variable of the task is written -e TASK.VARIABLE=VALUE"
	}
	return "it takes " + strings.Join(names, ", ") + "; a variable of the task is written -e TASK.VARIABLE=VALUE"
}

// completeActions completes the name of a task that has actions, then that of one of them.
func (f *flags) completeActions(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	all, err := f.selection.tasks()
	if err != nil { // whoever presses the tab key wants no error
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var names []string
	for _, task := range all {
		switch {
		case len(args) == 0 && len(task.Actions) > 0:
			names = append(names, cobra.CompletionWithDesc(task.Name, task.Summary))
		case len(args) == 1 && task.Name == args[0]:
			for _, action := range task.Actions {
				names = append(names, cobra.CompletionWithDesc(action.Name, action.Help))
			}
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
