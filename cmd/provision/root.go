package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"provision/internal/recipe"
	"provision/tasks"
)

// console is where a command reads and prints: the answer of a command on out, everything
// else that people read on err.
type console struct {
	in, out, err *os.File
}

// flags are what the command line said beside the verb and its arguments. They are read
// once, by cobra, and never changed after.
type flags struct {
	selection  selection
	connection connection
	output     output
	run        runFlags
}

// execute runs one command line and returns its exit code.
func execute(ctx context.Context, args []string, io console) int {
	f := &flags{}
	root := newRoot(f, io)
	root.SetArgs(args)
	root.SetIn(io.in)
	root.SetOut(io.out)
	root.SetErr(io.err)
	err := root.ExecuteContext(ctx)
	return exitCode(err, io, f.output)
}

func newRoot(f *flags, io console) *cobra.Command {
	root := &cobra.Command{
		Use:   "provision",
		Short: "Install systems on Debian hosts over SSH, and prove that they work",
		Long: `provision reads what you want, asks each host once what it has, shows the difference,
makes it so, and proves that it works. A target needs only sshd and a POSIX sh.

  provision list                            what can be installed
  provision plan graphite -H root@web1      what would change, and nothing else
  provision install graphite -H root@web1   make it so, and prove it
  provision lab up                          a throwaway Debian host to try it on`,
		Version:       version,
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.ArbitraryArgs,
		RunE: func(command *cobra.Command, args []string) error {
			if len(args) == 0 {
				return command.Help()
			}
			return unknownVerb(command, args[0])
		},
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetFlagErrorFunc(func(command *cobra.Command, err error) error {
		return usage(err, command.CommandPath()+" --help")
	})
	f.selection.register(root)
	f.connection.register(root)
	f.output.register(root)
	root.AddCommand(
		newList(f, io), newPlan(f, io), newInstall(f, io), newDeploy(f, io), newVerify(f, io), newRollback(f, io), newReleases(f, io), newExec(f, io),
		newLab(f, io), newDemo(f, io), newJournal(f, io),
	)
	for _, task := range tasks.All() {
		root.AddCommand(newTask(f, io, task))
	}
	return root
}

func unknownVerb(root *cobra.Command, word string) error {
	var names []string
	for _, command := range root.Commands() {
		names = append(names, command.Name())
	}
	err := fmt.Errorf("%q: no such command", word)
	if near := recipe.Nearest(word, names); near != "" {
		return usage(err, "did you mean provision "+near+"?")
	}
	return usage(err, "provision --help")
}

// newTask makes a task's name a command, whose help is the task's documentation.
func newTask(f *flags, io console, task recipe.Task) *cobra.Command {
	command := &cobra.Command{
		Use:    task.Name,
		Short:  task.Summary,
		Hidden: true,
		RunE: func(*cobra.Command, []string) error {
			return usage(errors.New(task.Name+": is a task, and wants a verb"), "provision install "+task.Name+" -H root@HOST")
		},
	}
	command.SetHelpFunc(func(*cobra.Command, []string) { describeTask(f, io, task) })
	return command
}
