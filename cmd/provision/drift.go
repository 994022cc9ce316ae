package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"provision/internal/engine"
	"provision/internal/run"
)

func newDrift(f *flags, io console) *cobra.Command {
	var to string
	command := &cobra.Command{
		Use:   "drift [TASK...]",
		Short: "which hosts differ, in what, from what the inventory gives them",
		Long: `Asks each host what it has and tells what differs from what its tasks want: a
line for each resource, and once for all hosts on which it is the same. It is
a plan without its diffs, and without what only follows from other changes: one
round trip of questions a host, no lock, and nothing is written there. So it
may run every few minutes, from cron or a systemd timer (examples/drift).

It exits with 0 when nothing differs and with 2 when something does; 3 and 4
are of hosts that could not be compared, or reached.

With --graphite it sends, by carbon's line protocol, how many resources of each
host differ, as provision.drift.HOST, and provision.unreachable.HOST, 0 or 1. A
host that could not be compared has no number: provision.hosts.compared is how
many could, and provision.hosts.known how many there are without -l. In HOST,
what is neither letter nor digit nor - is _.`,
		Example: `  provision drift
  provision drift nginx -l web
  provision drift --graphite graphite.example.org:2003
  provision plan -l web1    what differs there, with every diff`,
		Args: cobra.ArbitraryArgs,
		RunE: func(command *cobra.Command, args []string) error {
			return f.drift(command.Context(), io, args, to)
		},
	}
	command.Flags().StringVar(&to, "graphite", "", "send the numbers to carbon at `HOST:PORT` (port 2003)")
	f.run.registerForks(command)
	return command
}

// drift tells what differs, and sends how much to Graphite, where that is named.
func (f *flags) drift(ctx context.Context, io console, names []string, to string) error {
	carbon, err := carbonAt(to)
	if err != nil {
		return err
	}
	e, err := f.work(io, names)
	if err != nil {
		return err
	}
	if err := checkMetricNames(e.work); err != nil && to != "" {
		return err
	}
	e.plan, e.drift = true, true
	e.pending = func() int { return exitPending }
	began, differ, mu := time.Now(), map[string]int{}, sync.Mutex{}
	count := func(host string, found engine.Plan, _ bool) error {
		mu.Lock()
		defer mu.Unlock()
		differ[host] = len(found.Changes())
		return nil
	}
	if to != "" {
		e.deliver = func(ctx context.Context, results []run.Result) error {
			if err := sendToCarbon(ctx, carbon, driftMetrics(results, differ, e.known, began)); err != nil {
				return usage(fmt.Errorf("--graphite %s: %w", to, err), "carbon listens there, and lets this machine in?")
			}
			return nil
		}
	}
	_, err = f.show(ctx, io, e, run.Settings{Approve: count}, run.Drift)
	return err
}
