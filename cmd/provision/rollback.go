package main

import (
	"context"
	"fmt"
	"regexp"

	"github.com/spf13/cobra"

	"provision/internal/inventory"
	"provision/internal/recipe"
	"provision/internal/run"
)

func newRollback(f *flags, io console) *cobra.Command {
	var to string
	command := &cobra.Command{
		Use:   "rollback TASK",
		Short: "take back the last run that changed a task",
		Long: `Takes back the last run that changed a task on each host: the files, services
and release switches of that run, after showing the diff. Packages stay, and
so does what commands did to data. A run that failed, or died, is taken back
as far as it came. A secret that a run has replaced or removed stays as it is,
for no copy of it is kept. A second rollback takes back the run before. Hosts
are drained for it as for an install.`,
		Example: `  provision rollback graphite -H root@web1
  provision rollback gimel --to 4f0c1d2e3a4b    a release of the host`,
		Args: arguments(1, 1),
		RunE: func(command *cobra.Command, args []string) error {
			if to != "" {
				return f.rollbackTo(command.Context(), io, args[0], to)
			}
			task, err := f.findTask(args[0])
			if err != nil {
				return err
			}
			e, err := f.takingBack(io, task)
			if err != nil {
				return err
			}
			return f.change(command.Context(), io, "rollback", e, run.Rollback(task.Name, task.Formerly...))
		},
	}
	f.run.registerChanges(command)
	command.Flags().StringVar(&to, "to", "", "the release to go back to")
	return command
}

// releaseName is the name of a release's directory: it never leads out of their folder.
var releaseName = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z._-]{0,63}$`)

// rollbackTo switches to a release that the hosts have: a deploy without an upload.
func (f *flags) rollbackTo(ctx context.Context, io console, name, version string) error {
	if _, err := f.findDeployed(name); err != nil {
		return err
	}
	if !releaseName.MatchString(version) {
		return usage(fmt.Errorf("--to %q: is no release", version), "provision releases "+name+" -l all")
	}
	e, err := f.work(io, []string{name})
	if err != nil {
		return err
	}
	e.deploys(name, &recipe.Release{Version: version, Present: true})
	return f.change(ctx, io, "deploy", e, run.Install)
}

// takingBack pairs every chosen host, or those that have a task where none are named, with nothing but how it is
// drained: what is taken back the host itself remembers.
func (f *flags) takingBack(io console, task recipe.Task) (errand, error) {
	all, err := f.selection.tasks()
	if err != nil {
		return errand{}, err
	}
	its, err := all.whole([]recipe.Task{task})
	if err != nil {
		return errand{}, err
	}
	if !f.selection.named() {
		e, err := f.work(io, []string{task.Name})
		for i := range e.work {
			e.work[i].Blueprint.Tasks = nil
		}
		return e, err
	}
	return f.errand(io, nil, nil, func(host inventory.Host) (run.Blueprint, error) {
		var blueprint run.Blueprint
		others, err := all.besides(host, its)
		if err == nil {
			blueprint.Drains, err = all.drains(host, its, others, nil)
		}
		return blueprint, err
	})
}
