package main

import (
	"github.com/spf13/cobra"

	"provision/internal/run"
)

func newVerify(f *flags, io console) *cobra.Command {
	command := &cobra.Command{
		Use:   "verify [TASK...]",
		Short: "prove that tasks work, by using them as their users would",
		Long: `Uses what is installed as its users would: sends a metric and asks for its
graph, logs in, makes a request. It changes nothing but such trial data.
Install does it after each change.`,
		Example: `  provision verify graphite -H root@web1
  provision verify    every host, with the tasks of hosts.yaml`,
		Args: cobra.ArbitraryArgs,
		RunE: func(command *cobra.Command, args []string) error {
			e, err := f.work(io, args)
			if err != nil {
				return err
			}
			_, err = f.show(command.Context(), io, e, run.Settings{}, run.Verify)
			return err
		},
	}
	f.run.registerForks(command)
	return command
}
