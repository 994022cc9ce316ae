package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"provision/internal/engine"
	"provision/internal/inventory"
	"provision/internal/lab"
	"provision/internal/project"
	"provision/internal/recipe"
	"provision/internal/report"
	"provision/internal/run"
	"provision/internal/script"
)

// The exit codes. Which counts where several apply, foremost says.
const (
	exitGood         = 0
	exitUsage        = 1 // wrong usage, an internal error, or what was asked for beside the hosts' work was not done
	exitPending      = 2 // drift, and plan --detailed-exitcode: there are changes
	exitFailed       = 3 // a host failed: a step, a check, a command
	exitUnreachable  = 4
	exitLocked       = 5 // locked, or a stale plan
	exitNotConverged = 6
	exitInterrupted  = 130
)

// foremost is the exit code of several that apply: the first of them in this order, which is that of the table
// in docs/reference.md.
func foremost(codes ...int) int {
	for _, first := range []int{exitInterrupted, exitUsage, exitFailed, exitNotConverged, exitLocked, exitUnreachable, exitPending} {
		if slices.Contains(codes, first) {
			return first
		}
	}
	return exitGood
}

// hinted is an error with the command to type next.
type hinted struct {
	error
	hint string
}

func (h hinted) Unwrap() error { return h.error }

// Hint is what to type next.
func (h hinted) Hint() string { return h.hint }

// usage is an error of whoever typed the command, with what to type instead.
func usage(err error, hint string) error { return hinted{err, hint} }

// outcome is the end of a run over hosts that was reported host by host: there is nothing
// left to print, only a code to exit with.
type outcome struct{ code int }

func (o outcome) Error() string { return fmt.Sprintf("exit code %d", o.code) }

// exitCode tells an error that nobody has told yet, and returns the code.
func exitCode(err error, told teller) int {
	var end outcome
	switch {
	case err == nil:
		return exitGood
	case errors.As(err, &end):
		return end.code
	}
	code := exitUsage
	switch {
	case errors.Is(err, errInterrupted):
		code = exitInterrupted
	case errors.Is(err, engine.ErrStale):
		code = exitLocked
	}
	told.complain(err, code)
	return code
}

// teller tells what is wrong: people on standard error, or a program on standard output.
type teller struct {
	console
	json bool
}

// complain tells an error with its hint; of an inventory each one with its own.
func (t teller) complain(err error, code int) {
	all := problems(err)
	if t.json {
		lines := report.NewJSON(t.out, nil, nil)
		for _, one := range all {
			lines.Problem(one, hintOf(one), code)
		}
		return
	}
	options := report.Detect(t.err, os.Getenv)
	for _, one := range all[:min(len(all), inventory.ShownErrors)] {
		report.Problem(t.err, options, one, hintOf(one))
	}
	if more := len(all) - inventory.ShownErrors; more > 0 {
		fmt.Fprintf(t.err, "and %d more\n", more)
	}
}

// problems are an error, or those that it is made of. Of one with a place in a task's source
// that place is told first.
func problems(err error) []error {
	var several inventory.Errors
	var tasks project.Errors
	var source *recipe.SourceError
	switch {
	case errors.As(err, &several):
		return several.Unwrap()
	case errors.As(err, &tasks):
		return tasks.Unwrap()
	case errors.As(err, &source) && source.At.File != "":
		return []error{source}
	}
	return []error{err}
}

// hintOf is what to type next after an error that no host made.
func hintOf(err error) string {
	if hint := run.Hint(err, ""); hint != "" {
		return hint
	}
	if errors.Is(err, lab.ErrNoHost) {
		return "provision lab list"
	}
	var file *fs.PathError
	if errors.As(err, &file) {
		return fmt.Sprintf("%v: ls -ld %s", file.Err, script.Quote(file.Path))
	}
	return ""
}

// codeOf returns the code for one host's end; pending is that of changes that were not made.
func codeOf(status engine.Status, pending int) int {
	switch status {
	case engine.StatusPending:
		return pending
	case engine.StatusNotBegun:
		return exitPending
	case engine.StatusInterrupted:
		return exitInterrupted
	case engine.StatusRefused:
		return exitUsage
	case engine.StatusFailed:
		return exitFailed
	case engine.StatusNotConverged:
		return exitNotConverged
	case engine.StatusLocked, engine.StatusStale:
		return exitLocked
	case engine.StatusUnreachable:
		return exitUnreachable
	}
	return exitGood
}

// worst returns the code for all hosts.
func worst(results []run.Result, pending int) int {
	code := exitGood
	for _, result := range results {
		code = foremost(code, codeOf(result.Status, pending))
	}
	return code
}
