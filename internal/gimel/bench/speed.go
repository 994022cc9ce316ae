package main

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// subject is one line of the table.
type subject struct {
	name        string
	redis       []string // its arguments; nil: a handler that does nothing
	nginx       bool     // with TLS in front
	binary      string   // of gimel
	connections int
}

// subjects are all lines: what does nothing first, then what is compared with it.
func (o options) subjects() (all []subject) {
	redis := []struct {
		name string
		args []string
	}{
		{"redis in memory only", []string{"--appendonly", "no"}},
		{"everysec", []string{"--appendonly", "yes", "--appendfsync", "everysec"}},
		{"always", []string{"--appendonly", "yes", "--appendfsync", "always"}},
	}
	add := func(s subject) {
		if s.redis == nil && strings.Contains(o.only, "nginx") == s.nginx || strings.Contains(s.name, o.only) {
			all = append(all, s)
		}
	}
	for _, connections := range o.connections {
		for _, nginx := range []bool{false, true} {
			prefix := ""
			if nginx {
				prefix = "nginx with TLS: "
			}
			add(subject{name: prefix + "does nothing", nginx: nginx, connections: connections})
			for _, of := range redis {
				if nginx && of.name == "redis in memory only" {
					continue
				}
				add(subject{prefix + "gimel, " + of.name, of.args, nginx, o.binary, connections})
				if o.before != "" {
					add(subject{prefix + "gimel before, " + of.name, of.args, nginx, o.before, connections})
				}
			}
		}
	}
	return all
}

// speed measures all subjects in turn, round after round, for other work on
// the machine comes and goes; and prints the medians. "By CPU" leaves out what
// that other work takes: the machine's time for an event, load generator and
// all, of the do-nothing handler over that of the subject. "Of before" is the
// median, over the rounds, of a line's rate over that of the line below it.
func (o options) speed() error {
	fmt.Printf("%d rounds of %d s each, load generator on the same machine\n", o.rounds, o.seconds)
	fmt.Printf("CPU: of all processes, in brackets without the load generator\n\n")
	fmt.Printf("%-44s %9s %9s %9s %10s %18s %8s %9s\n", "connections", "events/s", "p50", "p99", "of nothing", "CPU an event", "by CPU", "of before")
	subjects := o.subjects()
	rounds := make([][]figures, len(subjects))
	for range o.rounds {
		for at, s := range subjects {
			measured, err := o.measure(s)
			if err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
			rounds[at] = append(rounds[at], measured)
		}
	}
	var nothing figures
	for at, s := range subjects {
		f := medians(rounds[at])
		if s.redis == nil {
			nothing = f
		}
		fmt.Printf("%4d %-39s %s %8.0f %% %10s (%s) %6.0f %%", s.connections, s.name, f, 100*f.rate/nothing.rate,
			f.total.Round(100*time.Nanosecond), f.servers.Round(100*time.Nanosecond), 100*float64(nothing.total)/float64(f.total))
		if o.before != "" && s.binary == o.binary && s.redis != nil {
			fmt.Printf(" %7.2f", medianRatio(rounds[at], rounds[at+1]))
		}
		fmt.Println()
	}
	return nil
}

// medianRatio compares what was measured one after the other.
func medianRatio(rounds, others []figures) float64 {
	var ratios []float64
	for i := range rounds {
		ratios = append(ratios, rounds[i].rate/others[i].rate)
	}
	slices.Sort(ratios)
	return ratios[len(ratios)/2]
}

func medians(rounds []figures) figures {
	return figures{
		rate:    median(rounds, func(f figures) float64 { return f.rate }),
		p50:     median(rounds, func(f figures) time.Duration { return f.p50 }),
		p99:     median(rounds, func(f figures) time.Duration { return f.p99 }),
		total:   median(rounds, func(f figures) time.Duration { return f.total }),
		servers: median(rounds, func(f figures) time.Duration { return f.servers }),
	}
}

func median[T cmp.Ordered](rounds []figures, of func(figures) T) T {
	var values []T
	for _, round := range rounds {
		values = append(values, of(round))
	}
	slices.Sort(values)
	return values[len(values)/2]
}

func (o options) measure(s subject) (figures, error) {
	var running []*process
	defer func() {
		for _, p := range slices.Backward(running) {
			p.stop()
		}
	}()
	begin := func(p *process, err error) error {
		if err == nil {
			running = append(running, p)
		}
		return err
	}
	public := freeAddress()
	address, url := public, "http://"+public+"/track"
	if s.nginx {
		folder, err := os.MkdirTemp(o.folder, "upstream")
		if err != nil {
			return figures{}, err
		}
		socket := filepath.Join(folder, "s")
		address, url = "unix:"+socket, "https://"+public+"/track"
		if err := begin(o.startNginx(socket, public)); err != nil {
			return figures{}, err
		}
	}
	if s.redis == nil {
		self, err := os.Executable()
		if err != nil {
			return figures{}, err
		}
		if err := begin(start(self, "do-nothing", address)); err != nil {
			return figures{}, err
		}
	} else {
		socket, redis, err := o.startRedis(s.redis)
		if err := begin(redis, err); err != nil {
			return figures{}, err
		}
		if err := begin(o.startGimel(s.binary, socket, address)); err != nil {
			return figures{}, err
		}
	}
	if err := awaitAnswer(url); err != nil {
		return figures{}, err
	}
	return o.warmAndLoad(url, s.connections, running)
}

// awaitAnswer waits until a server answers 200.
func awaitAnswer(url string) error {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		response, err := client.Get(url)
		if err == nil {
			response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return nil
			}
		}
		if time.Now().After(deadline) {
			return errors.New("does not answer 200 within 10 s")
		}
	}
}

// warmAndLoad measures after a second of warming up.
func (o options) warmAndLoad(url string, connections int, servers []*process) (figures, error) {
	if _, err := load(url, connections, time.Second); err != nil {
		return figures{}, err
	}
	spent := func() (sum time.Duration) {
		for _, p := range servers {
			sum += p.cpu()
		}
		return sum
	}
	serversBefore, selfBefore := spent(), ownCPU()
	measured, err := load(url, connections, time.Duration(o.seconds)*time.Second)
	if err != nil {
		return figures{}, err
	}
	measured.servers = (spent() - serversBefore) / time.Duration(measured.answers)
	measured.total = measured.servers + (ownCPU()-selfBefore)/time.Duration(measured.answers)
	return measured, nil
}

func ownCPU() time.Duration {
	var usage syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &usage) // fails only on a bad pointer or who (getrusage(2))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func (o options) redisBenchmark() error {
	socket, server, err := o.startRedis([]string{"--appendonly", "no"})
	if err != nil {
		return err
	}
	defer server.stop()
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
