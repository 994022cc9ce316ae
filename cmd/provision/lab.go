package main

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"provision/internal/lab"
)

func newLab(io console) *cobra.Command {
	command := &cobra.Command{
		Use:   "lab",
		Short: "throwaway Debian hosts on this machine, to try things on",
		Long: `Throwaway Debian hosts with a real systemd, sshd and apt, each with its own
network address, on this machine (Debian, as root). They are named lab1, lab2,
… and can be used at once: provision install graphite -H lab1, or -l lab for
all of them.

The environment can name another lab than this machine's: PROVISION_LAB_DIR,
PROVISION_LAB_BRIDGE and PROVISION_LAB_NETWORK, where the default is
/var/lib/provision-lab, plab0 and 198.18.0.0/24.`,
	}
	network := command.PersistentFlags().String("network", "", "`ADDRESSES` of the lab's bridge (default 198.18.0.0/24)")
	mirror := command.PersistentFlags().String("mirror", "", "`URL` of a Debian mirror (default this machine's own)")
	open := func() (*lab.Lab, error) {
		config, err := labConfig(func(line string) { fmt.Fprintln(io.err, line) })
		if err != nil {
			return nil, err
		}
		config.Mirror = *mirror
		if err := withNetwork(&config, *network, "--network"); err != nil {
			return nil, err
		}
		return lab.Open(config)
	}
	command.Args = cobra.ArbitraryArgs
	command.RunE = func(_ *cobra.Command, args []string) error { return verbless(command, args) }
	command.AddCommand(newLabUp(io, open), newLabList(io, open), newLabSSH(open), newLabFresh(io, open), newLabDown(open), newLabDestroy(open))
	return command
}

// mostLabHosts is more than the lab is meant for, and fits into its network.
const mostLabHosts = 200

type labOpener func() (*lab.Lab, error)

func newLabUp(io console, open labOpener) *cobra.Command {
	var suite string
	command := &cobra.Command{
		Use:   "up [N | NAME...]",
		Short: "make sure that hosts lab1 to labN run (one, without N)",
		Long: `Makes sure that lab hosts run: so many, lab1 to labN, or those of these names
(lab, then one to nine letters, digits and -). The first one of a Debian release
takes a minute or two, for the system that all are made from; others a second.`,
		Example: `  provision lab up 3
  provision lab up lab-db --suite trixie`,
		RunE: func(command *cobra.Command, args []string) error {
			names := lab.Names(1)
			if len(args) > 0 {
				names = args
				if n, err := strconv.Atoi(args[0]); err == nil && len(args) == 1 {
					if n < 1 || n > mostLabHosts {
						return usage(fmt.Errorf("lab up %d: must be between 1 and %d", n, mostLabHosts), "provision lab up 3")
					}
					names = lab.Names(n)
				}
			}
			l, err := open()
			if err != nil {
				return err
			}
			hosts, err := l.Up(command.Context(), names, suite)
			if err != nil {
				return err
			}
			printHosts(io, hosts)
			return nil
		},
	}
	command.Flags().StringVar(&suite, "suite", "", "Debian `RELEASE`: bookworm or trixie (default bookworm)")
	return command
}

func newLabList(io console, open labOpener) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "the hosts of the lab", Args: arguments(0, 0),
		RunE: func(*cobra.Command, []string) error {
			l, err := open()
			if err != nil {
				return err
			}
			hosts, err := l.Hosts()
			if err != nil {
				return err
			}
			if len(hosts) == 0 {
				fmt.Fprintln(io.err, "no lab hosts: provision lab up")
			}
			printHosts(io, hosts)
			return nil
		},
	}
}

func printHosts(io console, hosts []lab.Host) {
	table := tabwriter.NewWriter(io.out, 0, 4, 2, ' ', 0)
	for _, host := range hosts {
		state := "stopped"
		if host.Running {
			state = "running"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", host.Name, host.Address, host.Suite, state)
	}
	table.Flush()
}

func newLabSSH(open labOpener) *cobra.Command {
	command := &cobra.Command{
		Use: "ssh NAME [COMMAND...]", Short: "log in to a host as root, or run a command there",
		Args: arguments(1, -1), DisableFlagsInUseLine: true,
		RunE: func(command *cobra.Command, args []string) error {
			l, err := open()
			if err != nil {
				return err
			}
			host, err := l.Host(args[0])
			if err != nil {
				return err
			}
			path, err := clientOfSSH()
			if err != nil {
				return err
			}
			ssh := exec.CommandContext(command.Context(), path, append([]string{
				"-F", "none", "-i", l.Identity(), "-o", "IdentitiesOnly=yes",
				"-o", "UserKnownHostsFile=" + l.KnownHosts(), "-o", "GlobalKnownHostsFile=none",
				"root@" + host.Address.String()}, args[1:]...)...)
			ssh.Stdin, ssh.Stdout, ssh.Stderr = os.Stdin, os.Stdout, os.Stderr
			if err := ssh.Run(); err != nil {
				if code := ssh.ProcessState.ExitCode(); code > 0 {
					return outcome{code}
				}
				return fmt.Errorf("ssh: %w", err)
			}
			return nil
		},
	}
	command.Flags().SetInterspersed(false) // what stands behind the name is for the host
	return command
}

func newLabFresh(io console, open labOpener) *cobra.Command {
	var suite string
	command := &cobra.Command{
		Use: "fresh NAME", Short: "throw away what is on a host and boot it anew", Args: arguments(1, 1),
		RunE: func(command *cobra.Command, args []string) error {
			l, err := open()
			if err != nil {
				return err
			}
			host, err := l.Fresh(command.Context(), args[0], suite)
			if err != nil {
				return err
			}
			printHosts(io, []lab.Host{host})
			return nil
		},
	}
	command.Flags().StringVar(&suite, "suite", "", "another Debian `RELEASE` than it has")
	return command
}

func newLabDown(open labOpener) *cobra.Command {
	return &cobra.Command{
		Use: "down [NAME...]", Short: "power hosts off, all of them without a name",
		RunE: func(command *cobra.Command, args []string) error {
			l, err := open()
			if err != nil {
				return err
			}
			return l.Down(command.Context(), args...)
		},
	}
}

func newLabDestroy(open labOpener) *cobra.Command {
	var keep bool
	command := &cobra.Command{
		Use: "destroy [NAME...]", Short: "remove hosts with all that is on them; without a name the lab",
		RunE: func(command *cobra.Command, args []string) error {
			l, err := open()
			if err != nil {
				return err
			}
			if len(args) > 0 {
				return l.Remove(command.Context(), args...)
			}
			return l.Destroy(command.Context(), keep)
		},
	}
	command.Flags().BoolVar(&keep, "keep-base", false, "keep the Debian systems that hosts are made from")
	return command
}
