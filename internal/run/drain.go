package run

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"provision/internal/engine"
	"provision/internal/memory"
	"provision/internal/recipe"
	"provision/internal/remote"
	"provision/internal/resource"
	"provision/internal/script"
)

// A host whose tasks have hooks is drained before its first step, and brought back when it has passed its checks,
// or is as before: all of it under its lock, for another run that came between would find the host brought back
// in the middle of its own changes. That it is drained is noted on the host itself before the first hook, and
// until the last: so the next run of whoever's, wherever this one died, brings it back. One that is left
// broken, or of which that is not known, stays drained.

// Drain is how a host is taken out of service, and brought back.
type Drain struct {
	Task     string
	Formerly []string // names that the task had
	Out, In  Hook
}

func (d Drain) names() []string { return append([]string{d.Task}, d.Formerly...) }

// Hook is one of a host's hooks.
type Hook struct {
	Action resource.Action
	On     string   // the task on whose hosts it is run
	At     []Target // these; none is the host itself
}

// drains reports whether a host is drained while it is changed.
func (j *job) drains() bool {
	return len(j.Blueprint.Drains) > 0 && (j.made.Drained || j.made.Serves && !j.made.Empty() && !onlyNotes(j.made))
}

// tellDrains says in the plan what a person should know of the hooks.
func (j *job) tellDrains() {
	switch {
	case j.made.Drained && !j.takesBackAll():
		j.made.Told = append(j.made.Told, "run "+j.made.DrainedSince+" has left it drained, and a later one is taken back: it stays drained")
	case j.made.Drained && j.settings.Header.Of != "":
		j.made.Told = append(j.made.Told, "a run has left it drained: it is brought back as it was when it served")
	case j.made.Drained:
		j.made.Told = append(j.made.Told, "a run has left it drained: it is brought back when it has passed its checks")
	case j.drains():
		j.made.Told = append(j.made.Told, j.toldOfDrains())
	}
}

// toldOfDrains says by which tasks, and where, a host is drained.
func (j *job) toldOfDrains() string {
	text := "is drained while it is changed"
	for i, drain := range j.Blueprint.Drains {
		text += []string{", by ", " and "}[min(i, 1)] + drain.Task + drain.Out.where()
	}
	if !j.settings.Pace.steps() {
		text += "; one host at a time, unless --window says more"
	}
	return text
}

// where says on which hosts a hook is run.
func (h Hook) where() string {
	var names []string
	for _, target := range h.At {
		names = append(names, target.Name)
	}
	if len(names) == 0 {
		return ""
	}
	return " on " + strings.Join(names, ", ")
}

// drainError is a hook that failed. It is no error of the connection to the host itself, whatever it was.
type drainError struct {
	what, why string
	output    string
}

func (e *drainError) Error() string {
	text := e.what + ": " + e.why
	if e.output != "" {
		text += ": " + e.output
	}
	return text
}

// drain takes the host out of service. Where a hook fails nothing is changed.
func (j *job) drain(ctx context.Context) error {
	if !j.drains() {
		return nil
	}
	if err := j.noteDrained(ctx); err != nil {
		return err
	}
	j.drained = true
	for _, drain := range j.Blueprint.Drains {
		if err := j.hook(ctx, "drain", drain.Task, drain.Out); err != nil {
			return err // bringBack follows, as after any change
		}
	}
	return nil
}

// undrain brings the host back, but for what was removed from it: that serves nobody any more, and a balancer
// would wait for it in vain.
func (j *job) undrain(ctx context.Context, removed bool) error {
	if err := j.host.session.Note(ctx, "that it is brought back", ":"); err != nil {
		return err // the lock is another's, or will be
	}
	var marks []string
	for _, drain := range slices.Backward(j.Blueprint.Drains) {
		if removed && j.removes(drain.Task) {
			j.observe(engine.Note{Text: "stays out of service" + drain.In.where() + ": " + drain.Task + " is removed"})
			marks = append(marks, drain.keepDrained())
			continue
		}
		if err := j.hook(ctx, "undrain", drain.Task, drain.In); err != nil {
			return err
		}
		marks = append(marks, drain.forgetDrained())
	}
	if err := j.host.session.Note(ctx, "that it is brought back", strings.Join(marks, " && ")); err != nil {
		return err
	}
	j.drained = false
	return nil
}

// removes reports whether the plan takes away what a task has on the host.
func (j *job) removes(task string) bool {
	return len(j.Blueprint.Removes) > 0 && !onlyNotes(j.made) && slices.ContainsFunc(j.wanted.Items, func(item recipe.Item) bool {
		note, ok := item.Resource.(memory.Note)
		return ok && note.Task == task && note.Things == 0
	})
}

