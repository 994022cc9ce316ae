// Package remote is one authenticated connection to a host: over SSH, or to
// this machine. It runs sh scripts there, as the login user or as root, carries
// files, and forwards connections. It knows nothing of recipes.
//
// What it costs: a command is one channel and one exec request, two round
// trips, or one where its channel was opened beside the command before; nothing else is asked of the server, no pty, no environment, no agent
// forwarding, and no keepalive before the first interval has passed in silence.
package remote

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"net"
	"sync"
	"time"

	"provision/internal/address"
)

// Address is what a user may type or an inventory may hold, already parsed. A zero User or
// Port leaves the choice to ssh_config.
type Address = address.Address

// Config says how to connect. One value serves all hosts of a run, from several
// goroutines at once; the callbacks must allow that, and cache what they ask.
type Config struct {
	ConfigFile string   // ssh -F: "" is ~/.ssh/config and then /etc/ssh/ssh_config; "none" reads no file
	Options    []string // ssh -o: "Key=Value" or "Key Value"; they win over the files
	Identities []string // ssh -i: private key files, offered before all others
	// JumpHost is how a jump host is reached whose name, or alias, ssh_config may not know;
	// nil, and its false, leave it to ssh_config.
	JumpHost   func(host string) (Way, bool)
	KnownHosts string // the one known_hosts file to trust; "" is what ssh_config says

	// A password is for those whom it was given for: a jump host never gets the targets'.
	Password       func(prompt string) ([]byte, error) // the targets' login password; asked at most once a host; nil is never
	JumpPassword   func(prompt string) ([]byte, error) // a jump host's, likewise; the prompt names it
	SudoPassword   func(prompt string) ([]byte, error) // asked only once sudo has prompted for it; nil is never
	Passphrase     func(file string) ([]byte, error)   // nil: an encrypted key that no agent holds is an error
	ConfirmHostKey func(host, fingerprint string) bool // StrictHostKeyChecking=ask; nil refuses

	// Answer asks a person what else a login wants to know, as the code of a second factor;
	// nil is that there is nobody. The question is the host's text, with its name before.
	Answer func(question string, echo bool) ([]byte, error)

	ConnectTimeout time.Duration // TCP and handshake together; 0 is ssh_config's ConnectTimeout, or 10 s
	KeepAlive      time.Duration // silence before a question; 0 is ssh_config's ServerAliveInterval, or 15 s

	Answers *Answers // what ssh was asked is kept there for the run; nil asks each time
	Keys    *Keys    // private keys are kept there, opened, for the run; nil opens them for each connection

	Warn func(message string) // nil drops warnings
}

// Asking returns the config with around called before each question to a person, and what
// that returns after.
func (c Config) Asking(around func() (after func())) Config {
	prompted := func(ask func(string) ([]byte, error)) func(string) ([]byte, error) {
		if ask == nil {
			return nil
		}
		return func(text string) ([]byte, error) {
			defer around()()
			return ask(text)
		}
	}
	c.Password, c.JumpPassword, c.SudoPassword = prompted(c.Password), prompted(c.JumpPassword), prompted(c.SudoPassword)
	c.Passphrase = prompted(c.Passphrase)
	if ask := c.ConfirmHostKey; ask != nil {
		c.ConfirmHostKey = func(host, fingerprint string) bool {
			defer around()()
			return ask(host, fingerprint)
		}
	}
	if ask := c.Answer; ask != nil {
		c.Answer = func(question string, echo bool) ([]byte, error) {
			defer around()()
			return ask(question, echo)
		}
	}
	return c
}

// Way is how a jump host is reached.
type Way struct {
	Address    Address
	Options    []string
	Identities []string
}

func (c Config) warn(message string) {
	if c.Warn != nil {
		c.Warn(message)
	}
}

// Command is a script for /bin/sh. Its text stands in the argument list of the
// processes that run it, where every user of the host can read it: a secret
// belongs on Stdin. It runs with LC_ALL=C.UTF-8, so that messages are not
// translated.
type Command struct {
	Script string
	Root   bool // as uid 0: through sudo unless the login is root
	// Followed says that another command comes next: its channel is opened beside this one, and
	// it costs one round trip less. One that is never used ends with the connection.
	Followed bool
	// Silence is how long Run waits for a sign of life of a command that only asks: then it ends the
	// connection, as it does after MaxOutput bytes. 0 is for ever, whatever the command prints.
	Silence time.Duration
}

// Connection is one authenticated connection to a host. Its methods may be
// called from several goroutines at once.
type Connection struct {
	transport transport
	root      bool   // the login user is root: no sudo
	token     string // random; what tells our output from a login shell's noise
	config    Config
	name      string
	encodings *encodings // the dialer's; nil without one

	closeOnce sync.Once
	closeErr  error
}

// transport is what a connection runs on: ssh or this machine.
type transport interface {
	// start runs a command line that every login shell understands. followed is as in Command.
	start(ctx context.Context, commandLine string, followed bool) (stream, error)
	dial(ctx context.Context, network, address string) (net.Conn, error)
	close() error
	ended() bool
}

func newConnection(t transport, name string, root bool, config Config) *Connection {
	random := make([]byte, 16)
	rand.Read(random) // never fails (crypto/rand, since Go 1.24)
	return &Connection{transport: t, name: name, root: root, token: hex.EncodeToString(random), config: config}
}

// Name is the host as errors name it: the address that was asked for.
func (c *Connection) Name() string { return c.name }

// LoginIsRoot tells whether commands run as root without sudo.
func (c *Connection) LoginIsRoot() bool { return c.root }

// DialContext connects from the host: network is "tcp" (or tcp4, tcp6) or
// "unix". Over SSH this is the connection's own port forwarding, which the
// server may refuse (AllowTcpForwarding, AllowStreamLocalForwarding).
func (c *Connection) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	return c.transport.dial(ctx, network, address)
}

// DialOutside connects as those reach the host who are not on it: from its jump host where
// there is one, for behind that nobody else may reach it, and else from here.
func (c *Connection) DialOutside(ctx context.Context, network, address string) (net.Conn, error) {
	if t, ok := c.transport.(*sshTransport); ok && t.below != nil {
		return t.below.dial(ctx, network, address)
	}
	return (&net.Dialer{}).DialContext(ctx, network, address)
}

// Ended reports whether there is no connection any more: the server has ended it, or does not answer.
func (c *Connection) Ended() bool { return c.transport.ended() }

// Close ends the connection. Every pending Wait returns, with ErrLost where the
// command's outcome is not known. It may be called more than once.
func (c *Connection) Close() error {
	c.closeOnce.Do(func() { c.closeErr = c.transport.close() })
	return c.closeErr
}
