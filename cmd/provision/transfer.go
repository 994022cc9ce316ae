package main

import (
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/spf13/cobra"

	"provision/internal/run"
)

func newPut(f *flags, io console) *cobra.Command {
	var login bool
	command := &cobra.Command{
		Use:   "put FILE PATH",
		Short: "put a file on hosts, as root",
		Long: `Puts a file on hosts at once, with its mode. It is written beside its place and
renamed when it has arrived whole, so nobody sees half of it; the owner of a
file that it replaces stays. A directory gets it under its own name. A host
that has it already is left alone.`,
		Example: `  provision put motd /etc/motd -l all
  provision put report.sh /usr/local/bin/ -H root@web1`,
		Args: arguments(2, 2),
		RunE: func(command *cobra.Command, args []string) error {
			if err := checkPlace("put", args[1]); err != nil {
				return err
			}
			e, err := f.bare(io)
			if err != nil {
				return err
			}
			put, err := run.Put(run.Transfer{Local: args[0], Remote: path.Clean(args[1]) + slashOf(args[1]), Root: !login})
			if err != nil {
				return usage(err, "provision put FILE PATH: the file is here, the path on the hosts")
			}
			_, err = f.show(command.Context(), io, e, run.Settings{}, put)
			return err
		},
	}
	f.run.registerForks(command)
	command.Flags().BoolVar(&login, "no-sudo", false, "as the user who logs in, not as root")
	return command
}

func newGet(f *flags, io console) *cobra.Command {
	var login bool
	command := &cobra.Command{
		Use:   "get PATH [PLACE]",
		Short: "get a file from hosts, as root",
		Long: `Gets a file from hosts at once, with its mode. Of one host it goes to PLACE, a
file or a directory; of several to PLACE/HOST/, under its own name. It is
written beside its place and renamed when it has arrived whole. Without PLACE
it goes here.`,
		Example: `  provision get /etc/nginx/nginx.conf -H root@web1
  provision get /var/log/syslog logs -l all   logs/web1/syslog and so on`,
		Args: arguments(1, 2),
		RunE: func(command *cobra.Command, args []string) error {
			if err := checkPlace("get", args[0]); err != nil {
				return err
			}
			if strings.HasSuffix(args[0], "/") {
				return usage(fmt.Errorf("get %s: is a directory", args[0]), "name a file in it")
			}
			e, err := f.bare(io)
			if err != nil {
				return err
			}
			t := run.Transfer{Remote: path.Clean(args[0]), Local: ".", Root: !login}
			if len(args) > 1 {
				t.Local = args[1]
			}
			_, err = f.show(command.Context(), io, e, run.Settings{}, run.Get(t))
			return err
		},
	}
	f.run.registerForks(command)
	command.Flags().BoolVar(&login, "no-sudo", false, "as the user who logs in, not as root")
	return command
}

// checkPlace refuses what is no path of a host.
func checkPlace(verb, place string) error {
	switch {
	case strings.ContainsAny(place, "\x00\n\r"):
		return usage(errors.New(verb+": a control character in the path"), "provision "+verb+" --help")
	case path.IsAbs(place):
		return nil
	}
	if host, rest, found := strings.Cut(place, ":"); found && path.IsAbs(rest) { // as scp has it
		return usage(fmt.Errorf("%s %s: has a host in it", verb, place), fmt.Sprintf("hosts go before: -H %s, and then %s", host, rest))
	}
	return usage(fmt.Errorf("%s %s: is not absolute", verb, place), "a path of the hosts begins with /")
}

func slashOf(place string) string {
	if strings.HasSuffix(place, "/") && path.Clean(place) != "/" {
		return "/"
	}
	return ""
}
