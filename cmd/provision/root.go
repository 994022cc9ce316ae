package main

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/spf13/cobra"

	"provision/internal/recipe"
	"provision/internal/remote"
	"provision/tasks"
)

// flags are what the command line said beside the verb and its arguments. cobra reads them, once; a verb that
// stands for another (apply, demo, do) completes them before it chooses its hosts.
type flags struct {
	typed      typed                             // the verb and what was set, for the same command again
	passphrase func(file string) ([]byte, error) // of a private key; nil without a terminal
	selection  selection
	connection connection
	login      func() (login, error) // what connection says; somebody may be asked for passwords, once
	output     output
	unattended unattended
	run        runFlags
}

func newFlags(io console) *flags {
	f := &flags{passphrase: io.passphrases()}
	// Read when it is asked for, once: the flags that say where it is are known then.
	f.selection.tasks = sync.OnceValues(func() (catalogue, error) {
		return readCatalogue(f.selection.path(), noteOnce(io))
	})
	f.selection.sshHosts, f.selection.tell = func() ([]string, error) { return remote.HostNames(f.connection.file) }, noteOnce(io)
	f.login = sync.OnceValues(func() (login, error) { return f.connection.login(io, f.passphrase) })
	return f
}

// execute runs one command line and returns its exit code.
func execute(ctx context.Context, args []string, io console) int {
	f := newFlags(io)
	root := newRoot(f, io)
	root.SetArgs(args)
	root.SetIn(io.in)
	root.SetOut(io.out)
	root.SetErr(io.err)
	err := root.ExecuteContext(ctx)
	code := exitCode(err, teller{io, f.output.json || f.typed.verb == nil && wantsJSON(args)})
	return f.tellProblem(io, args, err, code)
}

// wantsJSON looks for --json in a command line that could not be read.
func wantsJSON(args []string) bool {
	for _, arg := range args {
		switch arg {
		case "--":
			return false
		case "--json":
			return true
		}
	}
	return false
}

func newRoot(f *flags, io console) *cobra.Command {
	root := &cobra.Command{
		Use:   "provision",
		Short: "Install systems on Debian hosts over SSH, and prove that they work",
		Long: `provision reads what you want, asks each host once what it has, shows the
difference, makes it so, and proves that it works. A target needs only sshd
and a POSIX sh.

  provision list                            what can be installed
  provision plan graphite -H root@web1      what would change: every diff
  provision install graphite -H root@web1   make it so, and prove it
  provision lab up                          a throwaway host to try it on

The first hour is docs/your-first-task.md; where a package brought provision,
docs is in its share/doc/provision.`,
		Version:       version(),
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.ArbitraryArgs,
		RunE: func(command *cobra.Command, args []string) error {
			return verbless(command, args)
		},
	}
	root.SetFlagErrorFunc(flagError)
	groups := f.groups()
	for _, group := range groups {
		root.PersistentFlags().AddFlagSet(group.flags)
	}
	root.PersistentPreRunE = func(command *cobra.Command, args []string) error {
		if command.HasAvailableSubCommands() && len(args) > 0 {
			return verbless(command, args) // what is wrong with its flags matters less
		}
		f.typed = typedBy(command)
		return checkFlags(command, groups)
	}
	root.SetUsageFunc(func(command *cobra.Command) error {
		writeUsage(io.out, command, groups)
		return nil
	})
	root.AddCommand(
		takes(newList(f, io), hostGroup, inventoryGroup, variableGroup, outputGroup),
		takes(newPlan(f, io), withTasks...), takes(newShow(f, io), outputGroup), takes(newDrift(f, io), withTasks...), takes(newApply(f, io), withTasks...), takes(newInstall(f, io), withTasks...), takes(newDeploy(f, io), withTasks...),
		takes(newCheck(f, io), hostGroup, inventoryGroup, variableGroup), takes(newTest(f, io), inventoryGroup, variableGroup), takes(newNew(f, io), inventoryGroup), takes(newVerify(f, io), withTasks...), takes(newRollback(f, io), withTasks...),
		takes(newRemove(f, io), onHosts...), takes(newDo(f, io), withTasks...), takes(newGraph(f, io), withTasks...),
		takes(newReleases(f, io), onHosts...), takes(newExec(f, io), onHosts...), takes(newJournal(f, io), onHosts...), takes(newRuns(f, io), inventoryGroup, outputGroup), takes(newReport(f, io), inventoryGroup),
		takes(newPut(f, io), onHosts...), takes(newGet(f, io), onHosts...), takes(newSSH(f, io), inventoryGroup, connectionGroup),
		takes(newSecret(f, io), inventoryGroup), newLab(io), takes(newDemo(f, io), outputGroup),
		newCompletion(io), newManual(io), newVersion(io),
	)
	f.complete(root)
	for _, task := range tasks.All() {
		root.AddCommand(takes(newTask(f, io, task), withTasks...))
	}
	return root
}

// verbless is a command that has commands, without one of them.
func verbless(command *cobra.Command, args []string) error {
	if len(args) == 0 {
		return command.Help()
	}
	var names []string
	for _, sub := range command.Commands() {
		names = append(names, sub.Name())
	}
	err := fmt.Errorf("%s %q: no such command", command.CommandPath(), args[0])
	if hint := otherVerb(args[0]); hint != "" && !command.HasParent() {
		return usage(err, hint)
	}
	if near := recipe.Nearest(args[0], names); near != "" {
		return usage(err, "did you mean "+command.CommandPath()+" "+near+"?")
	}
	return usage(err, command.CommandPath()+" --help")
}

// newTask makes a task's name a command, whose help is the task's documentation.
func newTask(f *flags, io console, task recipe.Task) *cobra.Command {
	command := &cobra.Command{
		Use:    task.Name,
		Short:  task.Summary,
		Hidden: true,
		Args:   cobra.ArbitraryArgs,
		RunE: func(*cobra.Command, []string) error {
			return usage(errors.New(task.Name+": is a task, and wants a verb"), "provision install "+task.Name+" -H root@HOST")
		},
	}
	command.SetHelpFunc(func(*cobra.Command, []string) {
		// A write that fails leaves nobody to tell.
		_ = describeTask(io, task)
	})
	return command
}
