package proof

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"provision/internal/engine"
	"provision/internal/recipe"
)

// Command is one of provision's verbs, done to the host for the task that is proved.
type Command func(ctx context.Context, observe engine.Observer) engine.Finished

// Task is what is proved, and how it is done to the host: as by the command line.
type Task struct {
	Name                         string
	Plan, Install, Remove, Purge Command
	Premises                     Command // brings its packages and accounts, and nothing else
	// UpTo installs what stands before one of its commands, and where with says so, the command too.
	UpTo func(command string, with bool) Command
	// Verify makes the checks; each is tried again until within is over.
	Verify   func(within func(recipe.Check) time.Duration) Command
	Secrets  []string // that the task was given
	Releases string   // the directory of what is deployed, which only a purge takes; "" of a task without
}

// Lab is the throwaway host.
type Lab interface {
	Host
	// Checkpoint makes what is on the host now the state that Rewind returns to.
	Checkpoint(ctx context.Context) error
	Rewind(ctx context.Context) error
}

// Fault is something that is wrong with a task.
type Fault struct {
	Proof string          // the proof that found it
	At    recipe.Position // where the task says so
	Text  string
	Hint  string // what to write instead
}

// Proved is how one proof ended.
type Proved struct {
	Name    string
	Elapsed time.Duration
	Failed  bool
	Skipped string // why there was nothing to prove
}

// Proof is the proof of a task on a host that is as if just installed.
type Proof struct {
	Task  Task
	Host  Lab
	Kills int    // moments at which a run is killed
	Seed  uint64 // chooses these
	Told  func(Proved)
}

// Findings are what a proof found.
type Findings struct {
	Faults  []Fault
	Brings  []Brings  // that packages of the task could name
	Changes []Changes // and its commands
}

// prover is a proof while it goes on.
type prover struct {
	Proof
	Findings
	stage     string // under way
	failing   bool   // it found a fault
	digests   Digests
	bare      State            // the host before anything
	planned   engine.Plan      // there
	kept      []string         // directories, where its packages' daemons keep their data
	installed State            // after the install
	services  map[string]unit  // after the install
	at        time.Time        // of that
	checks    []engine.Checked // of the install's verify
	converged bool
	verified  bool
	over      bool // nothing more can be tried
}

// errSkipped says that there is nothing to prove, and why.
var errSkipped = errors.New("")

func skipped(why string) error { return fmt.Errorf("%w%s", errSkipped, why) }

// Run proves the task. An error is that it could not be tried: what is wrong with the task is a fault.
func (p Proof) Run(ctx context.Context) (Findings, error) {
	run := &prover{Proof: p, digests: Digests{}}
	for _, stage := range []struct {
		name string
		do   func(context.Context) error
	}{
		{"a plan changes nothing", run.plans},
		{"an install does what the plan said", run.installs},
		{"packages come after their configuration", run.packagesComeAfter},
		{"a second run is empty", run.again},
		{"nobody else can read a secret", run.secrets},
		{"services stay up", run.stayUp},
		{"each restart is announced", run.restarts},
		{"what a service reads restarts it", run.reads},
		{"verify fails when it should", run.verifyFails},
		{"remove --purge leaves the host as bare", run.purgeLeavesNothing},
		{"remove leaves what was there before", run.removeLeavesNothing},
		{"a run that is killed is made whole by the next", run.kills},
	} {
		if err := run.prove(ctx, stage.name, stage.do); err != nil {
			return run.Findings, err
		}
	}
	return run.Findings, run.changes(ctx)
}

func (p *prover) prove(ctx context.Context, name string, do func(context.Context) error) error {
	proved := Proved{Name: name}
	began := time.Now()
	p.stage, p.failing = name, false
	if p.over {
		proved.Skipped = "not tried, for the host is not as it has to be"
	} else if err := do(ctx); errors.Is(err, errSkipped) {
		proved.Skipped = err.Error()
	} else if ctx.Err() != nil {
		return ctx.Err()
	} else if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	proved.Elapsed, proved.Failed = time.Since(began), p.failing
	p.Told(proved)
	return nil
}

// fault notes what is wrong, once.
func (p *prover) fault(at recipe.Position, hint, format string, values ...any) {
	fault := Fault{Proof: p.stage, At: at, Text: fmt.Sprintf(format, values...), Hint: hint}
	p.failing = true
	if !slices.ContainsFunc(p.Faults, func(f Fault) bool { return f.At == at && f.Text == fault.Text }) {
		p.Faults = append(p.Faults, fault)
	}
}

// look takes down the host.
func (p *prover) look(ctx context.Context) (State, error) { return Look(ctx, p.Host, p.digests) }

// items are what the task wants.
func (p *prover) items() []recipe.Item {
	var all []recipe.Item
	for _, planned := range p.planned.Items {
		all = append(all, planned.Item)
	}
	return all
}

// record is what happened in a run.
type record struct {
	engine.Finished
	plan    engine.Plan
	changed []engine.Planned
	steps   []recorded
	checked []engine.Checked
}

// recorded is a step, and how long it took.
type recorded struct {
	engine.StepBegan
	elapsed time.Duration
}

// do runs a command and takes down what happens.
func do(ctx context.Context, command Command) record {
	var r record
	r.Finished = command(ctx, func(event engine.Event) {
		switch e := event.(type) {
		case engine.PlanMade:
			r.plan = e.Plan
		case engine.StepBegan:
			r.steps = append(r.steps, recorded{StepBegan: e})
		case engine.StepEnded:
			for i := range r.steps {
				if r.steps[i].Number == e.Number {
					r.steps[i].elapsed = e.Elapsed
				}
			}
		case engine.Changed:
			r.changed = append(r.changed, engine.Planned(e))
		case engine.Checked:
			r.checked = append(r.checked, e)
		}
	})
	return r
}

// failed tells why a run did not come to a good end; it reports whether it did not.
func (p *prover) failed(ctx context.Context, what string, r record) bool {
	var step *engine.StepError
	switch {
	case r.Err == nil:
		return false
	case ctx.Err() != nil: // it says nothing of the task
	case errors.As(r.Err, &step):
		p.fault(step.At, lastLine(step.Output), "%s: %s: %s failed with status %d", what, step.Step.Resource, step.Step.Step.Title(), step.Status)
	case errors.Is(r.Err, engine.ErrVerify):
		for _, checked := range r.checked {
			if checked.Err != nil && !errors.Is(checked.Err, engine.ErrLeftOut) {
				p.fault(checked.Check.At, r.Hint, "%s: verify: %s: %v", what, checked.Check.Name, checked.Err)
			}
		}
	case errors.Is(r.Err, engine.ErrNotConverged):
		p.differs(do(ctx, p.Task.Plan))
	default:
		p.fault(recipe.Position{}, r.Hint, "%s: %v", what, r.Err)
	}
	return true
}
