package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/pflag"

	"provision/internal/engine"
	"provision/internal/report"
)

// unattended is for a run at which nobody looks, as from cron or CI: a log of it, and somebody is told when it
// did not end well.
type unattended struct {
	log       string
	onFailure string
}

func (u *unattended) flags() *pflag.FlagSet {
	f := newFlagSet()
	f.StringVar(&u.log, "log", "", "append every event to a `FILE`, as --json has them (or $PROVISION_LOG)")
	f.StringVar(&u.onFailure, "on-failure", "", "what sh runs when the exit code is not 0, with what is wrong on its standard input: a `COMMAND` (or $PROVISION_ON_FAILURE)")
	return f
}

// logTo returns who writes the log of a run with these secrets, nil where none is wanted, and what closes it.
func (u unattended) logTo(secrets []string, exitCode func(engine.Status) int) (log *report.JSON, done func() error, err error) {
	path := cmp.Or(u.log, os.Getenv("PROVISION_LOG"))
	if path == "" {
		return nil, func() error { return nil }, nil
	}
	// Diffs show configurations. A FIFO that nobody reads is refused: to open it would never end (fifo(7)).
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY|syscall.O_NONBLOCK, 0o600)
	if err != nil {
		return nil, nil, usage(fmt.Errorf("--log %w", err), "a file in a directory that is there, and that you may write")
	}
	log = report.NewJSON(file, secrets, exitCode)
	return log, func() error { return errors.Join(log.Close(), file.Close()) }, nil
}

// patience is how long the command of --on-failure may take.
const patience = time.Minute

// errSlow says that it took longer.
var errSlow = fmt.Errorf("was ended after %s", patience)

// tell runs the command of --on-failure, if there is one, with a message on its standard input. Nothing of the
// message is in its words: what a host says is run by nobody.
func (u unattended) tell(io console, message string, code int) error {
	// A context of its own: the run may have been interrupted. From here on a Ctrl-C is the command's end.
	interrupted, done := signal.NotifyContext(context.Background(), ending()...)
	defer done()
	ctx, cancel := context.WithTimeoutCause(interrupted, patience, errSlow)
	defer cancel()
	err := u.tellWithin(ctx, io, message, code)
	if interrupted.Err() != nil {
		return fmt.Errorf("--on-failure: %w", errInterrupted)
	}
	return err
}

func (u unattended) tellWithin(ctx context.Context, io console, message string, code int) error {
	words := cmp.Or(u.onFailure, os.Getenv("PROVISION_ON_FAILURE"))
	if words == "" || code == exitGood {
		return nil
	}
	command := exec.CommandContext(ctx, "/bin/sh", "-c", words)
	command.Stdin, command.Stdout, command.Stderr = strings.NewReader(message), io.err, io.err
	command.Env = append(os.Environ(), fmt.Sprintf("PROVISION_EXIT_CODE=%d", code))
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // to be ended with all that it starts
	command.Cancel = func() error { return syscall.Kill(-command.Process.Pid, syscall.SIGKILL) }
	command.WaitDelay = time.Second
	err := command.Run()
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		return fmt.Errorf("--on-failure: %w", err)
	}
	return nil
}

// tellOfRun tells of a run that did not end well, and of what was amiss beside the work on hosts.
func (f *flags) tellOfRun(io console, ended report.PastRun, amiss []error, again string, secrets []string) error {
	var text bytes.Buffer
	_ = report.Message(&text, ended, whoami(), amiss, again) // a buffer takes everything
	return f.unattended.tell(io, report.NewMasker(secrets).Mask(text.String()), ended.ExitCode)
}

// tellProblem tells, and logs, what went wrong before any host was asked, and returns the exit code. Of a run the
// run has told.
func (f *flags) tellProblem(io console, args []string, problem error, code int) int {
	var told outcome
	if problem == nil || errors.As(problem, &told) || f.typed.verb != nil && !f.typed.onHosts {
		return code
	}
	log, done, err := f.unattended.logTo(nil, nil)
	if err == nil && log != nil {
		log.Problem(problem, hintOf(problem), code)
		err = done()
	}
	verb := "provision"
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		verb += " " + args[0]
	}
	message := fmt.Sprintf("%s: exit code %d\nat %s, by %s\n\n%v\n", verb, code, time.Now().Format(time.RFC3339), whoami(), problem)
	if hint := hintOf(problem); hint != "" {
		message += "hint: " + hint + "\n"
	}
	if err := errors.Join(err, f.unattended.tell(io, report.Sanitize(message), code)); err != nil {
		code = foremost(code, codeBeside(err))
		report.Problem(io.err, report.Detect(io.err, os.Getenv), err, "")
	}
	return code
}
