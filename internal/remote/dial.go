package remote

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/crypto/ssh"

	"provision/internal/address"
)

// dial connects to an address. via holds the hosts that this one is a jump host for, so that
// a circle is found.
func (d *Dialer) dial(ctx context.Context, address Address, config Config, via []string) (*sshTransport, error) {
	s, via, err := config.route(address, via)
	if err != nil {
		return nil, err
	}
	return d.connect(ctx, s, config, via)
}

// route resolves an address, and adds it to those that it is on the way to.
func (c Config) route(address Address, via []string) (settings, []string, error) {
	s, err := c.settings(address)
	if err != nil {
		return s, nil, err
	}
	here := s.user + "@" + s.target()
	if slices.Contains(via, here) {
		return s, nil, configError(address.String(), "ProxyJump goes in a circle: "+strings.Join(append(via, here), " via "), "see ProxyJump in ssh_config")
	}
	return s, append(slices.Clone(via), here), nil
}

// target is what TCP connects to.
func (s settings) target() string { return net.JoinHostPort(s.host, strconv.Itoa(s.port)) }

// way tells one way to a host from another. The name counts too: ssh_config may give it
// another key.
func (s settings) way() string {
	return strings.Join([]string{s.alias, s.user, s.target(), s.proxyJump, s.proxyCommand}, " ")
}

// connect reads what is needed on this side, and makes the connection: again where the server
// hung up before it had asked for a login.
func (d *Dialer) connect(ctx context.Context, s settings, config Config, via []string) (*sshTransport, error) {
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
	hosts := asking.loadHostKeys(s, &d.known)
	for tried := 1; ; tried++ {
		clock.resume() // what was asked for or waited for until now does not count
		t, err := d.try(ctx, clock, &sshTransport{settings: s, done: make(chan struct{})}, &login{config: asking, settings: s, ring: ring}, hosts, config, via)
		if err == nil {
			go t.watch()
			return t, nil
		}
		if !errors.Is(err, errHungUp) || tried == tries || ctx.Err() != nil {
			return nil, err
		}
		clock.pause()
		d.rest(ctx, tried)
	}
}

// try makes one attempt to connect.
func (d *Dialer) try(ctx context.Context, clock *watchdog, t *sshTransport, login *login, hosts *hostKeys, config Config, via []string) (*sshTransport, error) {
	knock := &knock{dialer: d, clock: clock}
	defer knock.done()
	conn, err := d.reach(ctx, t, knock, config, via)
	if err != nil {
		return nil, err
	}
	t.conn = &liveConn{Conn: conn}
	login.conn = t.conn
	if err := t.handshake(ctx, login, hosts); err != nil {
		conn.Close()
		return nil, err
	}
	return t, nil
}

// reach opens what SSH speaks over.
func (d *Dialer) reach(ctx context.Context, t *sshTransport, knock *knock, config Config, via []string) (conn net.Conn, err error) {
	s := t.settings
	switch {
	case s.proxyCommand != "":
		conn, err = dialCommand(s.proxyCommand)
	case s.proxyJump != "":
		knock.clock.pause() // the jump host has a clock of its own
		t.below, err = d.dialJump(ctx, s.proxyJump, config, via)
		knock.clock.resume()
		if err != nil {
			return nil, fmt.Errorf("%s: jump host: %w", s.alias, err)
		}
		if err = knock.at(ctx, t.below.settings.way()+" "+s.target()); err == nil {
			conn, err = t.below.dial(ctx, "tcp", s.target())
		}
	default:
		conn, err = knock.dial(ctx, s)
	}
	if hungUp(err) && ctx.Err() == nil { // the jump host has
		err = errors.Join(errHungUp, err)
	}
	if err != nil {
		return nil, unreachable(ctx, s, err)
	}
	return conn, nil
}

// dial connects by TCP, once it is its turn at an address.
func (k *knock) dial(ctx context.Context, s settings) (net.Conn, error) {
	dialer := &net.Dialer{ControlContext: func(ctx context.Context, _, address string, _ syscall.RawConn) error { return k.at(ctx, address) }}
	if s.bindAddress != "" {
		local, err := net.ResolveTCPAddr(s.network, net.JoinHostPort(s.bindAddress, "0"))
		if err != nil {
			return nil, fmt.Errorf("BindAddress: %w", err)
		}
		dialer.LocalAddr = local
	}
	return dialer.DialContext(ctx, s.network, s.target())
}

// dialJump connects to the last of the jump hosts "[user@]host[:port],…",
// through the others. As in ssh, options and identities of the command line are
// the destination's: a jump host has its own in ssh_config, or as Config.JumpHost
// knows. So is the password.
func (d *Dialer) dialJump(ctx context.Context, jumps string, config Config, via []string) (*sshTransport, error) {
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
	if config.JumpHost != nil {
		if way, known := config.JumpHost(address.Host); known {
			config.Options, config.Identities = append(config.Options, way.Options...), way.Identities
			address = Address{User: cmp.Or(address.User, way.Address.User), Host: way.Address.Host, Port: cmp.Or(address.Port, way.Address.Port)}
		}
	}
	return d.through(ctx, address, config, via)
}

func parseJump(text string) (Address, error) {
	refused := func(problem string) (Address, error) {
		return Address{}, configError("ProxyJump "+text, problem, "[user@]host[:port], or ssh://[user@]host[:port]")
	}
	rest := strings.TrimSuffix(strings.TrimPrefix(text, "ssh://"), "/")
	var jump Address
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		jump.User, rest = rest[:at], rest[at+1:]
	}
	jump.Host = rest
	if strings.HasPrefix(rest, "[") || strings.Count(rest, ":") == 1 {
		host, port, err := net.SplitHostPort(rest)
		if err != nil && strings.HasSuffix(rest, "]") {
			host, port, err = strings.Trim(rest, "[]"), "", nil
		}
		if err != nil {
			return refused("is not an address")
		}
		jump.Host = host
		if port != "" {
			n, ok := address.ParsePort(port)
			if !ok {
				return refused("has no valid port")
			}
			jump.Port = n
		}
	}
	if jump.Host == "" || strings.HasPrefix(jump.Host, "-") {
		return refused("has no valid host")
	}
	return jump, nil
}

// handshake makes the connection an authenticated one.
func (t *sshTransport) handshake(ctx context.Context, login *login, hosts *hostKeys) error {
	stop := context.AfterFunc(ctx, func() { t.conn.Close() })
	defer stop()
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
	case ctx.Err() == nil && !login.begun && hungUp(err):
		err = errors.Join(errHungUp, err)
	}
	err = unreachable(ctx, t.settings, err)
	if said, failure := t.conn.notSSH(), new(Error); said != "" && errors.As(err, &failure) {
		failure.Problem += fmt.Sprintf("; it said %q", said)
	}
	return err
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
	case errors.Is(err, errHungUp):
		failure.Problem = fmt.Sprintf("%sthe server hung up before the login, %d times", where, tries)
		failure.Hint = "its sshd lets only some knock at a time (MaxStartups): -f 5 for fewer hosts at once; or it does not want this address"
		if s.proxyCommand != "" {
			failure.Problem = where + "the connection of its ProxyCommand ended before the login"
		}
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
