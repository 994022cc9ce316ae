// Command bench measures what provision costs on a lab host, beside `ssh HOST true`, a
// shell script that checks the same states, and a first install typed by hand; what one's own
// tasks cost, beside the same in Go, sha256sum and tar; what thousands of simulated hosts cost,
// beside bare handshakes (-of fleet), and a few lab hosts, beside Ansible and Fabric (-of peers);
// and prints tables of the figures. It needs root, on Debian.
//
//	go run ./acceptance/bench [-of graphite|own|fleet|peers] [-installs 3] [-runs 5] [-suite bookworm]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"time"

	"provision/internal/lab"
	"provision/internal/lab/labtest"
)

// hostName is the bench's host in the lab for tests.
const hostName = "labbench1"

// roundTrip is the time of one round trip of the far-away host that the relay makes.
const roundTrip = 100 * time.Millisecond

var packages = []string{
	"graphite-web", "graphite-carbon", "uwsgi-core", "uwsgi-plugin-python3", "nginx-light", "logrotate", "openssl", "redis-server",
}

func main() {
	runs := flag.Int("runs", 5, "how often each thing is measured on a converged host; the median counts")
	installs := flag.Int("installs", 3, "first installs of each sort, on fresh hosts, in turn")
	of := flag.String("of", "", "measure only this: graphite, own (tasks), fleet, or peers")
	targets := flag.Int("targets", 1, "of peers: hosts")
	only := flag.String("only", "", "of peers: those whose name has this")
	atOnce := flag.Int("f", 30, "of a fleet: hosts at once")
	serves := flag.Bool("serve", false, "be simulated hosts; what follows is the command that runs another on a real one")
	handshakes := flag.String("handshakes", "", "make bare handshakes: HOSTS,AT_ONCE,PORT,IDENTITY")
	exchange := flag.Bool("exchange", false, "of handshakes: have each host asked what it was asked last")
	suite := flag.String("suite", lab.DefaultSuite, "Debian release of the host")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	mine, err := part(ctx, *serves, *handshakes, *exchange)
	if !mine {
		err = bench(ctx, options{*of, *only, *suite, *runs, *installs, *atOnce, *targets})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1)
	}
}

// setup is a fresh host and how to reach it.
type setup struct {
	lab       *lab.Lab
	host      lab.Host
	dir       string // for what the bench writes here
	provision string // path of the command
}

// options say what is measured, and how.
type options struct {
	of, only, suite                 string
	runs, installs, atOnce, targets int
}

func bench(ctx context.Context, o options) (err error) {
	config := labtest.Config()
	config.Progress = func(line string) { fmt.Fprintln(os.Stderr, line) }
	l, err := lab.Open(config)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "provision-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if o.of == "peers" {
		return peers(ctx, l, o.targets, o.runs, o.only)
	}
	if err := l.Seed(ctx, o.suite, packages); err != nil {
		return err
	}
	s := setup{lab: l, dir: dir, provision: filepath.Join(dir, "provision")}
	if output, err := exec.CommandContext(ctx, "go", "build", "-o", s.provision, "provision/cmd/provision").CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, output)
	}
	hosts, err := l.Up(ctx, []string{hostName}, o.suite)
	if err != nil {
		return err
	}
	s.host = hosts[0]
	defer func() { err = errors.Join(err, l.Remove(context.Background(), hostName)) }()
	if o.of == "fleet" {
		return s.fleet(ctx, o.runs, o.atOnce)
	}
	if o.of != "graphite" {
		if err := s.ownTasks(ctx, o.runs); err != nil {
			return err
		}
	}
	if o.of == "own" {
		return nil
	}
	if s.host, err = l.Fresh(ctx, hostName, o.suite); err != nil {
		return err
	}
	return s.graphite(ctx, o.runs, o.installs)
}

func (s setup) graphite(ctx context.Context, runs, installs int) error {
	if _, err := s.run(ctx, s.install()); err != nil {
		return err
	}
	wanted, err := s.wanted(ctx)
	if err != nil {
		return err
	}
	if err := s.converged(ctx, wanted, runs); err != nil {
		return err
	}
	if installs == 0 {
		return nil
	}
	return s.firstInstalls(ctx, wanted, installs)
}

// install is the command line of an install on the host, without the relay.
func (s setup) install() []string {
	return append([]string{s.provision, "install", "graphite"}, s.reach()...)
}

// ssh is the command line of a script on the host, without the relay.
func (s setup) ssh(script string) []string {
	return []string{"ssh", "-F", "none", "-i", s.lab.Identity(), "-o", "UserKnownHostsFile=" + s.lab.KnownHosts(),
		"root@" + s.host.Address.String(), script}
}
