package main

import (
	"context"
	"fmt"
	"os"
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
		make func(config string) []string
	}{
		{"provision install", func(config string) []string {
			return []string{s.provision, "install", "graphite", "-y", "-q", "-F", config, "-H", address}
		}},
		{"ssh, script by hand", func(config string) []string { return []string{"ssh", "-F", config, address, check} }},
		{"ssh true", func(config string) []string { return []string{"ssh", "-F", config, address, "true"} }},
	}
	fmt.Printf("A converged graphite host (%s), the median of %d runs. Round trips: wall time at %s less wall time at 0, over %s.\n\n", s.host.Suite, runs, roundTrip, roundTrip)
	table := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(table, "\tround trips\twall at 0\twall at %s\tCPU here\tmemory here\tbytes up\tbytes down\tprocesses there\t\n", roundTrip)
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
		fmt.Fprintf(table, "%s\t%.1f\t%d ms\t%d ms\t%d ms\t%.1f MB\t%d\t%d\t%d\t\n", row.name,
			float64(away.wall-near.wall)/float64(roundTrip), near.wall.Milliseconds(), away.wall.Milliseconds(), near.cpu.Milliseconds(),
			float64(max(near.memory, away.memory))/1e6, near.up, near.down, near.processes)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	fmt.Printf("\nAt %s provision takes %.2f times as long as the script by hand, %.2f times as long as ssh true.\n\n",
		roundTrip, ratio(far[0].wall, far[1].wall), ratio(far[0].wall, far[2].wall))
	return nil
}

// firstInstalls measures installs on fresh hosts with all packages in apt's cache, in turn.
func (s setup) firstInstalls(ctx context.Context, w wanted, installs int) error {
	script, err := s.typed(w) // reads the converged host, before it is thrown away
	if err != nil {
		return err
	}
	var provisioned, typed []time.Duration
	for range installs {
		for _, way := range []struct {
			times *[]time.Duration
			args  []string
			input string
		}{{&provisioned, s.install(), ""}, {&typed, s.ssh("sh -s"), script}} {
			if s.host, err = s.lab.Fresh(ctx, hostName, ""); err != nil {
				return err
			}
			one, err := s.feed(ctx, way.args, way.input)
			if err != nil {
				return err
			}
			*way.times = append(*way.times, one.wall)
		}
	}
	fmt.Printf("First install on a fresh host, packages in apt's cache, %d times in turn:\n\n", installs)
	table := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(table, "\tmedian\tleast\tmost\t\n")
	for _, row := range []struct {
		name  string
		times []time.Duration
	}{{"provision install, with its verify", provisioned}, {"typed by hand, over ssh", typed}} {
		slices.Sort(row.times)
		fmt.Fprintf(table, "%s\t%.1f s\t%.1f s\t%.1f s\t\n", row.name, row.times[len(row.times)/2].Seconds(), row.times[0].Seconds(), row.times[len(row.times)-1].Seconds())
	}
	if err := table.Flush(); err != nil {
		return err
	}
	middle := installs / 2
	fmt.Printf("\nprovision takes %.2f times as long as by hand (of the least: %.2f).\n", ratio(provisioned[middle], typed[middle]), ratio(provisioned[0], typed[0]))
	return nil
}

func ratio(a, b time.Duration) float64 { return float64(a) / float64(b) }
