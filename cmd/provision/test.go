package main

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"provision/internal/project"
	"provision/internal/recipe"
	"provision/internal/report"
)

// testFlags are what test takes beside the names of tasks.
type testFlags struct {
	run    string // only the tests whose name has this in it
	update bool   // write the golden files
}

func newTest(f *flags, io console) *cobra.Command {
	var t testFlags
	var inLab labTest
	command := &cobra.Command{
		Use:   "test [TASK]...",
		Short: "run the tests of your own tasks; with --lab prove a task on hosts",
		Long: `Runs the tests of the tasks that it names, or of all of your own, on a host that
is modelled: nothing is connected to, and nothing is changed. They are the
functions test_NAME(t) of tasks/NAME/task_test.star, or of tasks/NAME_test.star
beside a task that is one file. Each runs once for every release of Debian,
unless its hosts say theirs. provision list --kinds tells what t has.

What t.golden compares with is in testdata/ beside the test. --update writes it
anew: read what changed, it is what the task does now.

With --lab it proves tasks, your own or those that ship, on a fresh lab host of
each Debian release: a plan changes nothing, an install does what the plan said,
a second run is empty, each restart is announced, nobody else can read a
secret, verify holds and fails when a service is stopped, remove leaves what was
there before, and a run that is killed is made whole by the next. What is wrong
is told with its line. Secrets that nobody gives are made up.`,
		Example: `  provision test
  provision test shop --run restarts
  provision test shop --update
  provision test shop --lab --release trixie`,
		Args: arguments(0, -1),
		RunE: func(command *cobra.Command, args []string) error {
			if err := inLab.check(command.Flags(), f.selection.extra); err != nil {
				return err
			}
			if inLab.lab {
				return f.testInLab(command.Context(), io, args, inLab)
			}
			return f.testOnModel(io, args, t)
		},
	}
	own := command.Flags()
	own.StringVar(&t.run, "run", "", "only tests whose name matches the regular expression `PATTERN`")
	own.BoolVar(&t.update, "update", false, "write the golden files instead of comparing with them")
	inLab.register(own)
	own.BoolVar(&f.output.json, "json", false, "with --lab: NDJSON on stdout, an object for each event")
	return command
}

// testOnModel runs tests, one after the other: each takes milliseconds.
func (f *flags) testOnModel(io console, names []string, t testFlags) error {
	tests, err := f.testsOf(io, names, t)
	if err != nil {
		return err
	}
	began, failed := time.Now(), false
	shown := report.NewTests(io.out, report.Detect(io.out, os.Getenv))
	for _, test := range tests {
		start := time.Now()
		err := test.Run()
		shown.Ended(endedTest(test, err, time.Since(start)))
		failed = failed || err != nil
	}
	if err := shown.Close(time.Since(began)); err != nil {
		return fmt.Errorf("output: %w", err)
	}
	if failed {
		return outcome{exitFailed}
	}
	return nil
}

func endedTest(test *project.Test, err error, took time.Duration) report.Test {
	ended := report.Test{Task: test.Task, Name: test.Name, Took: took}
	if err == nil {
		return ended
	}
	ended.Problem = err.Error()
	var source *recipe.SourceError
	if errors.As(err, &source) {
		ended.Hint = source.Advice
	}
	var differs *project.Difference
	if errors.As(err, &differs) {
		ended.Diff = differs.Text
	}
	return ended
}

// testsOf are the tests that were asked for; none are refused.
func (f *flags) testsOf(io console, names []string, t testFlags) ([]*project.Test, error) {
	wanted, err := regexp.Compile(t.run)
	if err != nil {
		return nil, usage(fmt.Errorf("--run: %w", err), `a regular expression, as --run 'restarts|converges'`)
	}
	own, err := openProject(f.selection.path(), noteOnce(io))
	if err != nil {
		return nil, err
	}
	if err := with(own).areOwn(names); err != nil {
		return nil, err
	}
	tests, err := own.Tests(names, t.update)
	if err != nil {
		return nil, err
	}
	if len(tests) == 0 {
		return nil, usage(errors.New("there are no tests"), "provision new NAME writes a task with its test; docs/your-first-task.md tells more")
	}
	var all []string
	some := slices.DeleteFunc(slices.Clone(tests), func(test *project.Test) bool {
		all = append(all, test.Name)
		return !wanted.MatchString(test.Name)
	})
	if len(some) == 0 {
		hint := fmt.Sprintf("there are %d: %s, …", len(all), all[0])
		if near := recipe.Nearest(t.run, all); near != "" {
			hint = "did you mean --run " + near + "?"
		}
		return nil, usage(fmt.Errorf("--run %s: no test has such a name", t.run), hint)
	}
	return some, nil
}

// areOwn refuses names that are of no task of the project.
func (c catalogue) areOwn(names []string) error {
	if _, err := c.find(names); err != nil {
		return err
	}
	own := c.own().names()
	for _, name := range names {
		if !slices.Contains(own, name) {
			return usage(fmt.Errorf("%s: ships with provision, and is tested there", name), "provision test runs the tests of your own tasks")
		}
	}
	return nil
}
