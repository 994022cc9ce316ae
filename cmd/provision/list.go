package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"provision/internal/inventory"
	"provision/internal/recipe"
	"provision/internal/report"
	"provision/tasks"
)

func newList(f *flags, io console) *cobra.Command {
	return &cobra.Command{
		Use:   "list [TASK]",
		Short: "what can be installed, and where; or one task with its variables",
		Long: `Lists the tasks, and the hosts of the inventory. With a task it tells what the
task brings, and each of its variables with type and default.`,
		Args: arguments(0, 1),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				if err := report.Tasks(io.out, report.Detect(io.out, os.Getenv), tasks.All()); err != nil {
					return err
				}
				return f.listHosts(io)
			}
			found, err := findTasks(args)
			if err != nil {
				return err
			}
			return describeTask(io, found[0])
		},
	}
}

func describeTask(io console, task recipe.Task) error {
	return report.Task(io.out, report.Detect(io.out, os.Getenv), task)
}

// listHosts prints the inventory's hosts, where there is an inventory.
func (f *flags) listHosts(io console) error {
	inv, err := inventory.Load(f.selection.path(), known(), nil)
	if errors.Is(err, fs.ErrNotExist) && f.selection.inventory == "" {
		return nil
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(io.out, "\n%s\n", f.selection.path())
	table := tabwriter.NewWriter(io.out, 0, 4, 2, ' ', 0)
	for _, host := range inv.Hosts() {
		row := []string{"  " + host.Name, host.Address.String(), strings.Join(host.Groups, ","), strings.Join(host.Tasks, ",")}
		fmt.Fprintln(table, strings.TrimRight(strings.Join(row, "\t"), "\t"))
	}
	return table.Flush()
}
