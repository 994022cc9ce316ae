package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"time"

	"github.com/spf13/cobra"

	"provision/internal/journal"
	"provision/internal/run"
)

// runFlags say how a run goes.
type runFlags struct {
	forks       number
	check       bool
	detailed    bool // changes have an exit code of their own
	upgrade     bool
	yes         bool
	lockTimeout time.Duration
	pace        paceFlags

	takeOver bool // of what hosts remember
	adopt    bool
	purge    bool
}

// defaultForks is how many hosts are worked on at once.
const defaultForks = 30

// registerForks adds the flag of every verb that works on several hosts at once.
func (r *runFlags) registerForks(command *cobra.Command) {
	r.forks = defaultForks
	command.Flags().VarP(&r.forks, "forks", "f", "hosts at once")
}

// registerUpgrade adds the flag of every verb that installs packages.
func (r *runFlags) registerUpgrade(command *cobra.Command) {
	command.Flags().BoolVar(&r.upgrade, "upgrade", false, "bring the tasks' packages to the versions that apt has")
}

// registerChanges adds the flags of a verb that changes hosts.
func (r *runFlags) registerChanges(command *cobra.Command) {
	f := command.Flags()
	f.BoolVarP(&r.check, "check", "C", false, "only show the plan")
	f.BoolVarP(&r.yes, "yes", "y", false, "go ahead without asking")
	r.registerForks(command)
	r.pace.register(command)
	r.registerPatience(command)
}

// registerPatience adds the flag of every verb that locks hosts.
func (r *runFlags) registerPatience(command *cobra.Command) {
	command.Flags().DurationVar(&r.lockTimeout, "lock-timeout", 60*time.Second, "how long to wait for another run on a host, a `TIME` such as 90s or 5m")
}

func (r *runFlags) validate() error {
	if r.lockTimeout < 0 {
		return usage(fmt.Errorf("--lock-timeout %s: must not be negative", r.lockTimeout), "--lock-timeout 0s does not wait")
	}
	return nil
}

func newInstall(f *flags, io console) *cobra.Command {
	var saved, artifact string
	command := &cobra.Command{
		Use:   "install [TASK...]",
		Short: "bring hosts to what they should be, and prove that it works",
		Long: `Asks each host what it has, shows what would change with every diff (on a
terminal page by page, by $PAGER or less), asks, makes it so, and proves that
it works. Without a task it brings every host what hosts.yaml gives it. A host
that is as it should be is only read. Packages are installed where they are
missing, and left at the version that they have; with --upgrade the tasks' own
packages get the version that apt has, and what runs of them is restarted.

With --artifact it deploys a release of one of the tasks with it, so that a bare
host has all in one run: provision deploy says what that is.

With --plan it makes the changes of a saved plan: it is provision apply.`,
		Example: `  provision install graphite -H root@web1
  provision install -l metrics    a group, with the tasks of hosts.yaml
  provision install graphite -H web1 -e graphite.auth=false
  provision install -l web --canary 1 --window 2   one host, then two
  provision install -l metrics --artifact webapp=shop.tar`,
		Args: cobra.ArbitraryArgs,
		RunE: func(command *cobra.Command, args []string) error {
			if saved != "" {
				return f.installSaved(command.Context(), io, saved, args)
			}
			return f.install(command.Context(), io, args, artifact)
		},
	}
	f.run.registerChanges(command)
	f.run.registerUpgrade(command)
	f.run.registerMemory(command)
	command.Flags().StringVar(&saved, "plan", "", "make the changes of a plan that plan --out saved in a `FILE`")
	command.Flags().StringVar(&artifact, "artifact", "", "deploy a release with it, `TASK=FILE`")
	return command
}

// install brings what the named tasks want, and with artifact, TASK=FILE, a release of one.
func (f *flags) install(ctx context.Context, io console, names []string, artifact string) error {
	e, err := f.work(io, names)
	if err != nil {
		return err
	}
	if artifact != "" {
		if err := f.addRelease(ctx, e, artifact); err != nil {
			return err
		}
	}
	if f.run.check {
		_, err := f.showPlan(ctx, io, e, nil)
		return err
	}
	return f.change(ctx, io, "install", e, run.Install)
}

// change runs an errand that may change hosts: it shows the plans, asks, and goes on.
func (f *flags) change(ctx context.Context, io console, verb string, e errand, do run.Verb) error {
	var refusal error
	e.plan, e.asks = f.run.check, !f.run.check && !f.run.yes
	e.agree = func(stop <-chan struct{}) bool {
		refusal = f.agree(io, cmp.Or(e.question, "Make these changes?"), stop)
		return refusal == nil
	}
	e.pending = func() int {
		switch {
		case refusal == nil || f.run.check:
			return exitGood
		case errors.Is(refusal, errInterrupted):
			return exitInterrupted
		}
		return exitUsage
	}
	_, err := f.show(ctx, io, e, run.Settings{
		Patience: f.run.lockTimeout,
		Header:   journal.Header{Verb: verb, By: whoami(), Version: version()},
		// A rollback's plan is made of the host's journal, and of one run in it.
		Unasked: f.run.yes && verb != "rollback",
	}, do)
	if refusal != nil && !f.run.check {
		teller{io, f.output.json}.complain(refusal, e.pending())
	}
	return err
}

// errNoConfirmation says that there are changes to make and nobody to ask.
var errNoConfirmation = errors.New("there are changes to make, and no terminal to ask on")

// errDeclined says that somebody was asked, and did not say yes.
var errDeclined = errors.New("nothing was changed")

// agree decides whether the changes that were shown are made; nil is yes.
func (f *flags) agree(io console, question string, stop <-chan struct{}) error {
	switch {
	case f.run.check:
		return errDeclined
	case f.run.yes:
		return nil
	case !io.interactive() || f.output.json:
		return usage(errNoConfirmation, "look at the plan, then add -y")
	case io.yes(question, stop):
		return nil
	}
	select {
	case <-stop:
		return errInterrupted
	default:
		return errDeclined
	}
}

// whoami names who runs this, for a host's journal and lock: user@machine.
func whoami() string {
	name := "unknown"
	if current, err := user.Current(); err == nil {
		name = current.Username
	}
	machine, err := os.Hostname()
	if err != nil {
		machine = "unknown"
	}
	return name + "@" + machine
}
