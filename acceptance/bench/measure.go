package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"provision/internal/lab"
)

// cost is what one command cost.
type cost struct {
	wall, cpu time.Duration // of the command on this machine
	memory    int64         // bytes, at the most
	up, down  int64         // bytes through the relay
	turns     int64         // how often this side spoke there after it had heard something
	processes int           // started on the host, threads among them
}

// run runs a command to its end, with nothing on its standard input.
func (s setup) run(ctx context.Context, args []string) (cost, error) {
	return s.feed(ctx, args, "")
}

func (s setup) feed(ctx context.Context, args []string, input string) (cost, error) {
	c := exec.CommandContext(ctx, args[0], args[1:]...)
	c.Dir = s.dir
	c.Env = append(os.Environ(), "HOME="+s.dir, "SSH_AUTH_SOCK=")
	var output bytes.Buffer
	c.Stdin, c.Stdout, c.Stderr = strings.NewReader(input), &output, &output
	began := time.Now()
	err := c.Run()
	wall := time.Since(began)
	if err != nil {
		return cost{}, fmt.Errorf("%s: %w\n%s", args[0], err, output.String())
	}
	usage := c.ProcessState.SysUsage().(*syscall.Rusage)
	return cost{wall: wall, cpu: c.ProcessState.UserTime() + c.ProcessState.SystemTime(), memory: usage.Maxrss << 10}, nil
}

// through runs a command that connects through a relay, several times, and returns the
// median of each figure. The first run, which warms caches up, does not count.
func (s setup) through(ctx context.Context, delay time.Duration, runs int, make func(config string) ([]string, error)) (cost, error) {
	var all []cost
	for i := range runs + 1 {
		one, err := s.once(ctx, delay, make)
		if err != nil {
			return cost{}, err
		}
		if i > 0 {
			all = append(all, one)
		}
	}
	return median(all), nil
}

func (s setup) once(ctx context.Context, delay time.Duration, make func(config string) ([]string, error)) (cost, error) {
	relay, err := lab.NewRelay(s.host.Address.String()+":22", delay/2)
	if err != nil {
		return cost{}, err
	}
	defer relay.Close()
	config, err := s.sshConfig(relay.Address())
	if err != nil {
		return cost{}, err
	}
	before, err := s.lastPID()
	if err != nil {
		return cost{}, err
	}
	args, err := make(config)
	if err != nil {
		return cost{}, err
	}
	one, err := s.run(ctx, args)
	if err != nil {
		return cost{}, err
	}
	time.Sleep(200 * time.Millisecond) // sshd's own processes end after the client has
	after, err := s.lastPID()
	if err != nil {
		return cost{}, err
	}
	one.processes = after - before - 1 // the second look took a number too
	one.up, one.down = relay.Bytes()
	one.turns = relay.RoundTrips() + 1 // and TCP's own, which the relay answers
	return one, nil
}

// sshConfig makes the host's address lead through the relay, for ssh and for provision.
func (s setup) sshConfig(relay string) (string, error) {
	host, port, _ := strings.Cut(relay, ":")
	config := s.dir + "/ssh_config"
	text := fmt.Sprintf("Host %s\n  HostName %s\n  Port %s\n  User root\n  IdentityFile %s\n  IdentitiesOnly yes\n  HostKeyAlias %s\n  UserKnownHostsFile %s\n  GlobalKnownHostsFile none\n",
		s.host.Address, host, port, s.lab.Identity(), s.host.Address, s.lab.KnownHosts())
	return config, os.WriteFile(config, []byte(text), 0o600)
}

// lastPID returns the number that the host's newest process got: numbers are given in
// order in each pid namespace (pid_namespaces(7), ns_last_pid).
func (s setup) lastPID() (int, error) {
	leader, err := s.host.Leader()
	if err != nil {
		return 0, err
	}
	output, err := exec.Command("nsenter", "-t", fmt.Sprint(leader), "-p", "-m", "cat", "/proc/sys/kernel/ns_last_pid").Output()
	if err != nil {
		return 0, fmt.Errorf("ns_last_pid: %w", err)
	}
	return strconv.Atoi(strings.TrimSpace(string(output)))
}

func median(all []cost) cost {
	return cost{
		wall: middle(all, func(c cost) time.Duration { return c.wall }), cpu: middle(all, func(c cost) time.Duration { return c.cpu }),
		memory: middle(all, func(c cost) int64 { return c.memory }), up: middle(all, func(c cost) int64 { return c.up }),
		down: middle(all, func(c cost) int64 { return c.down }), turns: middle(all, func(c cost) int64 { return c.turns }), processes: middle(all, func(c cost) int { return c.processes }),
	}
}

func middle[T int | int64 | time.Duration](all []cost, figure func(cost) T) T {
	var figures []T
	for _, one := range all {
		figures = append(figures, figure(one))
	}
	slices.Sort(figures)
	return figures[len(figures)/2]
}
