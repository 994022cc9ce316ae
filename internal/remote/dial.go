package remote

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/crypto/ssh"
)

// Dial connects and authenticates. ctx bounds the dialling only, not the
// connection's life. Everything on this side is read first, so an error that
// wraps ErrConfig means that nothing was sent. The others wrap ErrUnreachable,
// ErrHostKeyUnknown, ErrHostKeyChanged or ErrAuthentication.
func Dial(ctx context.Context, address Address, config Config) (*Connection, error) {
	t, err := dialSSH(ctx, address, config, nil)
	if err != nil {
		return nil, err
	}
	return newConnection(t, address.String(), t.settings.user == "root", config), nil
}

// dialSSH connects to an address. via holds the hosts that this one is a jump
// host for, so that a circle is found.
func dialSSH(ctx context.Context, address Address, config Config, via []string) (*sshTransport, error) {
	s, err := config.settings(address)
	if err != nil {
		return nil, err
	}
	here := fmt.Sprintf("%s@%s", s.user, net.JoinHostPort(s.host, strconv.Itoa(s.port)))
	if slices.Contains(via, here) {
		return nil, configError(address.String(), "ProxyJump goes in a circle: "+strings.Join(append(via, here), " via "), "see ProxyJump in ssh_config")
	}
	via = append(slices.Clone(via), here)

	ctx, clock := startWatchdog(ctx, s.connectTimeout)
	defer clock.stop()
	asking := clock.asking(config)
	if s.batch {
		asking.Password, asking.Passphrase, asking.Answer, asking.ConfirmHostKey = nil, nil, nil, nil
	}
	ring, err := asking.loadKeyring(s)
	if err != nil {
		return nil, err
	}
	defer ring.close()
	hosts := asking.loadHostKeys(s)
	clock.resume() // what was asked for until now does not count

	conn, below, err := connect(ctx, clock, s, config, via)
	if err != nil {
		return nil, err
	}
	t := &sshTransport{settings: s, below: below, conn: &liveConn{Conn: conn}, done: make(chan struct{})}
	if err := t.handshake(ctx, asking, ring, hosts); err != nil {
		conn.Close()
		if below != nil {
			below.close()
		}
		return nil, err
	}
	go t.watch()
	return t, nil
}

// connect opens what SSH speaks over. below is the jump host's transport, to be
// closed after this one.
func connect(ctx context.Context, clock *watchdog, s settings, config Config, via []string) (conn net.Conn, below *sshTransport, err error) {
	target := net.JoinHostPort(s.host, strconv.Itoa(s.port))
	switch {
	case s.proxyCommand != "":
		conn, err = dialCommand(s.proxyCommand)
	case s.proxyJump != "":
		clock.pause() // the jump host has a clock of its own
		below, err = dialJump(ctx, s.proxyJump, config, via)
		clock.resume()
		if err != nil {
			return nil, nil, fmt.Errorf("%s: jump host: %w", s.alias, err)
		}
		conn, err = below.dial(ctx, "tcp", target)
		if err != nil {
			below.close()
		}
	default:
		conn, err = dialDirect(ctx, s, target)
	}
	if err != nil {
		return nil, nil, unreachable(ctx, s, err)
	}
	return conn, below, nil
}

func dialDirect(ctx context.Context, s settings, target string) (net.Conn, error) {
	dialer := &net.Dialer{}
	if s.bindAddress != "" {
		local, err := net.ResolveTCPAddr(s.network, net.JoinHostPort(s.bindAddress, "0"))
		if err != nil {
			return nil, fmt.Errorf("BindAddress: %w", err)
		}
		dialer.LocalAddr = local
	}
	return dialer.DialContext(ctx, s.network, target)
}

// dialJump connects to the last of the jump hosts "[user@]host[:port],…",
// through the others. As in ssh, options and identities of the command line are
// the destination's: a jump host has its own in ssh_config. So is the password.
func dialJump(ctx context.Context, jumps string, config Config, via []string) (*sshTransport, error) {
	config.Options, config.Identities, config.Password = nil, nil, config.JumpPassword
	rest, last := "", jumps
	if at := strings.LastIndexByte(jumps, ','); at >= 0 {
		rest, last = jumps[:at], jumps[at+1:]
	}
	address, err := parseJump(strings.TrimSpace(last))
	if err != nil {
		return nil, err
	}
	if rest != "" {
		config.Options = []string{"ProxyJump=" + rest}
	}
	return dialSSH(ctx, address, config, via)
}

