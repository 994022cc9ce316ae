package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// ready asks a gimel on this machine whether it can count events now. It is for
// unit files and deploys: a host need not have curl.
func ready(arguments []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("gimel ready", flag.ContinueOnError)
	flags.SetOutput(stdout)
	address := flags.String("address", "unix:/run/gimel-private/private.sock", "unix:/`PATH` or HOST:PORT to ask at")
	within := flags.Duration("within", 5*time.Second, "ask again until then")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("ready: unexpected argument %q", flags.Arg(0))
	}
	ctx, cancel := context.WithTimeout(context.Background(), *within)
	defer cancel()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: dialer(*address)}}
	var last error
	for {
		err := askReady(ctx, client)
		if err == nil {
			return nil
		}
		if last == nil || !errors.Is(err, context.DeadlineExceeded) {
			last = err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", *address, last)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func askReady(ctx context.Context, client *http.Client) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://gimel/readyz", nil)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("/readyz answers %s", response.Status)
	}
	return nil
}

// dialer connects to one address, whatever the URL says.
func dialer(address string) func(context.Context, string, string) (net.Conn, error) {
	network := "tcp"
	if path, isUnix := strings.CutPrefix(address, "unix:"); isUnix {
		network, address = "unix", path
	}
	return func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, address)
	}
}
