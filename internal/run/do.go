package run

import (
	"context"
	"errors"
	"fmt"

	"provision/internal/engine"
	"provision/internal/journal"
	"provision/internal/memory"
	"provision/internal/recipe"
)

// Do runs an action of a task on every host, the one of its blueprint: all hosts are asked first, then
// the person, then it runs under each host's lock, and is in its journal. It is no change of what the
// task wants, so there is nothing to take back, and nothing to prove but on a host that is drained for it.
func Do(ctx context.Context, work []Work, settings Settings) ([]Result, error) {
	return askedBefore(ctx, work, settings, func(ctx context.Context, j *job) { j.planAction(ctx) }, func(ctx context.Context, j *job) {
		j.finish(engine.StatusDone, j.act(ctx))
	})
}

// planAction plans to run the action, and says where the host knows nothing of its task.
func (j *job) planAction(ctx context.Context) {
	if !j.connect(ctx) {
		return
	}
	j.observe(engine.Asking{})
	var answer recipe.Answer
	task := j.Blueprint.ActionOf
	probes := []recipe.Probe{unsettledChanges()}
	if len(j.Blueprint.Drains) > 0 {
		probes = append(probes, serving())
	}
	for _, name := range task.Names() {
		probes = append(probes, recipe.Probe{Key: recipe.MemoryKey(name)})
	}
	err := j.settled(ctx, func() (err error) {
		answer, err = j.host.Probe(ctx, probes)
		if err == nil {
			err = supported(answer)
		}
		if err == nil {
			err = j.host.unsettled(answer.Facts)
		}
		return err
	})
	if err == nil {
		j.wanted.Items = []recipe.Item{{Resource: *j.Blueprint.Action, Task: task.Name, At: j.Blueprint.Action.At}}
		j.made, err = engine.NewPlan(j.wanted, answer.Facts)
	}
	if err != nil {
		j.finish("", err)
		return
	}
	j.made.Platform = answer.Platform
	j.Blueprint.serves(&j.made, answer.Facts)
	j.tellDrains()
	for _, text := range j.made.Told {
		j.observe(engine.Note{Text: text})
	}
	// What a newer version has noted is there too.
	if by, err := memory.Has(task, answer.Facts); err == nil && len(by) == 0 {
		j.observe(engine.Note{Text: "nothing of " + task.Name + " is noted on this host: it may not be installed here"})
	}
	j.observe(engine.PlanMade{Plan: j.made})
}

// act runs the action. What it prints is what was asked for.
func (j *job) act(ctx context.Context) error {
	told := j.observe
	j.observe = func(event engine.Event) {
		if output, ok := event.(engine.Output); ok {
			event = engine.Printed{Line: output.Line}
		}
		told(event)
	}
	if j.stopping() {
		return engine.ErrInterrupted
	}
	session, err := j.begin(ctx, j.settings.Header)
	if err != nil {
		return err
	}
	if err = j.drain(ctx); err == nil && j.stopping() { // a drain may take long
		err = engine.ErrInterrupted
	}
	if err == nil {
		err = j.once(ctx, session)
	}
	outcome := string(status(err, engine.StatusDone))
	if j.drained {
		err = j.proveDrained(ctx, err)
	}
	return errors.Join(err, session.Finish(ctx, outcome))
}

// once runs the action in a run that has begun.
func (j *job) once(ctx context.Context, session *journal.Session) error {
	step := j.made.Items[0].Change.Steps[0]
	_, err := session.Do(ctx, []recipe.Numbered{{Number: 1, Resource: j.Blueprint.Action.ID(), Step: step}}, nil, j.observe)
	var failed *engine.StepError
	switch {
	case errors.As(err, &failed):
		return fmt.Errorf("%s: %w %d%s", step.Title(), ErrExit, failed.Status, j.actionAt())
	case err != nil:
		return &unseenError{err, j.Target.Name}
	}
	return nil
}

// stopping reports whether the run is to stop.
func (j *job) stopping() bool {
	select {
	case <-j.settings.Stop:
		return true
	default:
		return false
	}
}

// actionAt is where a task has the action.
func (j *job) actionAt() string {
	if place := j.Blueprint.Action.At.Short(); place != "" {
		return " (" + place + ")"
	}
	return ""
}

// unseenError is the end of an action that nobody has seen: it may go on.
type unseenError struct {
	error
	host string
}

func (e *unseenError) Unwrap() error { return e.error }

// Hint is what to look at.
func (e *unseenError) Hint() string {
	return "provision journal -H " + e.host + " tells how it ended, once it has"
}
