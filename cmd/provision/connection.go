package main

import (
	"errors"
	"fmt"
	"sync"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"provision/internal/remote"
)

// connection says how hosts are reached.
type connection struct {
	file       string
	options    []string
	identities []string
	askLogin   bool
	askSudo    bool
}

func (c *connection) register(root *cobra.Command) {
	f := root.PersistentFlags()
	f.StringArrayVarP(&c.identities, "identity", "i", nil, "private key, as ssh -i")
	f.StringVarP(&c.file, "ssh-config", "F", "", "ssh_config, as ssh -F (default ~/.ssh/config)")
	f.StringArrayVarP(&c.options, "ssh-option", "o", nil, "Key=Value, as ssh -o")
	f.BoolVar(&c.askLogin, "ask-password", false, "ask for the login password, once for all hosts")
	f.BoolVarP(&c.askSudo, "ask-sudo-password", "K", false, "ask for the sudo password, once for all hosts")
}

// config returns how to connect. The passwords that were announced are asked for here,
// once for all hosts and before the first connection, and only from a terminal.
func (c connection) config(io console) (remote.Config, error) {
	config := remote.Config{
		ConfigFile: c.file, Options: c.options, Identities: c.identities,
		Warn: func(message string) { fmt.Fprintln(io.err, "warning:", message) },
	}
	ask := func(prompt string) ([]byte, error) { return askSecret(io, prompt) }
	for _, password := range []struct {
		wanted bool
		prompt string
		answer *func(string) ([]byte, error)
	}{{c.askLogin, "login password: ", &config.Password}, {c.askSudo, "sudo password: ", &config.SudoPassword}} {
		if !password.wanted {
			continue
		}
		secret, err := ask(password.prompt)
		if err != nil {
			return config, fmt.Errorf("%s%w", password.prompt, err)
		}
		*password.answer = func(string) ([]byte, error) { return secret, nil }
	}
	if term.IsTerminal(int(io.in.Fd())) {
		passphrases := map[string]func(string) ([]byte, error){}
		var mu sync.Mutex
		config.Passphrase = func(file string) ([]byte, error) {
			mu.Lock()
			if passphrases[file] == nil {
				passphrases[file] = once(func(string) ([]byte, error) { return ask("passphrase of " + file + ": ") })
			}
			answer := passphrases[file]
			mu.Unlock()
			return answer("")
		}
		config.ConfirmHostKey = confirmHostKey(io)
	}
	return config, nil
}

// once remembers the first answer for all who ask later, from any goroutine.
func once(ask func(string) ([]byte, error)) func(string) ([]byte, error) {
	answer := sync.OnceValues(func() ([]byte, error) { return ask("") })
	return func(string) ([]byte, error) { return answer() }
}

// errNoTerminal says that something has to be asked and nobody is there.
var errNoTerminal = errors.New("no terminal to ask on")

// askSecret reads a line from the terminal without showing it.
func askSecret(io console, prompt string) ([]byte, error) {
	if !term.IsTerminal(int(io.in.Fd())) {
		return nil, errNoTerminal
	}
	fmt.Fprint(io.err, prompt)
	defer fmt.Fprintln(io.err)
	return term.ReadPassword(int(io.in.Fd()))
}

func confirmHostKey(io console) func(host, fingerprint string) bool {
	var mu sync.Mutex
	return func(host, fingerprint string) bool {
		mu.Lock()
		defer mu.Unlock()
		fmt.Fprintf(io.err, "%s is not known yet. Its key's fingerprint is %s.\n", host, fingerprint)
		return askYes(io, "Trust it from now on?")
	}
}

// askYes asks a question on the terminal; anything but y or yes is no.
func askYes(io console, question string) bool {
	fmt.Fprintf(io.err, "%s [y/N] ", question)
	var answer string
	fmt.Fscanln(io.in, &answer)
	return answer == "y" || answer == "yes"
}
