package simulated

import (
	"context"
	"io"
	"net"
	"os"
	"strconv"
	"strings"

	"golang.org/x/crypto/ssh"
	"golang.org/x/sync/errgroup"
)

// Handshakes makes a bare connection to each of so many hosts, some at a time, logs in, and ends it: the
// least that work on them can cost with this library. With exchanged each of them is sent the question that
// the fleet was asked last, and its answer is read, of which nothing is made: the least that asking costs.
func Handshakes(ctx context.Context, hosts, atOnce, port int, identity string, exchanged bool) error {
	text, err := os.ReadFile(identity)
	if err != nil {
		return err
	}
	login, err := ssh.ParsePrivateKey(text)
	if err != nil {
		return err
	}
	line := ""
	if exchanged {
		err := handshake(ctx, 0, port, login, func(client *ssh.Client) error {
			line, err = output(client, AskedLast)
			return err
		})
		if err != nil {
			return err
		}
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for host := range hosts {
		group.Go(func() error {
			return handshake(ctx, host, port, login, func(client *ssh.Client) error {
				if !exchanged {
					return nil
				}
				_, err := output(client, line)
				return err
			})
		})
	}
	return group.Wait()
}

func handshake(ctx context.Context, host, port int, login ssh.Signer, then func(*ssh.Client) error) error {
	address := net.JoinHostPort(Address(host).String(), strconv.Itoa(port))
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	defer conn.Close()
	known := hostKey(host).PublicKey()
	client, channels, requests, err := ssh.NewClientConn(conn, address, &ssh.ClientConfig{
		User: "root", Auth: []ssh.AuthMethod{ssh.PublicKeys(login)},
		HostKeyAlgorithms: []string{known.Type()}, HostKeyCallback: ssh.FixedHostKey(known),
	})
	if err != nil {
		return err
	}
	logged := ssh.NewClient(client, channels, requests)
	defer logged.Close()
	return then(logged)
}

// output runs a command, and returns what it prints. What it says on standard error is read too.
func output(client *ssh.Client, line string) (string, error) {
	session, err := client.NewSession()
	if err != nil {
		return "", err
	}
	defer session.Close()
	var printed strings.Builder
	session.Stdout, session.Stderr = &printed, io.Discard
	err = session.Run(line)
	return printed.String(), err
}
