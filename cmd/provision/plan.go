package main

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/spf13/cobra"

	"provision/internal/engine"
	"provision/internal/run"
)

func newPlan(f *flags, io console) *cobra.Command {
	var out string
	command := &cobra.Command{
		Use:   "plan [TASK...]",
		Short: "show what would change, with every diff, and change nothing",
		Long: `Asks each host what it has and shows what would change, with every diff. It
changes nothing. A plan that several hosts have is shown once. With --out it is
also saved in a file: provision show FILE shows it again, provision apply FILE
makes its changes and no others. A host that waits for what another one of the
plan exports is in it too: it is planned after that, and what it changes is
known then.`,
		Example: `  provision plan graphite -H root@web1
  provision plan graphite -H web1 --upgrade     what apt has newer
  provision plan -l metrics --out friday.plan   to be looked at`,
		Args: cobra.ArbitraryArgs,
		RunE: func(command *cobra.Command, args []string) error {
			return f.planTo(command.Context(), io, args, out)
		},
	}
	command.Flags().BoolVar(&f.run.detailed, "detailed-exitcode", false, "exit with 2 when there are changes")
	command.Flags().StringVar(&out, "out", "", "save the plan in a `FILE` too")
	f.run.registerUpgrade(command)
	f.run.registerMemory(command)
	f.run.registerForks(command)
	return command
}

// planTo shows what would change, and saves it.
func (f *flags) planTo(ctx context.Context, io console, names []string, out string) error {
	if out != "" {
		if err := checkOut(out); err != nil {
			return err
		}
	}
	e, err := f.work(io, names)
	if err != nil {
		return err
	}
	if out == "" {
		_, err := f.showPlan(ctx, io, e, nil)
		return err
	}
	made := map[string]engine.Plan{}
	var mu sync.Mutex
	results, err := f.showPlan(ctx, io, e, func(host string, plan engine.Plan, _ bool) error {
		mu.Lock()
		defer mu.Unlock()
		made[host] = plan
		return nil
	})
	if err != nil && err != (outcome{exitPending}) { // a plan is saved whole or not at all
		f.tellUnsaved(io, out, err)
		return err
	}
	saved, failure := f.savePlan(e, names, made, results)
	if failure == nil {
		failure = saved.write(out)
	}
	if failure != nil {
		return failure
	}
	return err
}

// tellUnsaved says that a plan was not saved: one of before may stand in the file.
func (f *flags) tellUnsaved(io console, out string, err error) {
	var end outcome
	if !errors.As(err, &end) {
		return // it says so itself
	}
	teller{io, f.output.json}.complain(usage(fmt.Errorf("--out %s: is not written, for not every host could be planned", out), "behind the hosts of -l, ',!@failed' leaves out those that could not"), end.code)
}

// showPlan shows what would change; approve, if there is one, gets each host's plan. The
// error is outcome{exitPending} when there are changes and that was asked.
func (f *flags) showPlan(ctx context.Context, io console, e errand, approve func(string, engine.Plan, bool) error) ([]run.Result, error) {
	e.plan = true
	e.pending = func() int {
		if f.run.detailed {
			return exitPending
		}
		return exitGood
	}
	return f.show(ctx, io, e, run.Settings{Approve: approve}, run.Plan)
}
