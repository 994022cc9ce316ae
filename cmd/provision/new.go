package main

import (
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"provision/internal/project"
	"provision/tasks"
)

func newNew(f *flags, io console) *cobra.Command {
	return &cobra.Command{
		Use:   "new NAME",
		Short: "write a task of your own that works, to begin with",
		Long: `Writes tasks/NAME/task.star, with its templates, beside the inventory: a small
service that works, with comments that tell what is what. Make it yours. It is
installed as any other task; docs/your-first-task.md tells the way.`,
		Example: `  provision new shop
  provision check
  provision install shop -H root@web1`,
		Args: arguments(1, 1),
		RunE: func(_ *cobra.Command, args []string) error {
			files, err := project.Write(filepath.Dir(f.selection.path()), args[0], tasks.All())
			if err != nil {
				return err
			}
			for _, file := range files {
				fmt.Fprintln(io.out, file)
			}
			fmt.Fprintf(io.err, "next: provision check, then provision plan %s -H root@HOST\n", args[0])
			return nil
		},
	}
}