func parseJump(text string) (Address, error) {
	refused := func(problem string) (Address, error) {
		return Address{}, configError("ProxyJump "+text, problem, "[user@]host[:port], or ssh://[user@]host[:port]")
	}
	rest := strings.TrimSuffix(strings.TrimPrefix(text, "ssh://"), "/")
	var address Address
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		address.User, rest = rest[:at], rest[at+1:]
	}
	address.Host = rest
	if strings.HasPrefix(rest, "[") || strings.Count(rest, ":") == 1 {
		host, port, err := net.SplitHostPort(rest)
		if err != nil && strings.HasSuffix(rest, "]") {
			host, port, err = strings.Trim(rest, "[]"), "", nil
		}
		if err != nil {
			return refused("is not an address")
		}
		address.Host = host
		if port != "" {
			n, err := strconv.Atoi(port)
			if err != nil || n < 1 || n > 65535 {
				return refused("has no valid port")
			}
			address.Port = n
		}
	}
	if address.Host == "" || strings.HasPrefix(address.Host, "-") {
		return refused("has no valid host")
	}
	return address, nil
}

// handshake makes the connection an authenticated one.
func (t *sshTransport) handshake(ctx context.Context, config Config, ring keyring, hosts *hostKeys) error {
	stop := context.AfterFunc(ctx, func() { t.conn.Close() })
	defer stop()
	login := &login{config: config, settings: t.settings, ring: ring}
	var hostKeyErr error
	client, channels, requests, err := ssh.NewClientConn(t.conn, t.settings.host, &ssh.ClientConfig{
		Config:            ssh.Config{KeyExchanges: t.settings.keyExchanges, Ciphers: t.settings.ciphers, MACs: t.settings.macs},
		User:              t.settings.user,
		AuthCallback:      login.next,
		HostKeyAlgorithms: hosts.algorithms(),
		HostKeyCallback: func(host string, remote net.Addr, key ssh.PublicKey) error {
			hostKeyErr = hosts.check(host, remote, key)
			return hostKeyErr
		},
		ClientVersion: "SSH-2.0-provision",
	})
	if err == nil && !stop() {
		err = context.Cause(ctx) // too late: the connection is closed already
	}
	switch known := new(Error); {
	case err == nil:
		t.client = ssh.NewClient(client, channels, requests)
		return nil
	case hostKeyErr != nil:
		return hostKeyErr
	case errors.As(err, &known):
		return known
	case ctx.Err() == nil && strings.Contains(err.Error(), "Too many authentication failures"):
		return login.tooMany(err)
	}
	return unreachable(ctx, t.settings, err)
}

// unreachable says why there is no connection.
func unreachable(ctx context.Context, s settings, err error) error {
	what, where := s.alias, net.JoinHostPort(s.host, strconv.Itoa(s.port))+": "
	if s.alias == s.host { // which need not be said twice
		if s.port != 22 {
			what = strings.TrimSuffix(where, ": ")
		}
		where = ""
	}
	failure := &Error{What: what, Problem: where + err.Error(), Kinds: []error{ErrUnreachable, err}}
	cause := context.Cause(ctx)
	if cause != nil { // net says "canceled" whatever the cause: a host that is silent is no Ctrl-C
		failure.Kinds = []error{ErrUnreachable, cause}
	}
	var dns *net.DNSError
	var refused *ssh.OpenChannelError
	var number syscall.Errno
	switch {
	case errors.Is(cause, errStalled):
		failure.Problem = fmt.Sprintf("%sno SSH connection within %s", where, s.connectTimeout)
		failure.Hint = "is the host up, and is its sshd answering? a longer wait: -o ConnectTimeout=SECONDS"
	case cause != nil:
		failure.Problem = where + cause.Error()
	case errors.As(err, &dns):
		failure.Problem = "the name " + dns.Name + " does not resolve"
		failure.Hint = "check the spelling, the inventory, or HostName in ssh_config"
	case errors.As(err, &refused):
		failure.Problem = fmt.Sprintf("%sthe jump host cannot reach it: %s", where, refused.Message)
	case errors.As(err, &number): // connection refused, no route to host: all else of it was said
		failure.Problem = where + number.Error()
		failure.Hint = "is the host up, and its sshd at this address and port?"
	}
	return failure
}
