package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"provision/internal/inventory"
	"provision/internal/remote"
	"provision/internal/script"
)

func newSSH(f *flags, io console) *cobra.Command {
	command := &cobra.Command{
		Use:   "ssh [flags] HOST [COMMAND...]",
		Short: "log in to a host with OpenSSH's own client, as the inventory says",
		Long: `Hands over to ssh, with what the inventory says of a host: its address, user,
port, jump hosts and identity. ~/.ssh/config holds as ever. A host that is in
no inventory is user@host:port, and lab hosts are there too. What follows the
host is ssh's: a command, which runs as the user who logs in.`,
		Example: `  provision ssh web1
  provision ssh web1 tail -f /var/log/syslog`,
		Args: arguments(1, -1), DisableFlagsInUseLine: true,
		RunE: func(_ *cobra.Command, args []string) error {
			if f.connection.askLogin || f.connection.askSudo {
				return usage(errors.New("ssh: asks for its passwords itself"), "leave out --ask-password and -K")
			}
			inv, err := f.selection.open(&inventory.Keys{})
			if err != nil {
				return err
			}
			hosts, err := inv.AdHoc(args[:1])
			if err != nil {
				return err
			}
			if len(hosts) > 1 {
				return usage(fmt.Errorf("ssh %s: are %d hosts", args[0], len(hosts)), "provision ssh "+hosts[0].Name)
			}
			way := sshWay{connection: f.connection, inv: inv}
			words := append(f.connection.sshOptions(), way.to(wayTo(hosts[0]))...)
			return handOver(append(words, args[1:]...))
		},
	}
	command.Flags().SetInterspersed(false)
	return command
}

// sshOptions are the flags of the command line that ssh has too.
func (c connection) sshOptions() []string {
	var words []string
	for _, file := range c.identities {
		words = append(words, "-i", file)
	}
	for _, option := range c.options {
		words = append(words, "-o", option)
	}
	return words
}

// configFile is the ssh_config that ssh has to be told of: one that was named, or that of
// $HOME, which we go by and ssh does not (it asks getpwuid(3)).
func (c connection) configFile() string {
	current, err := user.Current()
	home := os.Getenv("HOME")
	if c.file != "" || err != nil || home == "" || home == current.HomeDir {
		return c.file
	}
	file := filepath.Join(home, ".ssh/config")
	if _, err := os.Stat(file); err != nil {
		return ""
	}
	return file
}

// sshWay says to ssh how hosts of an inventory are reached.
type sshWay struct {
	connection connection
	inv        *inventory.Inventory
}

// to returns ssh's arguments for a way, the host's name the last.
func (w sshWay) to(way remote.Way) []string {
	var words []string
	if file := w.connection.configFile(); file != "" {
		words = append(words, "-F", file)
	}
	for _, option := range way.Options {
		if jump, is := strings.CutPrefix(option, "ProxyJump="); is {
			option = w.through(jump)
		}
		words = append(words, "-o", option)
	}
	for _, file := range way.Identities {
		words = append(words, "-i", file)
	}
	if port := way.Address.Port; port != 0 {
		words = append(words, "-p", strconv.Itoa(port))
	}
	if user := way.Address.User; user != "" {
		words = append(words, "-l", user)
	}
	return append(words, "--", way.Address.Host)
}

// through is the option for a jump. A ProxyJump names hosts as ssh_config knows them; one of
// the inventory has a port, an identity and a way of its own, so ssh is told the command that
// ProxyJump stands for (ssh_config(5)).
func (w sshWay) through(jump string) string {
	before, last := "", jump
	if at := strings.LastIndex(jump, ","); at >= 0 {
		before, last = jump[:at], jump[at+1:]
	}
	host, known := w.inv.JumpHost(last)
	if !known && before == "" {
		return "ProxyJump=" + jump
	}
	way := wayTo(host)
	if !known {
		// The inventory was read with it: it is one.
		way.Address, _ = inventory.ParseHost(strings.TrimSpace(last))
	}
	if before != "" {
		way.Options = append([]string{"ProxyJump=" + before}, way.Options...)
	}
	words := w.to(way)
	forward := append([]string{"ssh"}, words[:len(words)-2]...)
	inner := script.QuoteAll(append(forward, "-W")...)
	return "ProxyCommand=" + strings.ReplaceAll(inner, "%", "%%") + " [%h]:%p -- " + script.Quote(way.Address.Host)
}

// handOver makes this process ssh.
func handOver(words []string) error {
	path, err := clientOfSSH()
	if err != nil {
		return err
	}
	return fmt.Errorf("ssh: %w", syscall.Exec(path, append([]string{"ssh"}, words...), os.Environ()))
}

// clientOfSSH is where OpenSSH's own is, which connections of provision's do not need.
func clientOfSSH() (string, error) {
	path, err := exec.LookPath("ssh")
	if err != nil {
		return "", usage(errors.New("ssh: OpenSSH's client is not installed here"), "apt-get install openssh-client")
	}
	return path, nil
}
