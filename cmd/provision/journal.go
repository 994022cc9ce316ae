package main

import (
	"github.com/spf13/cobra"

	"provision/internal/run"
)

func newJournal(f *flags, io console) *cobra.Command {
	command := &cobra.Command{
		Use:     "journal",
		Short:   "what was done on hosts: every run that changed them, step by step",
		Example: `  provision journal -H root@web1`,
		Args:    arguments(0, 0),
		RunE: func(command *cobra.Command, _ []string) error {
			e, err := f.bare(io)
			if err != nil {
				return err
			}
			_, err = f.show(command.Context(), io, e, run.Settings{}, run.History)
			return err
		},
	}
	f.run.registerForks(command)
	return command
}
