package main

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"provision/internal/run"
	"provision/internal/script"
)

func newExec(f *flags, io console) *cobra.Command {
	var login bool
	command := &cobra.Command{
		Use:   "exec -- COMMAND...",
		Short: "run a command on hosts, as root",
		Long: `Runs a command on hosts at once, as root, and prints what each prints, line by
line. One word is a command line for sh; several are a command and its
arguments, as they are.`,
		Example: `  provision exec -l all -- uptime
  provision exec -H lab1 -- 'ss -lnt | wc -l'`,
		Args: cobra.ArbitraryArgs,
		RunE: func(command *cobra.Command, args []string) error {
			if strings.TrimSpace(strings.Join(args, "")) == "" {
				return usage(errors.New("exec: no command"), "provision exec -l all -- uptime")
			}
			e, err := f.bare(io)
			if err != nil {
				return err
			}
			text := args[0]
			if len(args) > 1 {
				text = script.QuoteAll(args...)
			}
			_, err = f.show(command.Context(), io, e, run.Settings{}, run.Exec(text, !login))
			return err
		},
	}
	f.run.registerForks(command)
	command.Flags().BoolVar(&login, "no-sudo", false, "as the user who logs in, not as root")
	return command
}
