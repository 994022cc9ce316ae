package main

import (
	"context"
	"fmt"
	"os"
	"os/user"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"provision/internal/engine"
	"provision/internal/journal"
	"provision/internal/run"
)

// runFlags say how a run that may change something goes.
type runFlags struct {
	forks       int
	check       bool
	yes         bool
	detailed    bool
	lockTimeout time.Duration
}

func (r *runFlags) register(command *cobra.Command) {
	f := command.Flags()
	f.IntVarP(&r.forks, "forks", "f", 30, "hosts at once")
	f.BoolVarP(&r.check, "check", "C", false, "only show the plan")
	f.BoolVarP(&r.yes, "yes", "y", false, "go ahead without asking")
	f.DurationVar(&r.lockTimeout, "lock-timeout", 60*time.Second, "how long to wait for another run on the same host")
}

func (r *runFlags) validate() error {
	if r.forks < 1 {
		return usage(fmt.Errorf("--forks %d: must be 1 or more", r.forks), "")
	}
	return nil
}

func newInstall(f *flags, io console) *cobra.Command {
	command := &cobra.Command{
		Use:   "install [TASK...]",
		Short: "bring hosts to what they should be, and prove that it works",
		Example: `  provision install graphite -H root@web1
  provision install -l metrics        every host of the group, with the tasks that hosts.yaml gives it
  provision install graphite -H web1 -e graphite.auth=false`,
		RunE: func(command *cobra.Command, args []string) error {
			if f.run.check {
				return f.plan(command.Context(), io, args)
			}
			return f.install(command.Context(), io, args)
		},
	}
	f.run.register(command)
	return command
}

func newPlan(f *flags, io console) *cobra.Command {
	command := &cobra.Command{
		Use:   "plan [TASK...]",
		Short: "show what would change, with every diff, and change nothing",
		RunE: func(command *cobra.Command, args []string) error {
			return f.plan(command.Context(), io, args)
		},
	}
	command.Flags().IntVarP(&f.run.forks, "forks", "f", 30, "hosts at once")
	command.Flags().BoolVar(&f.run.detailed, "detailed-exitcode", false, "exit with 2 when there are changes")
	return command
}

func (f *flags) plan(ctx context.Context, io console, names []string) error {
	work, err := f.work(io, names)
	if err != nil {
		return err
	}
	return f.showPlan(ctx, io, work)
}

// showPlan shows what would change.
func (f *flags) showPlan(ctx context.Context, io console, work []run.Work) error {
	results, err := f.show(ctx, io, work, run.Settings{}, run.Plan)
	if err != nil {
		return err
	}
	for _, result := range results {
		if result.Status == engine.StatusPending && f.run.detailed {
			return outcome{exitPending}
		}
	}
	return nil
}

func (f *flags) install(ctx context.Context, io console, names []string) error {
	work, err := f.work(io, names)
	if err != nil {
		return err
	}
	return f.change(ctx, io, "install", work, run.Install)
}

// change does work that may change hosts: it shows the plans, asks, and goes on.
func (f *flags) change(ctx context.Context, io console, verb string, work []run.Work, do doer) error {
	refused := false
	settings := run.Settings{
		Patience: f.run.lockTimeout,
		Header:   journal.Header{Verb: verb, By: whoami(), Version: version},
		Confirm: func() bool {
			switch {
			case f.run.yes:
				return true
			case !term.IsTerminal(int(io.in.Fd())) || f.output.json:
				refused = true
				return false
			}
			return askYes(io, "Make these changes?")
		},
	}
	_, err := f.show(ctx, io, work, settings, do)
	if err == nil && refused {
		return usage(errNoConfirmation, "look at the plan, then add -y")
	}
	return err
}

// whoami names who runs this, for a host's journal and lock: user@machine.
func whoami() string {
	name := "unknown"
	if current, err := user.Current(); err == nil {
		name = current.Username
	}
	machine, err := os.Hostname()
	if err != nil {
		machine = "unknown"
	}
	return name + "@" + machine
}
