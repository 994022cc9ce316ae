package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"provision/internal/inventory"
	"provision/internal/recipe"
	"provision/internal/run"
	"provision/tasks"
)

func newGraph(f *flags, io console) *cobra.Command {
	query := run.GraphQuery{Site: map[string]string{}}
	command := &cobra.Command{
		Use:   "graph TARGET...",
		Short: "draw series of a host's Graphite in the terminal",
		Long: `Asks the Graphite of a host, from the host itself, and draws what it has of
targets, as its render API takes them: a metric's name, with * and {a,b}, or
functions around it. Without -H or -l it asks the hosts that have graphite in
hosts.yaml. Times are as Graphite has them: -15min, -1h, -7d, noon, now. With
--json it is an object with all points.`,
		Example: `  provision graph 'carbon.agents.*.metricsReceived' -H root@web1
  provision graph 'aliasByNode(collectd.*.load.load.*, 1)' -l web`,
		Args: cobra.ArbitraryArgs,
		RunE: func(command *cobra.Command, args []string) error {
			if query.Targets = args; len(args) == 0 {
				return usage(errors.New("graph: wants a TARGET"), "provision graph 'carbon.agents.*.metricsReceived' -H root@HOST")
			}
			for _, word := range append([]string{query.From, query.Until}, args...) {
				if word == "" || strings.ContainsFunc(word, func(r rune) bool { return r < ' ' || r == 0x7f }) {
					return usage(fmt.Errorf("graph: %q is no target and no time", word), "provision graph --help")
				}
			}
			e, err := f.graphs(io, query.Site)
			if err != nil {
				return err
			}
			_, err = f.show(command.Context(), io, e, run.Settings{}, run.Graph(query))
			return err
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	f.run.registerForks(command)
	command.Flags().StringVar(&query.From, "from", "-1h", "from this `TIME` on")
	command.Flags().StringVar(&query.Until, "until", "now", "until this `TIME`")
	for flag, times := range map[string][]string{"from": {"-15min", "-1h", "-6h", "-24h", "-7d", "-30d"}, "until": {"now", "-1h", "-1d"}} {
		// It fails for a flag that there is not.
		_ = command.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(times, cobra.ShellCompDirectiveNoFileComp))
	}
	return command
}

// graphs pairs every chosen host with nothing, and finds where its Graphite answers there.
func (f *flags) graphs(io console, sites map[string]string) (errand, error) {
	graphite, err := f.findTask("graphite")
	if err != nil {
		return errand{}, err
	}
	all, err := f.selection.tasks()
	if err != nil {
		return errand{}, err
	}
	extra, err := f.selection.extras()
	if err != nil {
		return errand{}, err
	}
	return f.errand(io, []recipe.Task{graphite}, extra, func(host inventory.Host) (run.Blueprint, error) {
		settings, err := host.Effective(graphite.Name, all.known(), extra) // no secret is wanted, nor decrypted
		if err != nil {
			return run.Blueprint{}, err
		}
		values := recipe.Values{}
		for _, setting := range settings {
			values[strings.TrimPrefix(setting.Name, graphite.Name+".")] = setting.Value
		}
		sites[host.Name] = tasks.GraphiteSite(values)
		return run.Blueprint{}, nil
	})
}
