// Command bench measures gimel on this machine, load generator included:
// committed events a second and their latency at 64 connections, beside a
// net/http handler that does nothing and beside redis-benchmark; and bytes a
// uuid. It prints figures and judges nothing.
//
//	go run ./internal/gimel/bench [--seconds 5] [--connections 64] [--gimel BINARY]
//	go run ./internal/gimel/bench --crashes
//	go run ./internal/gimel/bench --url https://host/track   (a server that runs, e.g. behind nginx)
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

func main() {
	if len(os.Args) == 3 && os.Args[1] == "do-nothing" {
		nothing := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
		fmt.Fprintln(os.Stderr, http.ListenAndServe(os.Args[2], nothing))
		return
	}
	redis.SetLogger(silent{})
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// silent drops what go-redis prints of each failed dial: waiting for a
// redis-server to start is no failure.
type silent struct{}

func (silent) Printf(context.Context, string, ...any) {}

type options struct {
	seconds, connections int
	binary, url, folder  string
	crashes              bool
}

func run() error {
	var o options
	flag.IntVar(&o.seconds, "seconds", 5, "length of each measurement")
	flag.IntVar(&o.connections, "connections", 64, "concurrent connections")
	flag.StringVar(&o.binary, "gimel", "", "gimel binary (default: built from this tree)")
	flag.StringVar(&o.url, "url", "", "measure only this URL of a server that runs; certificates are not checked")
	flag.BoolVar(&o.crashes, "crashes", false, "measure only what kill -9 of Redis loses")
	flag.Parse()
	if o.url != "" {
		figures, err := load(o.url, o.connections, time.Duration(o.seconds)*time.Second)
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
	if err := o.speed(); err != nil {
		return err
	}
	return o.memory()
}

// speed prints a line for each server; the do-nothing handler is measured
// before and after, for the machine may be busier at one of the two times.
func (o options) speed() error {
	fmt.Printf("%d connections, %d s each, load generator on the same machine\n\n", o.connections, o.seconds)
	fmt.Printf("%-34s %10s %9s %9s %9s\n", "", "events/s", "p50", "p99", "of nothing")
	before, err := o.measureNothing()
	if err != nil {
		return err
	}
	for _, setup := range []struct {
		name string
		args []string
	}{
		{"gimel, redis in memory only", []string{"--appendonly", "no"}},
		{"gimel, appendfsync everysec", []string{"--appendonly", "yes", "--appendfsync", "everysec"}},
		{"gimel, appendfsync always", []string{"--appendonly", "yes", "--appendfsync", "always"}},
	} {
		figures, err := o.measureGimel(setup.args)
		if err != nil {
			return fmt.Errorf("%s: %w", setup.name, err)
		}
		fmt.Printf("%-34s %s %8.0f %%\n", setup.name, figures, 100*figures.rate/before.rate)
	}
	if _, err := o.measureNothing(); err != nil {
		return err
	}
	return o.redisBenchmark()
}

func (o options) measureNothing() (figures, error) {
	self, err := os.Executable()
	if err != nil {
		return figures{}, err
	}
	address := freeAddress()
	stop, err := start(self, []string{"do-nothing", address}, nil)
	if err != nil {
		return figures{}, err
	}
	defer stop()
	url := "http://" + address + "/track"
	if err := awaitAnswer(url); err != nil {
		return figures{}, err
	}
	result, err := o.warmAndLoad(url)
	if err == nil {
		fmt.Printf("%-34s %s\n", "net/http handler that does nothing", result)
	}
	return result, err
}

func (o options) measureGimel(redisArgs []string) (figures, error) {
	socket, stopRedis, err := o.startRedis(redisArgs)
	if err != nil {
		return figures{}, err
	}
	defer stopRedis()
	stop, url, err := o.startGimel(socket)
	if err != nil {
		return figures{}, err
	}
	defer stop()
	return o.warmAndLoad(url)
}

// awaitAnswer waits until a server answers, whatever it says.
func awaitAnswer(url string) error {
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		response, err := http.Get(url)
		if err == nil {
			response.Body.Close()
			return nil
		}
		if time.Now().After(deadline) {
			return errors.New("does not answer within 10 s")
		}
	}
}

// warmAndLoad measures after a second of warming up.
func (o options) warmAndLoad(url string) (figures, error) {
	if _, err := load(url, o.connections, time.Second); err != nil {
		return figures{}, err
	}
	return load(url, o.connections, time.Duration(o.seconds)*time.Second)
}

func (o options) redisBenchmark() error {
	socket, stop, err := o.startRedis([]string{"--appendonly", "no"})
	if err != nil {
		return err
	}
	defer stop()
	fmt.Println("\nredis-benchmark, Unix socket, 64 connections, pipelines of 16 (commands/s):")
	for _, command := range []string{"SADD s __rand_int__", "PFADD h __rand_int__", "INCR c"} {
		args := append([]string{"-s", socket, "-c", "64", "-P", "16", "-n", "500000", "-r", "1000000", "-q"}, strings.Fields(command)...)
		output, err := exec.Command("redis-benchmark", args...).CombinedOutput()
		if err != nil {
			return fmt.Errorf("redis-benchmark: %w: %s", err, output)
		}
		lines := strings.FieldsFunc(string(output), func(r rune) bool { return r == '\r' || r == '\n' })
		fmt.Println("  " + strings.TrimSpace(lines[len(lines)-1]))
	}
	return nil
}
