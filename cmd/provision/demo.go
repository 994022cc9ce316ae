package main

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"provision/internal/remote"
)

// demoHost is the lab host that the demo installs on, unless told otherwise: one of its own,
// for lab1 may be in use.
const demoHost = "labdemo"

func newDemo(f *flags, io console) *cobra.Command {
	var name, out string
	command := &cobra.Command{
		Use:   "demo graphite",
		Short: "boot a lab host, install Graphite on it, and save a graph",
		Args:  arguments(1, 1),
		RunE: func(command *cobra.Command, args []string) error {
			if args[0] != "graphite" {
				return usage(fmt.Errorf("demo %s: there is none", args[0]), "provision demo graphite")
			}
			return f.demo(command.Context(), io, name, out)
		},
	}
	command.Flags().StringVar(&name, "name", demoHost, "the `HOST` of the lab that it boots")
	command.Flags().StringVar(&out, "out", "graphite-demo.png", "the `FILE` that the graph is saved in")
	return command
}

func (f *flags) demo(ctx context.Context, io console, name, out string) error {
	l, err := openLab(func(line string) { fmt.Fprintln(io.err, line) })
	if err != nil {
		return err
	}
	hosts, err := l.Up(ctx, []string{name}, "")
	if err != nil {
		return err
	}
	host := hosts[0]
	f.selection.hosts = []string{name}
	f.run.yes, f.run.forks, f.run.lockTimeout = true, 1, time.Minute
	// Without a password, so that the graph's URL opens in a browser on this machine.
	f.selection.extra = append(f.selection.extra, "graphite.auth=false")
	if err := f.install(ctx, io, []string{"graphite"}, ""); err != nil {
		return err
	}
	if err := f.feed(ctx, io); err != nil {
		return err
	}
	url := fmt.Sprintf("http://%s/render?target=demo.wave&target=demo.pulse&from=-10min&width=800&height=400&title=provision+demo+graphite", host.Address)
	// carbon stores what it was sent within a second; a graph that is drawn before has gaps.
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(1500 * time.Millisecond):
	}
	if err := save(ctx, url, out); err != nil {
		return err
	}
	path, err := filepath.Abs(out)
	if err != nil {
		return err
	}
	told := io.out
	if f.output.json {
		told = io.err // programs get nothing but events
	}
	fmt.Fprintf(told, "graph     %s\nurl       %s\ngraphite  http://%s/\n", path, url, host.Address)
	return nil
}

// feed writes the last ten minutes of a curve to carbon, through SSH: of Graphite nothing
// but nginx listens on a public address.
func (f *flags) feed(ctx context.Context, io console) error {
	e, err := f.work(io, []string{"graphite"})
	if err != nil {
		return err
	}
	connection, err := remote.Dial(ctx, e.work[0].Target.Address, e.work[0].Target.Config)
	if err != nil {
		return err
	}
	defer connection.Close()
	carbon, err := connection.DialContext(ctx, "tcp", "127.0.0.1:2003")
	if err != nil {
		return err
	}
	defer carbon.Close()
	now := time.Now().Unix()
	for at := now - 600; at <= now; at += 10 {
		angle := float64(at%300) / 300 * 2 * math.Pi
		if _, err := fmt.Fprintf(carbon, "demo.wave %f %d\ndemo.pulse %f %d\n", 50+40*math.Sin(angle), at, 50+25*math.Cos(3*angle), at); err != nil {
			return err
		}
	}
	return nil
}

func save(ctx context.Context, url, out string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	client := http.Client{Timeout: 30 * time.Second}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if kind := response.Header.Get("Content-Type"); response.StatusCode != http.StatusOK || kind != "image/png" {
		return fmt.Errorf("%s: status %d, %s: not a graph", url, response.StatusCode, kind)
	}
	file, err := os.Create(out)
	if err != nil {
		return err
	}
	if _, err := file.ReadFrom(response.Body); err != nil {
		file.Close()
		return err
	}
	return file.Close()
}
