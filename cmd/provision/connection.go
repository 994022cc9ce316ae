package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"provision/internal/remote"
	"provision/internal/report"
)

// connection says how hosts are reached.
type connection struct {
	file       string
	options    []string
	identities []string
	askLogin   bool
	askSudo    bool
}

func (c *connection) flags() *pflag.FlagSet {
	f := newFlagSet()
	f.StringArrayVarP(&c.identities, "identity", "i", nil, "private key `FILE`, as ssh -i")
	f.StringVarP(&c.file, "ssh-config", "F", "", sshConfigHelp)
	f.StringArrayVarP(&c.options, "ssh-option", "o", nil, "option `KEY=VALUE`, as ssh -o")
	f.BoolVar(&c.askLogin, "ask-password", false, "ask for the login password, once for all hosts; a jump host has one of its own")
	f.BoolVarP(&c.askSudo, "ask-sudo-password", "K", false, "ask for the sudo password, once for all hosts")
	return f
}

const sshConfigHelp = "the ssh_config `FILE`, as ssh -F (default ~/.ssh/config)"

// registerFile adds the flag of a verb that connects to nothing: hosts of ssh_config may be the inventory.
func (c *connection) registerFile(command *cobra.Command) {
	command.Flags().StringVarP(&c.file, "ssh-config", "F", "", sshConfigHelp)
}

// login is how hosts are connected to.
type login struct {
	config    remote.Config
	passwords []string // which must never be shown
}

func (c connection) login(io console, passphrase func(string) ([]byte, error)) (login, error) {
	config, passwords, err := c.config(io, passphrase)
	return login{config, passwords}, err
}

// config returns how to connect, and the passwords, which must never be shown. Those that
// were announced are asked for here, once for all hosts and before the first connection.
func (c connection) config(io console, passphrase func(string) ([]byte, error)) (remote.Config, []string, error) {
	config := remote.Config{
		ConfigFile: c.file, Options: c.options, Identities: c.identities,
		Answers: new(remote.Answers), Keys: new(remote.Keys), Warn: warnOnce(io),
	}
	var passwords []string
	for _, password := range []struct {
		wanted bool
		name   string
		answer *func(string) ([]byte, error)
		none   string // what asks for none
	}{{c.askLogin, "login password", &config.Password, "keys need none"}, {c.askSudo, "sudo password", &config.SudoPassword, "with NOPASSWD in sudoers sudo wants none"}} {
		if !password.wanted {
			continue
		}
		secret, err := io.secret(password.name + ": ")
		if errors.Is(err, errNoTerminal) {
			return config, nil, usage(fmt.Errorf("%s: %w", password.name, err), "passwords are only asked for on a terminal; "+password.none)
		}
		if err != nil {
			return config, nil, fmt.Errorf("%s: %w", password.name, err)
		}
		passwords = append(passwords, string(secret))
		*password.answer = func(string) ([]byte, error) { return secret, nil }
	}
	if io.interactive() {
		there := &person{io: io, passphrase: passphrase}
		config.Passphrase, config.ConfirmHostKey, config.Answer = there.openKey, there.trust, there.answer
		if c.askLogin {
			config.JumpPassword = there.password
		}
	}
	return config, passwords, nil
}

// sets reports whether -o has a keyword: what the command line says goes before the inventory.
func (c connection) sets(keyword string) bool {
	return slices.ContainsFunc(c.options, func(option string) bool {
		key, _, _ := strings.Cut(strings.ReplaceAll(strings.TrimSpace(option), " ", "="), "=")
		return strings.EqualFold(key, keyword)
	})
}

// warnOnce prints each warning once, however many hosts it is about.
func warnOnce(io console) func(string) {
	note := noteOnce(io)
	return func(message string) { note("warning: " + message) }
}

// noteOnce prints each message once, whoever says it.
func noteOnce(io console) func(string) {
	var mu sync.Mutex
	seen := map[string]bool{}
	return func(message string) {
		mu.Lock()
		defer mu.Unlock()
		if !seen[message] {
			fmt.Fprintln(io.err, report.Sanitize(message))
		}
		seen[message] = true
	}
}
