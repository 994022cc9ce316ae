package main

import (
	"os"
	"slices"

	"github.com/spf13/cobra"

	"provision/internal/report"
)

func newRuns(f *flags, io console) *cobra.Command {
	return &cobra.Command{
		Use:   "runs [RUN]",
		Short: "what you did on the inventory's hosts, and how it ended on each",
		Long: `Lists the last 100 runs on hosts of the inventory that were made by you on this
machine, the newest first; with a RUN, or how its name begins, it tells how that
ended on each host. Commands that only look, as journal and graph, are not
remembered. What was done on a host, by whomever, is in the host's own journal:
provision journal.

The hosts where one of these runs did not end well, and none has since, are
@failed where -l takes hosts; those of them that could not be reached last are
@unreachable, and those that a run did not come to, for others had failed, are
@notbegun. Each host is so until a later run brings it to what it should be
(install, deploy, apply, remove, rollback), or the same command goes well there;
a look, an exec or a run with -H leaves it so. Of a run that was killed all
hosts are @failed.`,
		Example: `  provision runs
  provision install -l @failed`,
		Args: arguments(0, 1),
		RunE: func(_ *cobra.Command, args []string) error {
			past, err := pastRunsOf(f.selection)
			if err != nil {
				return err
			}
			if len(args) == 1 {
				return f.tellRun(io, past, args[0])
			}
			return f.tellRuns(io, past)
		},
	}
}

func (f *flags) tellRun(io console, past pastRuns, id string) error {
	one, err := past.find(id)
	switch {
	case err != nil:
		return err
	case f.output.json:
		return report.NewJSON(io.out, nil, nil).PastRuns([]report.PastRun{one})
	}
	return report.OnePastRun(io.out, report.Detect(io.out, os.Getenv), one)
}

func (f *flags) tellRuns(io console, past pastRuns) error {
	all, err := past.all()
	if err != nil {
		return err
	}
	slices.Reverse(all)
	if f.output.json {
		return report.NewJSON(io.out, nil, nil).PastRuns(all)
	}
	return report.PastRuns(io.out, report.Detect(io.out, os.Getenv), all)
}
