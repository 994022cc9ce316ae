package main

import (
	"fmt"
	"path/filepath"
	"regexp"

	"github.com/spf13/cobra"

	"provision/internal/inventory"
	"provision/internal/memory"
	"provision/internal/recipe"
	"provision/internal/run"
)

// registerMemory adds the flags that say what becomes of what a host remembers.
func (r *runFlags) registerMemory(command *cobra.Command) {
	command.Flags().BoolVar(&r.takeOver, "take-over", false, "also what was noted for another inventory, and is no longer wanted, goes")
	command.Flags().BoolVar(&r.adopt, "adopt", false, "of a host that an older provision worked on: what is there now comes back when no task wants it")
}

func newRemove(f *flags, io console) *cobra.Command {
	command := &cobra.Command{
		Use:   "remove TASK",
		Short: "take away all that a task brought, as if it had never been",
		Long: `Takes away what each host remembers that the task wanted, and no other task
wants: after the plan with its diffs was shown, in reverse order, checked, put
back and journaled as any change. What stood there before the task comes back.
Packages, accounts and the secrets that were made on the host stay, unless
--purge takes those that came for the task; what commands did and the releases
of a deploy stay. provision rollback TASK takes a removal back, but for files
that bore a secret: no copy of these is kept, and an install makes them again.`,
		Example: `  provision remove nginx -H root@web1
  provision remove redis -l cache --purge -y`,
		Args: arguments(1, 1),
		RunE: func(command *cobra.Command, args []string) error {
			e, err := f.removal(io, args[0])
			if err != nil {
				return err
			}
			return f.change(command.Context(), io, "remove", e, run.Install)
		},
	}
	f.run.registerChanges(command)
	command.Flags().BoolVar(&f.run.purge, "purge", false, "packages, accounts and secrets that came for the task too")
	command.Flags().BoolVar(&f.run.takeOver, "take-over", false, "also what was noted for another inventory")
	return command
}

// taskForm is the form of a task's name: a host may remember one that this program does not know.
var taskForm = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,63}$`)

// removal pairs every chosen host with the task that is to go.
func (f *flags) removal(io console, name string) (errand, error) {
	if _, err := f.findTask(name); err != nil && (!taskForm.MatchString(name) || !f.selection.named()) {
		return errand{}, err
	}
	return f.errand(io, []recipe.Task{{Name: name}}, func(host inventory.Host) (run.Blueprint, error) {
		return run.Blueprint{Removes: []string{name}, Remembering: f.remembering(host)}, nil
	})
}

// remembering is how a run deals with what a host remembers.
func (f *flags) remembering(host inventory.Host) run.Remembering {
	r := run.Remembering{From: memory.AdHoc, TakeOver: f.run.takeOver, Adopt: f.run.adopt, Purge: f.run.purge}
	if len(f.selection.hosts) > 0 || f.selection.local || host.Added {
		return r
	}
	file := f.selection.path()
	if whole, err := filepath.Abs(file); err == nil {
		file = whole
	}
	// Not the whole path: another checkout is the same project.
	r.From = fmt.Sprintf("%s/%s %s", filepath.Base(filepath.Dir(file)), filepath.Base(file), host.Name)
	return r
}
