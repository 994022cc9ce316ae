package main

import (
	"errors"

	"github.com/spf13/cobra"

	"provision/internal/run"
	"provision/internal/script"
)

func newExec(f *flags, io console) *cobra.Command {
	var login bool
	command := &cobra.Command{
		Use:     "exec -- COMMAND...",
		Short:   "run a command on hosts, as root",
		Example: "  provision exec -l all -- uptime\n  provision exec -H lab1 -- sh -c 'ss -lnt | wc -l'",
		RunE: func(command *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usage(errors.New("exec: no command"), "provision exec -l all -- uptime")
			}
			work, err := f.bare(io)
			if err != nil {
				return err
			}
			text := args[0]
			if len(args) > 1 {
				text = script.QuoteAll(args...)
			}
			_, err = f.show(command.Context(), io, work, run.Settings{}, run.Exec(text, !login))
			return err
		},
	}
	command.Flags().IntVarP(&f.run.forks, "forks", "f", 30, "hosts at once")
	command.Flags().BoolVar(&login, "no-sudo", false, "as the user who logs in, not as root")
	return command
}

// bare pairs every chosen host with nothing: for what needs a connection and no task.
func (f *flags) bare(io console) ([]run.Work, error) {
	selected := f.selection
	if len(selected.hosts) == 0 && len(selected.limit) == 0 && !selected.local {
		return nil, usage(errors.New("no hosts"), "name them: -H root@HOST, -l GROUP, or -l all")
	}
	hosts, err := selected.choose(nil)
	if err != nil {
		return nil, err
	}
	config, err := f.connection.config(io)
	if err != nil {
		return nil, err
	}
	var work []run.Work
	for _, host := range hosts {
		target := f.target(host, config)
		work = append(work, run.Work{Target: target, Blueprint: run.Blueprint{Address: target.Address.Host}})
	}
	return work, nil
}
