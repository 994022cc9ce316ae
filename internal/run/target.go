package run

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"provision/internal/engine"
	"provision/internal/journal"
	"provision/internal/recipe"
	"provision/internal/remote"
	"provision/internal/resource"
	"provision/internal/script"
)

// Target is a host and how to reach it.
type Target struct {
	Name    string
	Address remote.Address
	Config  remote.Config
	Local   bool  // this machine, without SSH
	Lost    error // it was tried before, and this is why it is not tried again

	// Hint is what to type next after an error, before what is said of every host; nil, and "", say nothing.
	Hint func(error) string

	dialer    *remote.Dialer    // the run's
	questions *script.Questions // the run's
	silence   time.Duration     // how long a question may say nothing
}

func (t Target) connect(ctx context.Context) (*remote.Connection, error) {
	if t.Lost != nil {
		return nil, t.Lost
	}
	if t.Local {
		return remote.Local(t.Config)
	}
	return t.dialer.Dial(ctx, t.Address, t.Config)
}

// host is a connected target. It implements engine.Host.
type host struct {
	target     Target
	connection *remote.Connection
	run        string           // its name in the host's journal, once it has begun
	session    *journal.Session // the run, while it goes on: questions go over its shell
	anyway     bool             // plan though a guarded change is neither confirmed nor undone
}

// afterRun is the host when its run has ended: questions do not go over the run's shell any more.
func (h host) afterRun() host { return host{target: h.target, connection: h.connection} }

// ErrUnsupported says that a host is none that the tasks know.
var ErrUnsupported = errors.New("unsupported system")

// Probe implements engine.Host: one script, one round trip.
func (h host) Probe(ctx context.Context, probes []recipe.Probe) (recipe.Answer, error) {
	if h.session != nil {
		return h.session.Probe(ctx, probes)
	}
	question := h.target.questions.Of(probes)
	output, err := h.connection.Run(ctx, remote.Command{Script: question.Script, Root: true, Followed: true, Silence: h.target.silence}, nil)
	if err != nil {
		return recipe.Answer{}, err
	}
	return question.Answer(output)
}

// Verdict implements engine.Host: it asks over a connection of its own.
func (h host) Verdict(ctx context.Context, unit string, step int) (engine.Verdict, error) {
	connection, err := h.target.connect(ctx)
	if err != nil {
		return engine.VerdictOpen, err
	}
	defer connection.Close()
	output, err := connection.Run(ctx, remote.Command{Script: script.Verdict(h.run, unit, step), Root: true, Silence: h.target.silence}, nil)
	return engine.Verdict(strings.TrimSpace(string(output))), err
}

// ask probes a host and builds its recipe. What the recipe asks beyond the probes, because
// it depends on what only the host can say, is asked in a second round trip.
func (h host) ask(ctx context.Context, blueprint Blueprint, probes []recipe.Probe) (*built, recipe.Answer, error) {
	answer, err := h.Probe(ctx, slices.Concat([]recipe.Probe{deadRuns(), unsettledChanges(), serving()}, blueprint.memoryProbes(), probes))
	if err != nil {
		return nil, answer, err
	}
	if err := supported(answer); err != nil {
		return nil, answer, err
	}
	if err := h.unsettled(answer.Facts); err != nil {
		return nil, answer, err
	}
	wanted, err := h.build(ctx, blueprint, answer)
	if err != nil {
		return nil, answer, err
	}
	if wanted == blueprint.asking.guessed { // of which the probes are
		return wanted, answer, nil
	}
	missing := unasked(probes, wanted.probes)
	if len(missing) > 0 {
		more, err := h.Probe(ctx, missing)
		if err != nil {
			return nil, answer, err
		}
		maps.Copy(answer.Facts, more.Facts)
	}
	return wanted, answer, nil
}

