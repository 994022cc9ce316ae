package main

import (
	"os"

	"github.com/spf13/cobra"

	"provision/internal/recipe"
	"provision/internal/report"
	"provision/tasks"
)

func newList(f *flags, io console) *cobra.Command {
	return &cobra.Command{
		Use:   "list [TASK]",
		Short: "what can be installed; or one task, with each of its variables",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				report.Tasks(io.out, report.Detect(io.out, os.Getenv), tasks.All())
				return nil
			}
			found, err := findTasks(args)
			if err != nil {
				return err
			}
			describeTask(f, io, found[0])
			return nil
		},
	}
}

func describeTask(_ *flags, io console, task recipe.Task) {
	report.Task(io.out, report.Detect(io.out, os.Getenv), task)
}
