package main

import (
	"errors"
	"fmt"
	stdio "io" // io is the console
	"os"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"provision/internal/run"
	"provision/internal/script"
)

func newExec(f *flags, io console) *cobra.Command {
	var login, stdin bool
	var wanted run.Command
	command := &cobra.Command{
		Use:   "exec [flags] [--] COMMAND...",
		Short: "run a command on hosts, as root",
		Long: `Runs a command on hosts at once, as root, and prints what each prints, line by
line. One word is a command line for sh; several are a command and its
arguments, as they are. What follows the first word is the command's, so
provision's own flags stand before it. With --stdin each host's command reads
provision's standard input, whole; without, it reads nothing.`,
		Example: `  provision exec -l all -- uptime
  provision exec -H lab1 -- 'ss -lnt | wc -l'
  provision exec -l db --user postgres --stdin psql <report.sql`,
		Args: cobra.ArbitraryArgs,
		RunE: func(command *cobra.Command, args []string) error {
			if strings.TrimSpace(strings.Join(args, "")) == "" {
				return usage(errors.New("exec: no command"), "provision exec -l all -- uptime")
			}
			if err := checkExec(command, wanted); err != nil {
				return err
			}
			if !f.selection.named() {
				return noHostsFor(args)
			}
			e, err := f.bare(io)
			if err != nil {
				return err
			}
			wanted.Text, wanted.Root = args[0], !login
			if len(args) > 1 {
				wanted.Text = script.QuoteAll(args...)
			}
			if stdin {
				var done func()
				if wanted.Stdin, done, err = io.forHosts(len(e.work)); err != nil {
					return err
				}
				defer done()
			}
			_, err = f.show(command.Context(), io, e, run.Settings{}, run.Exec(wanted))
			return err
		},
	}
	f.run.registerForks(command)
	command.Flags().SetInterspersed(false) // as ssh, sudo and env read theirs
	command.Flags().BoolVar(&login, "no-sudo", false, "as the user who logs in, not as root")
	command.Flags().StringVar(&wanted.User, "user", "", "as this `USER` of the host, by way of root")
	command.Flags().DurationVar(&wanted.Timeout, "timeout", 0, "end the command after this `TIME`, such as 90s or 5m")
	command.Flags().BoolVar(&stdin, "stdin", false, "give standard input to the command, the same to each host's")
	return command
}

// loginName is what exec takes for a user's name: what needs no quoting anywhere.
var loginName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$`)

func checkExec(command *cobra.Command, wanted run.Command) error {
	if wanted.User != "" && !loginName.MatchString(wanted.User) {
		return usage(fmt.Errorf("--user %q: is not a user name", wanted.User), "letters, digits, _ . and - only")
	}
	if command.Flags().Changed("timeout") && wanted.Timeout <= 0 {
		return usage(fmt.Errorf("--timeout %s: must be more than nothing", wanted.Timeout), "leave it out, and the command has all the time that it wants")
	}
	return nil
}

// forHosts returns standard input, as each of so many hosts reads it from its beginning. For
// several it is kept in a file that has no name.
func (io console) forHosts(hosts int) (read func() stdio.Reader, done func(), err error) {
	if io.interactive() {
		return nil, nil, usage(errors.New("--stdin: is a terminal"), "give it a file: provision exec --stdin … <FILE")
	}
	if hosts == 1 {
		return func() stdio.Reader { return io.in }, func() {}, nil
	}
	file, err := os.CreateTemp("", "provision-stdin-*") // mode 0600
	if err != nil {
		return nil, nil, err
	}
	size, err := stdio.Copy(file, io.in)
	if err = errors.Join(err, os.Remove(file.Name())); err != nil {
		file.Close()
		return nil, nil, fmt.Errorf("--stdin: %w", err)
	}
	return func() stdio.Reader { return stdio.NewSectionReader(file, 0, size) }, func() { file.Close() }, nil
}

// noHostsFor says that a command stands where no host was named. Flags behind the command
// are its own, and so may be the host that was meant.
func noHostsFor(args []string) error {
	if len(args) > 1 && strings.Contains(args[0], "@") {
		return usage(errors.New("no hosts"), "a host goes before the command: provision exec -H "+script.Quote(args[0])+" -- COMMAND")
	}
	return usage(errors.New("no hosts"), "name them before the command: -H root@HOST, -l GROUP, or -l all")
}
