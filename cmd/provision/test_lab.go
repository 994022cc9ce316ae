package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/pflag"

	"provision/internal/lab"
	"provision/internal/proof"
	"provision/internal/recipe"
	"provision/internal/report"
	"provision/internal/resource"
)

// labTest says how tasks are proved on hosts of the lab.
type labTest struct {
	lab      bool
	release  string
	kills    int
	artifact artifactFlags // of tasks that are deployed
}

func (t *labTest) register(flags *pflag.FlagSet) {
	flags.BoolVar(&t.lab, "lab", false, "prove tasks on throwaway hosts of this machine")
	flags.StringVar(&t.release, "release", "", "with --lab: only on this Debian `RELEASE`: "+strings.Join(lab.Suites(), " or ")+" (default both)")
	flags.StringVar(&t.artifact.file, "artifact", "", "with --lab: the `FILE` that a task deploys, as a tar of its application")
	flags.IntVar(&t.kills, "kills", 2, "with --lab: `N` moments at which a run is killed")
}

// check refuses flags that only a proof reads, and those that a proof does not.
func (t *labTest) check(flags *pflag.FlagSet, extra []string) error {
	only := map[bool][]string{false: {"release", "kills", "artifact", "json"}, true: {"run", "update"}}[t.lab]
	for _, name := range only {
		if flags.Changed(name) {
			return usage(fmt.Errorf("--%s: goes %s --lab", name, map[bool]string{false: "with", true: "without"}[t.lab]), "provision test --help")
		}
	}
	if !t.lab && len(extra) > 0 {
		return usage(errors.New("-e: goes with --lab"), "a test says its variables itself: vars = {…}")
	}
	if t.kills < 0 {
		return usage(fmt.Errorf("--kills %d: must not be negative", t.kills), "--kills 0 kills none")
	}
	return nil
}

// testInLab proves tasks, one after the other, on a fresh host of each release.
func (f *flags) testInLab(ctx context.Context, io console, names []string, t labTest) error {
	if len(names) == 0 {
		return usage(errors.New("test --lab: wants a task"), "provision test TASK --lab")
	}
	releases := lab.Suites()
	if t.release != "" {
		if !slices.Contains(releases, t.release) {
			return usage(fmt.Errorf("--release %s: is none that the lab has", t.release), strings.Join(releases, " or "))
		}
		releases = []string{t.release}
	}
	all, err := f.selection.tasks()
	if err != nil {
		return err
	}
	tasks, err := all.find(names)
	if err != nil {
		return err
	}
	ctx, stop, done := stopOnSignals(ctx)
	defer done()
	shown := f.proofs(io)
	t.artifact.source = "."
	for _, task := range tasks {
		deploys, err := t.deploys(ctx, task)
		if err != nil {
			return err
		}
		for _, release := range releases {
			if err := f.prove(ctx, io, stop, shown, labProof{flags: f, io: io, task: task, release: release, deploys: deploys}, t.kills); err != nil {
				return err
			}
		}
	}
	code := exitGood
	if shown.Faults() > 0 {
		code = exitFailed
	}
	if err := shown.End(code); err != nil {
		return fmt.Errorf("output: %w", err)
	}
	if code != exitGood {
		return outcome{code}
	}
	return nil
}

// proofs shows proofs of tasks: to a person, or to a program.
type proofs interface {
	Begin(task, release string, secrets []string)
	Proved(report.Proved)
	Fault(report.Fault)
	Brings(report.Brings)
	Changes(report.Changes)
	Faults() int
	End(exitCode int) error
}

func (f *flags) proofs(io console) proofs {
	if f.output.json {
		return report.NewProofsJSON(io.out)
	}
	return report.NewProofs(io.out, report.Detect(io.out, os.Getenv))
}

// deploys is the release with which a task is proved; nil for one without, and for one of which nobody
// says which.
func (t labTest) deploys(ctx context.Context, task recipe.Task) (*recipe.Release, error) {
	deployed := task.Deployed
	switch {
	case deployed == nil && t.artifact.file != "":
		return nil, usage(fmt.Errorf("--artifact: %s has no releases", task.Name), "leave it out")
	case deployed == nil || t.artifact.file == "" && deployed.Source == "" && !deployed.Fetches:
		return nil, nil
	}
	return t.artifact.release(ctx, task.Name, deployed)
}

