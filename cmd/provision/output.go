package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"provision/internal/engine"
	"provision/internal/report"
	"provision/internal/run"
)

// output says what is printed, and how.
type output struct {
	json    bool
	quiet   bool
	verbose int
}

func (o *output) register(root *cobra.Command) {
	f := root.PersistentFlags()
	f.BoolVar(&o.json, "json", false, "NDJSON on stdout, an object for each event")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "only errors and the summary")
	f.CountVarP(&o.verbose, "verbose", "v", "say more: -v steps, -vv their output, -vvv everything")
}

// reporter shows events: to a person, or to a program.
type reporter interface {
	Event(engine.HostEvent)
	Summary(again string)
	Close() error
}

// reporter returns who shows this run's events. Secrets are masked by value. What was asked
// for, a plan or the output of exec, goes to standard output; the rest to standard error.
func (o output) reporter(io console, work []run.Work, plan bool) reporter {
	var secrets, hosts []string
	for _, w := range work {
		secrets = append(secrets, w.Blueprint.Secrets()...)
		hosts = append(hosts, w.Target.Name)
	}
	if o.json {
		return report.NewJSON(io.out, secrets)
	}
	options := report.Detect(io.err, os.Getenv)
	options.Secrets, options.Hosts, options.Plan = secrets, hosts, plan
	options.Verbosity = o.verbose
	if o.quiet {
		options.Verbosity = -1
	}
	terminal := report.NewTerminal(io.err, options)
	terminal.AnswerTo(io.out, report.Detect(io.out, os.Getenv))
	return terminal
}

// suspend takes a reporter's live area away while a person is asked something.
func suspend(shown reporter) (resume func()) {
	if live, ok := shown.(interface{ Suspend() func() }); ok {
		return live.Suspend()
	}
	return func() {}
}

// doer is what is done to hosts: run.Plan, run.Install, run.Verify …
type doer func(context.Context, []run.Work, run.Settings) ([]run.Result, error)

// show runs work on hosts, shows what happens, and returns the exit code as an error. The
// first Ctrl-C stops every host between two steps, the second at once.
func (f *flags) show(ctx context.Context, io console, work []run.Work, settings run.Settings,
	do doer) ([]run.Result, error) {
	if err := f.run.validate(); err != nil {
		return nil, err
	}
	shown := f.output.reporter(io, work, settings.Confirm == nil)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := make(chan struct{})
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)
	go func() {
		for range 2 {
			select {
			case <-ctx.Done():
				return
			case <-signals:
			}
			select {
			case <-stop:
				cancel()
			default:
				close(stop)
			}
		}
	}()
	if confirm := settings.Confirm; confirm != nil {
		settings.Confirm = func() bool {
			defer suspend(shown)()
			return confirm()
		}
	}
	settings.Stop = stop
	settings.Observe = shown.Event
	if settings.Forks == 0 {
		settings.Forks = f.run.forks
	}
	results, err := do(ctx, work, settings)
	if err != nil {
		return nil, errors.Join(err, shown.Close())
	}
	closed := shown.Close()
	shown.Summary(again(results))
	if closed != nil {
		return results, fmt.Errorf("output: %w", closed)
	}
	if code := worst(results); code != exitGood {
		return results, outcome{code}
	}
	return results, nil
}

// again returns the command to run just the hosts that did not end well once more: this
// one, with other hosts.
func again(results []run.Result) string {
	var failed []string
	for _, result := range results {
		if codeOf(result.Status) != exitGood {
			failed = append(failed, result.Host)
		}
	}
	if len(failed) == 0 || len(failed) == len(results) {
		return ""
	}
	return rewrite(os.Args[1:], failed)
}

// rewrite replaces the hosts of a command line.
func rewrite(args, hosts []string) string {
	words := []string{"provision"}
	option := "-H"
	for i := 0; i < len(args); i++ {
		name, _, joined := strings.Cut(args[i], "=")
		switch {
		case name == "-H" || name == "--hosts" || name == "-l" || name == "--limit":
			if strings.Contains(name, "l") && name != "--hosts" {
				option = "-l"
			}
			if !joined {
				i++
			}
		case strings.HasPrefix(args[i], "-H") || strings.HasPrefix(args[i], "-l"):
			option = args[i][:2]
		default:
			words = append(words, args[i])
		}
	}
	return strings.Join(append(words, option, strings.Join(hosts, ",")), " ")
}

// errNoConfirmation says that there are changes to make and nobody to ask.
var errNoConfirmation = errors.New("there are changes to make, and no terminal to ask on")
