// Command bench measures gimel on this machine, load generator included:
// committed events a second and their latency at 64 and 256 connections, direct
// and through nginx with TLS, beside a net/http handler that does nothing,
// another gimel, and redis-benchmark; and bytes a uuid. It prints figures and
// judges nothing. It needs redis-server, redis-benchmark and nginx.
//
//	go run ./internal/gimel/bench [--seconds 2] [--rounds 5] [--connections 64,256] [--only "nginx with TLS"]
//	                              [--gimel BINARY] [--before BINARY]
//	go run ./internal/gimel/bench --event-log 4gb   (the log of events on)
//	go run ./internal/gimel/bench --crashes
//	go run ./internal/gimel/bench --url https://host/track   (a server that runs, e.g. behind nginx)
package main

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"provision/internal/gimel/listen"
)

func main() {
	if len(os.Args) == 3 && os.Args[1] == "do-nothing" {
		fmt.Fprintln(os.Stderr, doNothing(os.Args[2]))
		return
	}
	redis.SetLogger(silent{})
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// doNothing serves what gimel is compared with.
func doNothing(address string) error {
	socket, err := listen.Open(address)
	if err != nil {
		return err
	}
	return http.Serve(socket, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
}

// silent drops what go-redis prints of each failed dial: waiting for a
// redis-server to start is no failure.
type silent struct{}

func (silent) Printf(context.Context, string, ...any) {}

type options struct {
	seconds, rounds int
	connections     []int
	only            string
	binary, before  string // before: "" or another gimel
	url, folder     string
	eventLog        string
	crashes         bool
}

func run() error {
	var o options
	flag.IntVar(&o.seconds, "seconds", 2, "length of each measurement")
	flag.IntVar(&o.rounds, "rounds", 5, "how often each is measured; medians are printed")
	connections := flag.String("connections", "64,256", "concurrent connections")
	flag.StringVar(&o.only, "only", "", "measure the speed of those alone that have this in their name")
	flag.StringVar(&o.binary, "gimel", "", "gimel binary (default: built from this tree)")
	flag.StringVar(&o.before, "before", "", "another gimel binary, measured in the same rounds")
	flag.StringVar(&o.url, "url", "", "measure only this URL of a server that runs; certificates are not checked")
	flag.StringVar(&o.eventLog, "event-log", "off", "gimel's --event-log; nobody reads it here, so 4gb")
	flag.BoolVar(&o.crashes, "crashes", false, "measure only what kill -9 of Redis loses")
	flag.Parse()
	for text := range strings.SplitSeq(*connections, ",") {
		number, err := strconv.Atoi(text)
		if err != nil || number < 1 {
			return fmt.Errorf("--connections: %q is no number of connections", text)
		}
		o.connections = append(o.connections, number)
	}
	if o.url != "" {
		figures, err := load(o.url, o.connections[0], time.Duration(o.seconds)*time.Second)
		if err != nil {
			return err
		}
		fmt.Println(o.url, figures)
		return nil
	}
	folder, err := os.MkdirTemp("", "gimel-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	o.folder = folder
	if o.binary == "" {
		o.binary = filepath.Join(folder, "gimel")
		if output, err := exec.Command("go", "build", "-o", o.binary, "provision/cmd/gimel").CombinedOutput(); err != nil {
			return fmt.Errorf("go build: %w\n%s", err, output)
		}
	}
	if o.crashes {
		return o.crash()
	}
	if err := o.speed(); err != nil || o.only != "" {
		return err
	}
	if err := o.redisBenchmark(); err != nil {
		return err
	}
	return o.memory()
}