// hook runs a hook where it is to be run, one host after the other.
func (j *job) hook(ctx context.Context, what, task string, hook Hook) error {
	for _, target := range hook.At {
		target.dialer = j.Target.dialer
		connection, err := target.connect(ctx)
		if err == nil {
			err = hook.run(ctx, connection, endsWithin)
			connection.Close()
		}
		if err != nil {
			return failedHook(fmt.Sprintf("%s of %s, on %s", what, task, target.Name), err)
		}
	}
	if hook.On == "" {
		if err := hook.run(ctx, j.host.connection, endsWithin); err != nil {
			return failedHook(fmt.Sprintf("%s of %s", what, task), err)
		}
	}
	j.observe(engine.Note{Text: what + "ed" + hook.where()})
	return nil
}

// endlessError is a hook that goes on after it was killed.
type endlessError struct{ time.Duration }

func (e *endlessError) Error() string {
	return fmt.Sprintf("was killed after %s, and does not end: it hangs there", e.Duration)
}

// Hint is what to look for.
func (e *endlessError) Hint() string {
	return "look there for what does not answer, as a mount of a server that is gone: ps -eo pid,stat,wchan:20,args"
}

func failedHook(what string, err error) error {
	if endless := new(endlessError); errors.As(err, &endless) || errors.Is(err, context.Canceled) {
		return fmt.Errorf("%s: %w", what, err)
	}
	failed := &drainError{what: what, why: firstLine(err.Error())}
	var exit *remote.ExitError
	if errors.As(err, &exit) {
		failed.why, failed.output = fmt.Sprintf("exit status %d", exit.Code), strings.TrimSpace(string(exit.Stderr))
		if script.TimedOut(exit.Code) {
			failed.why = "timed out"
		}
	}
	return failed
}

// endsWithin is how much longer than its time a hook is waited for: the host kills it ten seconds after that (bounded
// in sh/command.sh).
const endsWithin = 30 * time.Second

// run runs a hook over a connection. What hangs in the kernel, as at a mount of a server that is gone, is ended by no
// signal, and its sshd says nothing before its end: so it is not waited for.
func (h Hook) run(ctx context.Context, connection *remote.Connection, longer time.Duration) error {
	change, err := h.Action.Diff(nil)
	if err != nil {
		return err
	}
	step := change.Steps[0].(recipe.Exec)
	ended := make(chan error, 1)
	go func() { // until the connection is closed, where it does not end
		_, err := connection.Run(ctx, remote.Command{Script: script.Within(step.Timeout.Seconds(), step.Script), Root: true}, []byte(step.Input.Reveal()))
		ended <- err
	}()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(step.Timeout + longer):
		return &endlessError{step.Timeout}
	}
}

// proveDrained proves what was done on a host that is drained, unless it ended with err, and brings it back
// unless it is left broken.
func (j *job) proveDrained(ctx context.Context, err error) error {
	failed := false
	if err == nil {
		err = j.prove(ctx)
		failed = err != nil
	}
	switch {
	case failed, errors.Is(err, remote.ErrLost):
	case err == nil && !j.takesBackAll():
		err = &stillDrainedError{j.made.DrainedSince}
	case err == nil || j.stands(ctx, err):
		err = errors.Join(err, j.undrain(ctx, err == nil))
	}
	j.result.Drained = j.drained
	return err
}

// stillDrainedError is the end of a rollback that did all that it was to do, and after which a host serves nobody.
type stillDrainedError struct{ since string }

func (e *stillDrainedError) Error() string {
	return "run " + e.since + " drained it, and a later one is taken back: nobody knows whether it served in between"
}

// Hint is what brings it back.
func (e *stillDrainedError) Hint() string {
	return "roll back once more; or install what works"
}

// takesBackAll reports whether a host is, after a rollback, as it was when it served: a rollback has no checks to
// tell, for those that there are prove what is taken back. It holds after all else.
func (j *job) takesBackAll() bool {
	of := j.settings.Header.Of
	return of == "" || !j.made.Drained || j.made.DrainedSince == "" || of <= j.made.DrainedSince
}

// stands reports whether a host that could not be changed as planned serves all the same: it did before, and
// nothing was done, or all of it was put back; or its checks pass.
func (j *job) stands(ctx context.Context, err error) bool {
	var restored *engine.RestoredError
	var unconfirmed *engine.UnconfirmedError
	var step *engine.StepError
	served := !j.made.Drained
	switch {
	case !j.stepped:
	case errors.As(err, &unconfirmed) && !unconfirmed.Undone, errors.As(err, &restored) && (restored.Err != nil || !restored.Restored.Runs):
		return false
	case unconfirmed != nil, restored != nil:
	case !errors.As(err, &step) && !errors.Is(err, engine.ErrNotConverged) && !errors.Is(err, engine.ErrUnforeseen) && !errors.Is(err, ErrExit):
		return false // it was interrupted, or a step may go on there
	default:
		served = false
	}
	if served {
		return true
	}
	checks, broken := j.Blueprint.Checks(j.made.Platform)
	return broken == nil && len(checks) > 0 && j.verify(ctx) == nil
}
