package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"text/tabwriter"
	"time"
)

// converged measures what a converged host costs, near and far away.
func (s setup) converged(ctx context.Context, w wanted, runs int) error {
	check, err := s.check(w)
	if err != nil {
		return err
	}
	address := s.host.Address.String()
	rows := []struct {
		name string
		make func(config string) ([]string, error)
	}{
		{"provision install", s.far},
		{"ssh, script by hand", func(config string) ([]string, error) { return []string{"ssh", "-F", config, address, check}, nil }},
		{"ssh true", func(config string) ([]string, error) { return []string{"ssh", "-F", config, address, "true"}, nil }},
		{"provision, one file changed", s.differs},
	}
	fmt.Printf("A converged graphite host (%s), the median of %d runs. Round trips: wall time at %s less wall time at 0, over %s. Turns: how often this side spoke after it had heard something.\n\n", s.host.Suite, runs, roundTrip, roundTrip)
	table := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(table, "\tround trips\tturns\twall at 0\twall at %s\tCPU here\tmemory here\tbytes up\tbytes down\tprocesses there\t\n", roundTrip)
	var far []cost
	for _, row := range rows {
		near, err := s.through(ctx, 0, runs, row.make)
		if err != nil {
			return fmt.Errorf("%s: %w", row.name, err)
		}
		away, err := s.through(ctx, roundTrip, runs, row.make)
		if err != nil {
			return fmt.Errorf("%s: %w", row.name, err)
		}
		far = append(far, away)
		fmt.Fprintf(table, "%s\t%.1f\t%d\t%d ms\t%d ms\t%d ms\t%.1f MB\t%d\t%d\t%d\t\n", row.name,
			float64(away.wall-near.wall)/float64(roundTrip), away.turns, near.wall.Milliseconds(), away.wall.Milliseconds(), near.cpu.Milliseconds(),
			float64(max(near.memory, away.memory))/1e6, near.up, near.down, near.processes)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	fmt.Printf("\nAt %s provision takes %.2f times as long as the script by hand, %.2f times as long as ssh true.\n\n",
		roundTrip, ratio(far[0].wall, far[1].wall), ratio(far[0].wall, far[2].wall))
	return nil
}

// far is the command line of an install through the relay.
func (s setup) far(config string) ([]string, error) {
	return []string{s.provision, "install", "graphite", "-y", "-q", "-F", config, "-H", s.host.Address.String()}, nil
}

// changed is a file that a service has to be restarted for.
const changed = "/etc/carbon/carbon.conf"

// differs makes that file another than it should be, and returns the command line of the install
// that puts it right.
func (s setup) differs(config string) ([]string, error) {
	file, err := os.OpenFile(filepath.Join(s.host.Root(), changed), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	if _, err := fmt.Fprintln(file, "# another"); err != nil {
		return nil, err
	}
	if err := file.Close(); err != nil {
		return nil, err
	}
	return s.far(config)
}

// firstTurns counts the turns of a first install, which no clock tells beside apt's.
func (s setup) firstTurns(ctx context.Context) error {
	var err error
	if s.host, err = s.lab.Fresh(ctx, hostName, ""); err != nil {
		return err
	}
	one, err := s.once(ctx, roundTrip, s.far)
	if err != nil {
		return err
	}
	fmt.Printf("\nA first install takes %d turns.\n", one.turns)
	return nil
}

// firstInstalls measures installs on fresh hosts with all packages in apt's cache, in turn.
func (s setup) firstInstalls(ctx context.Context, w wanted, installs int) error {
	script, err := s.typed(w) // reads the converged host, before it is thrown away
	if err != nil {
		return err
	}
	ways := []struct {
		name      string
		args      func() []string // the host's address stays, and so does all else
		input     string
		wall, cpu []time.Duration
	}{
		{name: "provision install, with its verify", args: s.install},
		{name: "typed by hand, over ssh", args: func() []string { return s.ssh("sh -s") }, input: script},
	}
	for range installs {
		for i := range ways {
			way := &ways[i]
			if s.host, err = s.lab.Fresh(ctx, hostName, ""); err != nil {
				return err
			}
			before, err := s.host.CPU()
			if err != nil {
				return err
			}
			one, err := s.feed(ctx, way.args(), way.input)
			if err != nil {
				return err
			}
			after, err := s.host.CPU()
			if err != nil {
				return err
			}
			way.wall, way.cpu = append(way.wall, one.wall), append(way.cpu, after-before+one.cpu)
		}
	}
	fmt.Printf("First install on a fresh host, packages in apt's cache, %d times in turn. CPU: of the host and here.\n\n", installs)
	table := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(table, "\twall, median\tleast\tmost\tCPU, median\tleast\tmost\t\n")
	for _, way := range ways {
		fmt.Fprintf(table, "%s\t%s\t%s\t\n", way.name, spread(way.wall), spread(way.cpu))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	middle := installs / 2
	fmt.Printf("\nprovision takes %.2f times the wall time and %.2f times the CPU time of the one by hand.\n",
		ratio(ways[0].wall[middle], ways[1].wall[middle]), ratio(ways[0].cpu[middle], ways[1].cpu[middle]))
	return s.firstTurns(ctx)
}

// spread sorts times and writes their median, least and most as cells of the table.
func spread(times []time.Duration) string {
	slices.Sort(times)
	return fmt.Sprintf("%.1f s\t%.1f s\t%.1f s", times[len(times)/2].Seconds(), times[0].Seconds(), times[len(times)-1].Seconds())
}

func ratio(a, b time.Duration) float64 { return float64(a) / float64(b) }