// prove proves a task on one release of Debian, on a host that is removed after.
func (f *flags) prove(ctx context.Context, io console, stop <-chan struct{}, shown proofs, proved labProof, kills int) (err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() { // of what is thrown away nothing has to come to its end
		select {
		case <-stop:
			cancel()
		case <-ctx.Done():
		}
	}()
	task, release := proved.task, proved.release
	if err := proved.boot(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, proved.lab.Remove(context.WithoutCancel(ctx), proved.host.Name)) }()
	if err := proved.furnish(ctx); err != nil {
		return err
	}
	asked, err := proved.asked()
	if err != nil {
		return err
	}
	shown.Begin(task.Name, release, asked.Secrets)
	findings, err := proof.Proof{
		Task: asked, Host: proved, Kills: kills, Seed: uint64(time.Now().Unix() / (24 * 3600)), // others every day
		Told: func(p proof.Proved) {
			shown.Proved(report.Proved(p))
		},
	}.Run(ctx)
	for _, fault := range findings.Faults {
		shown.Fault(report.Fault(fault))
	}
	for _, brings := range findings.Brings {
		shown.Brings(report.Brings(brings))
	}
	for _, changes := range findings.Changes {
		shown.Changes(report.Changes(changes))
	}
	if ctx.Err() != nil {
		return errInterrupted
	}
	return err
}

// labProof is the proof of a task on one host of the lab.
type labProof struct {
	flags   *flags
	io      console
	task    recipe.Task
	release string
	deploys *recipe.Release // nil: nothing is
	lab     *lab.Lab
	host    lab.Host
}

// Root implements proof.Host.
func (p labProof) Root() string { return p.host.Root() }

// Leader implements proof.Host.
func (p labProof) Leader() (int, error) { return p.host.Leader() }

// Run implements proof.Host.
func (p labProof) Run(ctx context.Context, script, input string) (string, error) {
	return p.host.Run(ctx, script, input)
}

// Checkpoint implements proof.Lab.
func (p labProof) Checkpoint(ctx context.Context) error { return p.lab.Checkpoint(ctx, p.host.Name) }

// Rewind implements proof.Lab.
func (p labProof) Rewind(ctx context.Context) error { return p.lab.Rewind(ctx, p.host.Name) }

// proofHost is the name of the host that this process has for a release: several prove side by side.
func proofHost(release string) string { return fmt.Sprintf("labp%s%d", release[:1], os.Getpid()) }

// removeDead removes hosts of proofs that were killed.
func removeDead(ctx context.Context, l *lab.Lab) error {
	hosts, err := l.Hosts()
	if err != nil {
		return err
	}
	for _, host := range hosts {
		var release rune
		var pid int
		if n, _ := fmt.Sscanf(host.Name, "labp%c%d", &release, &pid); n == 2 && errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			if err := l.Remove(ctx, host.Name); err != nil && !errors.Is(err, lab.ErrNoHost) { // another has removed it
				return err
			}
		}
	}
	return nil
}

// boot makes the host, with the task's packages in apt's cache.
func (p *labProof) boot(ctx context.Context) (err error) {
	if p.lab, err = openLab(func(line string) {
		if p.flags.output.verbose > 0 {
			fmt.Fprintln(p.io.err, line)
		}
	}); err != nil {
		return err
	}
	name := proofHost(p.release)
	if err := removeDead(ctx, p.lab); err != nil {
		return err
	}
	if packages := p.packages(); len(packages) > 0 {
		if err := p.lab.Seed(ctx, p.release, packages); ctx.Err() != nil {
			return ctx.Err()
		} else if err != nil {
			fmt.Fprintf(p.io.err, "%s: its packages are downloaded on the host each time: %v\n", p.task.Name, err) // of a repository of its own
		}
	}
	hosts, err := p.lab.Up(ctx, []string{name}, p.release)
	if err != nil {
		return err
	}
	p.host = hosts[0]
	return nil
}

// packages are what the task installs, as far as that can be told before a host is asked.
func (p *labProof) packages() []string {
	work, err := p.work(nil)
	if err != nil {
		return nil // it is told when it is built for the host
	}
	var names []string
	for _, platform := range recipe.Platforms() {
		wanted, err := work.Blueprint.Recipe(platform)
		if err != nil || platform.Codename != p.release {
			continue
		}
		for _, item := range wanted.Items {
			if wanted, ok := item.Resource.(resource.Package); ok && !wanted.Absent && !slices.Contains(names, wanted.Name) {
				names = append(names, wanted.Name)
			}
		}
	}
	return names
}
