package main

import (
	"github.com/spf13/cobra"

	"provision/internal/run"
)

func newVerify(f *flags, io console) *cobra.Command {
	command := &cobra.Command{
		Use:   "verify [TASK...]",
		Short: "prove that tasks work, by using them as their users would",
		RunE: func(command *cobra.Command, args []string) error {
			work, err := f.work(io, args)
			if err != nil {
				return err
			}
			_, err = f.show(command.Context(), io, work, run.Settings{}, run.Verify)
			return err
		},
	}
	command.Flags().IntVarP(&f.run.forks, "forks", "f", 30, "hosts at once")
	return command
}