// build builds a host's recipe of what it has said of itself, unless that was done already.
func (h host) build(ctx context.Context, blueprint Blueprint, answer recipe.Answer) (*built, error) {
	asking := blueprint.asking
	asking.learn(answer.Facts)
	if ready := asking.right(answer.Platform); !asking.fetch(ctx) && ready != nil {
		return ready, nil
	}
	var wanted *built
	err := h.knowing(ctx, blueprint, func() (err error) {
		wanted, err = blueprint.build(answer.Platform)
		return err
	})
	asking.note(answer.Platform)
	return wanted, err
}

// knowing builds, and asks the host what a build wanted to know of it and was not told, until it is
// told everything; other hosts too, of what they export.
func (h host) knowing(ctx context.Context, blueprint Blueprint, build func() error) error {
	for {
		err := build()
		missing, other := blueprint.asking.missing(), blueprint.asking.fetch(ctx)
		switch {
		case len(missing) == 0 && !other:
			return err
		case len(missing) == 0:
			continue
		}
		answer, err := h.Probe(ctx, missing)
		if err != nil {
			return err
		}
		blueprint.asking.learn(answer.Facts)
	}
}

// unasked returns the wanted probes whose answers are not among those that were asked. A
// guard that names the host was asked with a made-up name. A digest that only another
// release wants was asked too, and does no harm.
func unasked(probes, wanted []recipe.Probe) []recipe.Probe {
	asked := make(map[recipe.Key]recipe.Probe, len(probes))
	for _, probe := range probes {
		asked[probe.Key] = probe
	}
	var missing []recipe.Probe
	for _, probe := range wanted {
		before, was := asked[probe.Key]
		// What a command reads is no part of the question.
		if !was || probe.Digest && !before.Digest || probe.Script != before.Script || !maps.Equal(probe.Unfill, before.Unfill) {
			missing = append(missing, probe)
		}
	}
	return missing
}

func supported(answer recipe.Answer) error {
	for _, platform := range recipe.Platforms() {
		if answer.Distro == "debian" && platform.Release == answer.Platform.Release {
			return nil
		}
	}
	return fmt.Errorf("%w: %s: the tasks are for Debian 12 and 13", ErrUnsupported, cmp.Or(answer.System, "without /etc/os-release"))
}

// plan asks the host what it has and computes what differs. For what is overwritten or
// removed it asks for the old content too, which a converged host is never asked.
func (h host) plan(ctx context.Context, blueprint Blueprint, probes []recipe.Probe) (recipe.Recipe, engine.Plan, error) {
	wanted, plan, found, err := h.compare(ctx, blueprint, probes)
	if err != nil {
		return wanted, plan, err
	}
	err = h.look(ctx, &plan, originals(wanted, plan), plan.Rehearsals(wanted, found))
	return wanted, plan, err
}

// compare asks the host what it has, which it returns too, and computes what differs.
func (h host) compare(ctx context.Context, blueprint Blueprint, probes []recipe.Probe) (recipe.Recipe, engine.Plan, recipe.Facts, error) {
	made, answer, err := h.ask(ctx, blueprint, probes)
	if err != nil {
		return recipe.Recipe{}, engine.Plan{}, nil, err
	}
	plan, refused := made.wanted().Plan(answer.Facts)
	var held *resource.HeldError
	if refused != nil && !errors.As(refused, &held) { // what leaves may free a port
		return made.Recipe, plan, nil, refused
	}
	plan.Platform, plan.Died, plan.Told = answer.Platform, died(answer.Facts), slices.Clone(blueprint.asking.told)
	blueprint.serves(&plan, answer.Facts)
	wanted, plan, err := h.remember(ctx, blueprint, made, answer, plan, refused)
	return wanted, plan, answer.Facts, err
}

