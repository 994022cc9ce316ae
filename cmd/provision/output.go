package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/pflag"
	"golang.org/x/term"

	"provision/internal/engine"
	"provision/internal/report"
	"provision/internal/run"
)

// output says what is printed, and how.
type output struct {
	json    bool
	quiet   bool
	verbose count
}

func (o *output) flags() *pflag.FlagSet {
	f := newFlagSet()
	f.BoolVar(&o.json, "json", false, "NDJSON on stdout, an object for each event")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "only errors and the summary")
	f.VarPF(&o.verbose, "verbose", "v", "say more: -v steps, -vv their output, -vvv everything").NoOptDefVal = "true"
	return f
}

// reporter shows events: to a person, or to a program.
type reporter interface {
	Event(engine.HostEvent)
	Summary(again string, exitCode int)
	Close() error
}

// reporter returns who shows this run's events. Secrets are masked by value. What was asked
// for, a plan or the output of exec, goes to standard output; the rest to standard error. The
// plans that somebody is asked about wait until they can be read page by page.
func (o output) reporter(io console, e errand) (shown reporter, waiting *bytes.Buffer) {
	waiting = &bytes.Buffer{}
	if o.json {
		return report.NewJSON(io.out, e.secrets, func(status engine.Status) int { return codeOf(status, e.pendingCode()) }), waiting
	}
	options := report.Detect(io.err, os.Getenv)
	options.Secrets, options.Plan, options.Asked, options.Verbosity = e.secrets, e.plan, e.asks, int(o.verbose)
	for _, w := range e.work {
		options.Hosts = append(options.Hosts, w.Target.Name)
	}
	if o.quiet {
		options.Verbosity = -1
	}
	terminal := report.NewTerminal(io.err, options)
	answers := report.Detect(io.out, os.Getenv)
	if e.asks && io.pages() {
		terminal.AnswerTo(waiting, answers)
	} else {
		terminal.AnswerTo(io.out, answers)
	}
	if e.drift {
		return report.NewDrift(terminal), waiting
	}
	return terminal, waiting
}

// suspend takes a reporter's live area away while a person is asked something.
func suspend(shown reporter) (resume func()) {
	if live, ok := shown.(interface{ Suspend() func() }); ok {
		return live.Suspend()
	}
	return func() {}
}

// makeRoom suspends the live area around everything that a connection says or asks.
func makeRoom(e errand, shown reporter) {
	for i := range e.work {
		config := &e.work[i].Target.Config
		*config = config.Asking(func() func() { return suspend(shown) })
		if warn := config.Warn; warn != nil {
			config.Warn = func(message string) {
				defer suspend(shown)()
				warn(message)
			}
		}
	}
}

// besides does what was asked for beside the work on hosts, and returns what went wrong: what was found is sent
// where it is wanted, and the log and what was shown have come to their ends.
func (f *flags) besides(ctx context.Context, e errand, results []run.Result, log *report.JSON, logged func() error, closed error) []error {
	var amiss []error
	if e.deliver != nil {
		if err := e.deliver(ctx, results); err != nil {
			amiss = append(amiss, err)
			if log != nil {
				log.Problem(err, hintOf(err), foremost(worst(results, e.pendingCode()), codeBeside(err)))
			}
		}
	}
	if err := logged(); err != nil {
		amiss = append(amiss, fmt.Errorf("--log: %w", err))
	}
	if closed != nil && !readerGone(closed) {
		amiss = append(amiss, fmt.Errorf("output: %w", closed))
	}
	return amiss
}

// codeBeside is the code of what went wrong beside the work on hosts.
func codeBeside(err error) int {
	if errors.Is(err, context.Canceled) { // Ctrl-C, as errInterrupted too
		return exitInterrupted
	}
	return exitUsage
}

// complain tells what went wrong beside the work on hosts, and returns the exit code.
func (f *flags) complain(io console, code int, all ...error) int {
	for _, err := range all {
		if err != nil {
			code = foremost(code, codeBeside(err))
			teller{io, f.output.json}.complain(err, code)
		}
	}
	return code
}

// confirm decides whether the changes that were planned are made, once all that waits to be read is shown, page by
// page; nil is yes.
func (e errand) confirm(io console, shown reporter, waiting *bytes.Buffer, stop <-chan struct{}) func() bool {
	if e.agree == nil {
		return nil
	}
	return func() bool {
		if several, ok := shown.(interface{ TellPlans() }); ok {
			several.TellPlans()
		}
		defer suspend(shown)()
		io.page(waiting.String())
		waiting.Reset()
		return e.agree(stop)
	}
}

// show runs an errand, shows what happens, and returns the exit code as an error. That tells
// of the hosts, also when nobody reads what is shown any more.
func (f *flags) show(ctx context.Context, io console, e errand, settings run.Settings, do run.Verb) ([]run.Result, error) {
	if err := f.run.validate(); err != nil {
		return nil, err
	}
	log, logged, err := f.unattended.logTo(e.secrets, func(status engine.Status) int { return codeOf(status, e.pendingCode()) })
	if err != nil {
		return nil, err
	}
	shown, waiting := f.output.reporter(io, e)
	makeRoom(e, shown)
	outliveReaders()
	ctx, stop, done := stopOnSignals(ctx)
	defer done()
	settings.Confirm, settings.Stop = e.confirm(io, shown, waiting, stop), stop
	recorder := report.NewRecorder(whoami(), version(), e.secrets, time.Now)
	settings.Observe = func(event engine.HostEvent) {
		shown.Event(event)
		recorder.Event(event)
		if log != nil {
			log.Event(event)
		}
	}
	settings.Forks, settings.Pace = int(f.run.forks), f.run.pace.Pace
	settings.Last, settings.Exporters = f.lastSaid(e), e.exports
	began := time.Now()
	defer f.beginRun(e, began)()
	results, err := do(ctx, e.work, settings)
	if err != nil {
		return nil, errors.Join(err, shown.Close())
	}
	closed := shown.Close()
	_, _ = waiting.WriteTo(io.out) // of a run that ended before the question
	code := worst(results, e.pendingCode())
	ended := f.ended(e, began, results, code)
	again, told := f.again(e, ended)
	if f.output.json || !term.IsTerminal(int(io.err.Fd())) { // cron makes a mail of it
		again = told
	}
	shown.Summary(again, code)
	if log != nil {
		log.Summary(told, code)
	}
	amiss := f.besides(ctx, e, results, log, logged, closed)
	code = f.complain(io, code, amiss...)
	ended.ExitCode = code
	f.keepRun(io, ended, recorder)
	code = f.complain(io, code, f.tellOfRun(io, ended, amiss, told, e.secrets))
	if code != exitGood {
		return results, outcome{code}
	}
	return results, nil
}
