package simulated

import (
	"context"
	"net"
	"os"
	"strconv"

	"golang.org/x/crypto/ssh"
	"golang.org/x/sync/errgroup"
)

// Handshakes makes a bare connection to each of so many hosts, some at a time, logs in, and ends it: the
// least that work on them can cost with this library.
func Handshakes(ctx context.Context, hosts, atOnce, port int, identity string) error {
	text, err := os.ReadFile(identity)
	if err != nil {
		return err
	}
	login, err := ssh.ParsePrivateKey(text)
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for host := range hosts {
		group.Go(func() error { return handshake(ctx, host, port, login) })
	}
	return group.Wait()
}

func handshake(ctx context.Context, host, port int, login ssh.Signer) error {
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
	return ssh.NewClient(client, channels, requests).Close()
}
