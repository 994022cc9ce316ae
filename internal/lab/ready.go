package lab

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
)

// bootTimeout is for a slow machine; a host takes a second or two.
const bootTimeout = 90 * time.Second

// waitReady waits until sshd lets root in and systemd has started what it has
// to, and returns what systemd calls its state: `running`, or `degraded` with
// the units that failed.
func (l *Lab) waitReady(ctx context.Context, host Host) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, bootTimeout)
	defer cancel()
	config, err := l.clientConfig(host)
	if err != nil {
		return "", err
	}
	for {
		state, err := systemState(ctx, host, config)
		if err == nil {
			return state, nil
		}
		if host.supervisor() == 0 {
			return "", fmt.Errorf("the host ended:%s", consoleTail(host))
		}
		select {
		case <-ctx.Done():
			return "", fmt.Errorf("%w (%w):%s", err, ctx.Err(), consoleTail(host))
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func consoleTail(host Host) string {
	log, err := os.ReadFile(host.Log())
	if err != nil {
		return " " + err.Error()
	}
	return indented(tail(string(log), 15))
}

// clientConfig is for root with the lab's key, and takes only the host's own key.
func (l *Lab) clientConfig(host Host) (*ssh.ClientConfig, error) {
	identity, err := readKey(l.Identity())
	if err != nil {
		return nil, err
	}
	hostKey, err := readPublicKey(host.keyFile() + ".pub")
	if err != nil {
		return nil, err
	}
	return &ssh.ClientConfig{
		User:              "root",
		Auth:              []ssh.AuthMethod{ssh.PublicKeys(identity)},
		HostKeyCallback:   ssh.FixedHostKey(hostKey),
		HostKeyAlgorithms: []string{ssh.KeyAlgoED25519},
	}, nil
}

// systemState asks systemd once, over ssh, to say when it is done starting.
func systemState(ctx context.Context, host Host, config *ssh.ClientConfig) (string, error) {
	address := net.JoinHostPort(host.Address.String(), "22")
	dialer := net.Dialer{Timeout: time.Second}
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	connection, channels, requests, err := ssh.NewClientConn(conn, address, config)
	if err != nil {
		return "", err
	}
	client := ssh.NewClient(connection, channels, requests)
	defer client.Close()
	session, err := client.NewSession()
	if err != nil {
		return "", err
	}
	defer session.Close()
	// systemctl(1): the exit code is 0 for `running` only. The states of a
	// system on its way up or down are not an answer yet.
	output, err := session.Output("systemctl is-system-running --wait; systemctl list-units --failed --plain --no-legend --no-pager | cut -d' ' -f1")
	if exit := (*ssh.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		return "", err
	}
	state, failed, _ := strings.Cut(strings.TrimSpace(string(output)), "\n")
	switch state {
	case "running":
		return state, nil
	case "degraded":
		return state + ": " + strings.Join(strings.Fields(failed), ", "), nil
	}
	return "", fmt.Errorf("systemd says %q", state)
}
