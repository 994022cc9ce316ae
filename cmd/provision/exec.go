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
		Use:   "exec [flags] [--] COMMAND...",
		Short: "run a command on hosts, as root",
		Long: `Runs a command on hosts at once, as root, and prints what each prints, line by
line. One word is a command line for sh; several are a command and its
arguments, as they are. What follows the first word is the command's, so
provision's own flags stand before it.`,
		Example: `  provision exec -l all -- uptime
  provision exec -H lab1 -- 'ss -lnt | wc -l'`,
		Args: cobra.ArbitraryArgs,
		RunE: func(command *cobra.Command, args []string) error {
			if strings.TrimSpace(strings.Join(args, "")) == "" {
				return usage(errors.New("exec: no command"), "provision exec -l all -- uptime")
			}
			if !f.selection.named() {
				return noHostsFor(args)
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
	command.Flags().SetInterspersed(false) // as ssh, sudo and env read theirs
	command.Flags().BoolVar(&login, "no-sudo", false, "as the user who logs in, not as root")
	return command
}

// noHostsFor says that a command stands where no host was named. Flags behind the command
// are its own, and so may be the host that was meant.
func noHostsFor(args []string) error {
	if len(args) > 1 && strings.Contains(args[0], "@") {
		return usage(errors.New("no hosts"), "a host goes before the command: provision exec -H "+script.QuoteAll(args[0], "--", args[1]))
	}
	return usage(errors.New("no hosts"), "name them before the command: -H root@HOST, -l GROUP, or -l all")
}
