package run

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"provision/internal/engine"
	"provision/internal/recipe"
	"provision/internal/remote"
	"provision/internal/resource"
	"provision/internal/script"
)

// A host whose tasks have hooks is drained before its first step, under its lock, and brought back when it has
// passed its checks, or is as before. That it is drained is noted on the host itself before the first hook, and
// until the last: so the next run of whoever's, wherever this one died, brings it back. One that is left
// broken, or of which that is not known, stays drained.

// Drain is how a host is taken out of service, and brought back.
type Drain struct {
	Task    string
	Out, In Hook
}

// Hook is one of a host's hooks.
type Hook struct {
	Action resource.Action
	On     string   // the task on whose hosts it is run
	At     []Target // these; none is the host itself
}

// drainedMark is there while a host is drained.
const drainedMark = script.State + "/drained"

// serving is a question that a host with hooks is asked: whether it has something to take out of service,
// and whether a run has left it drained.
func serving() recipe.Probe {
	return recipe.Probe{Key: recipe.CommandKey("what it serves"), Script: `cd ` + script.State + ` || exit 1
[ ! -e drained ] || echo drained
for noted in wanted/*; do [ ! -e "$noted" ] || { echo serves; break; }; done`}
}

// drainProbes ask what is to be known for the hooks, where there are any.
func (b Blueprint) drainProbes() []recipe.Probe {
	if len(b.Drains) == 0 {
		return nil
	}
	return []recipe.Probe{serving()}
}

// serves takes what the host has said of that into a plan.
func serves(plan *engine.Plan, facts recipe.Facts) {
	words := strings.Fields(facts.Command(serving().Key.Name).Output)
	for _, word := range words {
		plan.Serves, plan.Drained = plan.Serves || word == "serves", plan.Drained || word == "drained"
	}
}

// drains reports whether a host is drained while it is changed.
func (j *job) drains() bool {
	return len(j.Blueprint.Drains) > 0 && (j.made.Drained || j.made.Serves && !j.made.Empty() && !onlyNotes(j.made))
}

// toldOfDrains is what a person should know of the hooks.
func (j *job) toldOfDrains() string {
	if j.made.Drained {
		return "a run has left it drained: it is brought back when it has passed its checks"
	}
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
	if !j.drains() || j.drained {
		return nil
	}
	if err := j.mark(ctx, "mkdir -p "+script.State+" && echo "+script.Quote(j.host.run)+" >"+drainedMark+" && sync "+drainedMark); err != nil {
		return err
	}
	j.drained, j.drainedIn = true, j.host.run
	for _, drain := range j.Blueprint.Drains {
		if err := j.hook(ctx, "drain", drain.Task, drain.Out); err != nil {
			return err // bringBack follows, as after any change
		}
	}
	return nil
}

// undrain brings the host back. That is after the lock was let go of, for checks may take long: where another
// run has drained the host since, it is that one's to bring back, and is not before that has changed it.
func (j *job) undrain(ctx context.Context) error {
	const another = 75
	err := j.mark(ctx, fmt.Sprintf("[ ! -e %s ] || %s || exit %d", drainedMark, j.whileOurs(), another))
	var exit *remote.ExitError
	if errors.As(err, &exit) && exit.Code == another {
		j.observe(engine.Note{Text: "another run has drained it since, and brings it back"})
		j.drained = false
		return nil
	}
	if err != nil {
		return err
	}
	for at := len(j.Blueprint.Drains) - 1; at >= 0; at-- {
		drain := j.Blueprint.Drains[at]
		if err := j.hook(ctx, "undrain", drain.Task, drain.In); err != nil {
			return err
		}
	}
	if err := j.mark(ctx, "! "+j.whileOurs()+" || rm -f "+drainedMark); err != nil {
		return err
	}
	j.drained = false
	return nil
}

// whileOurs is sh that holds while no other run has drained the host.
func (j *job) whileOurs() string {
	return `[ "$(cat ` + drainedMark + `)" = ` + script.Quote(j.drainedIn) + " ]"
}

// mark runs sh that notes on the host that it is drained, or no more.
func (j *job) mark(ctx context.Context, text string) error {
	_, err := j.host.connection.Run(ctx, remote.Command{Script: "umask 022\n" + text, Root: true, Silence: j.Target.silence}, nil)
	return err
}

// hook runs a hook where it is to be run, one host after the other.
func (j *job) hook(ctx context.Context, what, task string, hook Hook) error {
	for _, target := range hook.At {
		target.dialer = j.Target.dialer
		connection, err := target.connect(ctx)
		if err == nil {
			err = hook.run(ctx, connection)
			connection.Close()
		}
		if err != nil {
			return failedHook(fmt.Sprintf("%s of %s, on %s", what, task, target.Name), err)
		}
	}
	if hook.On == "" {
		if err := hook.run(ctx, j.host.connection); err != nil {
			return failedHook(fmt.Sprintf("%s of %s", what, task), err)
		}
	}
	j.observe(engine.Note{Text: what + "ed" + hook.where()})
	return nil
}

func failedHook(what string, err error) error {
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

// run runs a hook over a connection.
func (h Hook) run(ctx context.Context, connection *remote.Connection) error {
	change, err := h.Action.Diff(nil)
	if err != nil {
		return err
	}
	step := change.Steps[0].(recipe.Exec)
	_, err = connection.Run(ctx, remote.Command{Script: script.Within(step.Timeout.Seconds(), step.Script), Root: true}, []byte(step.Input.Reveal()))
	return err
}

// bringBack brings the host back after its work, which ended with err, unless it is left broken. failed says
// that its checks did not pass.
func (j *job) bringBack(ctx context.Context, err error, failed bool) error {
	if !j.drained {
		return err
	}
	if err == nil || !failed && j.stands(ctx, err) {
		if back := j.undrain(ctx); back != nil {
			err = errors.Join(err, back)
		}
	}
	j.result.Drained = j.drained
	return err
}

// stands reports whether a host that could not be changed as planned serves all the same: nothing was done, or
// all of it was put back, or its checks pass.
func (j *job) stands(ctx context.Context, err error) bool {
	var restored *engine.RestoredError
	var unconfirmed *engine.UnconfirmedError
	var step *engine.StepError
	switch {
	case !j.stepped:
		return true
	case errors.As(err, &unconfirmed):
		return unconfirmed.Undone
	case errors.As(err, &restored):
		return restored.Err == nil && restored.Restored.Runs
	case !errors.As(err, &step) && !errors.Is(err, engine.ErrNotConverged) && !errors.Is(err, engine.ErrUnforeseen):
		return false // it was interrupted, or a step may go on there
	}
	checks, broken := j.Blueprint.Checks(j.made.Platform)
	return broken == nil && len(checks) > 0 && j.verify(ctx) == nil
}