// look asks for what a plan shows beside what differs, what is replaced for the first time, and whether
// what is new would pass.
func (h host) look(ctx context.Context, plan *engine.Plan, replaced []string, rehearsals []recipe.Rehearse) error {
	var probes []recipe.Probe
	for _, planned := range plan.Items {
		if diff := planned.Change.Diff; diff != nil && diff.Exists && !diff.Secret && diff.Before == nil {
			probes = append(probes, recipe.Probe{Key: recipe.ContentKey(diff.Path)})
		}
	}
	for _, path := range replaced {
		probes = append(probes, recipe.Probe{Key: recipe.ContentKey(path)})
	}
	for _, rehearsal := range rehearsals {
		probes = append(probes, recipe.Probe{Key: recipe.CommandKey(rehearsal.Title()), Script: script.DryRehearsal(rehearsal)})
	}
	if len(probes) == 0 {
		return nil
	}
	answer, err := h.Probe(ctx, recipe.Merge(probes))
	if err != nil {
		return err
	}
	for _, path := range replaced {
		if size := answer.Facts.Content(path).Size; size > recipe.MostKept {
			plan.Told = append(plan.Told, fmt.Sprintf("%s: what stands there cannot come back: it has %d bytes, and no copy is kept of more than %d", path, size, recipe.MostKept))
		}
	}
	for _, rehearsal := range rehearsals {
		said := answer.Facts.Command(rehearsal.Title())
		if said.Exit != 0 && said.Exit != script.Untried {
			return &engine.StepError{Step: recipe.Numbered{Resource: "service:" + rehearsal.Unit, Step: rehearsal}, Status: said.Exit, Output: said.Output}
		}
	}
	for _, planned := range plan.Items {
		if diff := planned.Change.Diff; diff != nil && diff.Exists && !diff.Secret && diff.Before == nil {
			content := answer.Facts.Content(diff.Path)
			diff.Before, diff.BeforeSize = content.Bytes, content.Size
		}
	}
	return nil
}

// begin starts a run under the host's lock, with a first question.
func (h host) begin(ctx context.Context, header journal.Header, patience time.Duration, first []recipe.Probe, observe engine.Observer) (*journal.Session, error) {
	process, err := h.connection.Start(ctx, remote.Command{Script: journal.Script(header, patience, first), Root: true})
	if err != nil {
		return nil, err
	}
	hearing := h.connection.Hear(process.Stdout, h.target.silence)
	return journal.Begin(ctx, journal.Shell{
		Stdin: process.Stdin, Stdout: hearing, Stderr: process.Stderr, Wait: process.Wait, Upload: h.upload,
		Await: hearing.Await, Patience: patience,
		// A host that does not answer does not end the command either: the connection goes too.
		Kill: func() {
			process.Kill()
			h.connection.Close()
		},
	}, first, observe)
}

func (h host) upload(ctx context.Context, artifact recipe.Artifact, path string, progress func(int64)) error {
	file, err := os.Open(artifact.Source)
	if err != nil {
		return err
	}
	defer file.Close()
	return h.connection.Upload(ctx, remote.Upload{Content: file, Size: artifact.Size, Path: path, Root: true, Progress: progress})
}

// runCheck runs a check's script on the host, as root. Most are followed by another. The host ends it before its time
// is over here: sshd signals no command of root's, and this side would wait for its end (session_signal_req in OpenSSH's
// session.c).
func (h host) runCheck(ctx context.Context, text string) (int, string, error) {
	began, limit := time.Now(), time.Duration(0)
	if deadline, bounded := ctx.Deadline(); bounded {
		limit = max(time.Until(deadline)-time.Second, time.Second)
		text = script.Within(limit.Seconds(), text)
	}
	output, err := h.connection.Run(ctx, remote.Command{Script: text, Root: true, Followed: true}, nil)
	var exit *remote.ExitError
	switch {
	case !errors.As(err, &exit):
		return 0, string(output), err
	case limit > 0 && script.TimedOut(exit.Code) && time.Since(began) >= limit:
		return exit.Code, "", fmt.Errorf("it was not done after %.0f s", limit.Seconds())
	case ctx.Err() != nil: // it was ended from here, and that is no answer of its own
		return exit.Code, "", err
	}
	return exit.Code, string(output) + string(exit.Stderr), nil
}
