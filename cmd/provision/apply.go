package main

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"provision/internal/engine"
	"provision/internal/journal"
	"provision/internal/run"
)

func newApply(f *flags, io console) *cobra.Command {
	command := &cobra.Command{
		Use:   "apply FILE",
		Short: "make the changes of a plan that plan --out saved, and no others",
		Long: `Plans each host of the saved plan anew, and makes its changes where these are
those of the file. A host whose changes are others by now is refused (exit code
5); the rest of the hosts are changed, and proved. The file was looked at, so
nobody is asked, with a terminal or without. -l or -H name some of its hosts.`,
		Example: `  provision plan -l metrics --out friday.plan
  provision show friday.plan
  provision apply friday.plan`,
		Args: arguments(1, 1),
		RunE: func(command *cobra.Command, args []string) error {
			return f.applySaved(command.Context(), io, args[0])
		},
	}
	f.run.registerForks(command)
	f.run.pace.register(command)
	f.run.registerPatience(command)
	return command
}

// installSaved is apply, as a flag of install.
func (f *flags) installSaved(ctx context.Context, io console, path string, names []string) error {
	if len(names) > 0 {
		return usage(fmt.Errorf("--plan %s: has its own tasks", path), "leave out "+strings.Join(names, " "))
	}
	if f.run.upgrade {
		return usage(fmt.Errorf("--plan %s: says itself whether to upgrade", path), "leave out --upgrade")
	}
	if f.run.takeOver || f.run.adopt {
		return usage(fmt.Errorf("--plan %s: says itself what becomes of what hosts remember", path), "leave out --take-over and --adopt")
	}
	return f.applySaved(ctx, io, path)
}

// applySaved makes the changes of a saved plan. Every host is planned anew, and refused
// when that is another plan; one that is as wanted by now is good.
func (f *flags) applySaved(ctx context.Context, io console, path string) error {
	saved, err := readPlan(path)
	if err == nil {
		err = saved.current(path)
	}
	if err != nil {
		return err
	}
	f.run.upgrade, f.run.takeOver, f.run.adopt = saved.Upgrade, saved.TakeOver, saved.Adopt
	f.selection = saved.selection(f.selection)
	e, err := f.work(io, saved.Tasks)
	if err != nil {
		return err
	}
	hosts := map[string]savedHost{}
	for _, host := range saved.Hosts {
		hosts[host.Name] = host
	}
	now := map[string]string{}
	for _, w := range e.work {
		now[w.Target.Name] = place(w.Target)
		if _, there := hosts[w.Target.Name]; !there {
			return usage(fmt.Errorf("%s: the plan of %s is not in it", path, w.Target.Name), "make one: provision plan --out "+path)
		}
	}
	var mu sync.Mutex
	_, err = f.show(ctx, io, e, run.Settings{
		Patience: f.run.lockTimeout,
		Header:   journal.Header{Verb: "install", By: whoami(), Version: version()},
		Approve: func(host string, plan engine.Plan, late bool) error {
			mu.Lock()
			defer mu.Unlock()
			anew := "look at the new one: provision plan --out " + path
			if was := hosts[host].Place; was != now[host] { // it may be another machine
				return hinted{fmt.Errorf("%s: has %s at %s, and it is at %s now: %w", path, host, was, now[host], engine.ErrStale), anew}
			}
			sum, err := digest(saved.Salt, plan, e.secrets)
			agreed := hosts[host].agreed(sum, late)
			switch {
			case err != nil || plan.Empty():
				return err
			case agreed && !late && !saved.shows(hosts[host], plan, e.secrets):
				return hinted{fmt.Errorf("%s: %w", path, editedPlan{}), "plan anew: provision plan --out " + path}
			case agreed:
				return nil
			}
			return hinted{fmt.Errorf("%s: %w", path, engine.ErrStale), anew}
		},
	}, run.Install)
	return err
}

// editedPlan refuses a host of which the file shows something else than it agrees to.
type editedPlan struct{}

func (editedPlan) Error() string {
	return "shows another plan of the host than the one that it agrees to: somebody edited it"
}

// Is counts it as a plan that is not that of the host.
func (editedPlan) Is(target error) bool { return target == engine.ErrStale }
