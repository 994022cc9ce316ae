package run

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"provision/internal/engine"
	"provision/internal/recipe"
	"provision/internal/remote"
)

// silentAtMost is how long a host may say nothing to a question: to look at all files of a large tree takes
// it long, and a disk that fails longer.
const silentAtMost = 10 * time.Minute

// Plan makes every host's plan and changes nothing.
func Plan(ctx context.Context, work []Work, settings Settings) ([]Result, error) {
	settings.Patience = settleWithin
	return reading(ctx, work, settings, func(ctx context.Context, j *job) {
		j.plan(ctx)
		j.approve()
		switch {
		case j.ended:
		case len(j.waits) > 0 || len(j.lacks) > 0:
			j.finish(engine.StatusPending, nil)
		case j.made.Empty():
			j.finish(engine.StatusSame, nil)
		default:
			j.finish(engine.StatusPending, nil)
		}
	})
}

// Install makes every host what its tasks want: all plans first, then the question, then
// the changes, then the proof.
func Install(ctx context.Context, work []Work, settings Settings) ([]Result, error) {
	return installBy(ctx, work, settings, func(ctx context.Context, j *job) { j.plan(ctx) })
}

// installBy is Install with another way to make the plans.
func installBy(ctx context.Context, work []Work, settings Settings, plan func(context.Context, *job)) ([]Result, error) {
	return askedBefore(ctx, work, settings, plan, func(ctx context.Context, j *job) { j.apply(ctx) })
}

// askedBefore makes every host's plan, asks, and then does what was planned.
func askedBefore(ctx context.Context, work []Work, settings Settings, plan, apply func(context.Context, *job)) ([]Result, error) {
	// Where others wait for how this host ends, nothing is done that nobody was shown.
	settings.Unasked = settings.Unasked && !settings.Pace.steps()
	jobs, err := newJobs(work, &settings)
	if err != nil {
		return nil, err
	}
	defer closeAll(jobs)
	pace := newPacer(settings.Pace, settings.Forks, len(jobs))
	for turn := jobs; len(turn) > 0; turn = waiting(turn) {
		inTurn(ctx, turn, settings, pace, plan, apply)
		pace.leave(turn)
	}
	return results(jobs), nil
}

// inTurn plans hosts, asks, and changes those that wait for no other.
func inTurn(ctx context.Context, jobs []*job, settings Settings, pace *pacer, plan, apply func(context.Context, *job)) {
	planning, done := untilStopped(ctx, settings.Stop)
	eachBegins(unplanned(jobs), settings.Forks, func(j *job) {
		plan(planning, j)
		j.approve()
		j.slim()
		if len(jobs) > settings.Forks || pace.steps() {
			j.disconnect()
		}
	})
	done()
	pace.count(jobs...)
	pace.leave(jobs)
	deadlocked(jobs)
	pace.count(jobs...)
	pace.leave(jobs)
	together(jobs)
	pace.spare(jobs)
	pace.leave(jobs)
	agreed := agree(jobs, settings)
	end := func(j *job) {
		switch {
		case j.ended:
		case len(j.waits) > 0 && agreed: // its turn comes
		case len(j.waits) > 0:
			j.finish(engine.StatusPending, nil)
		case j.unchanged() && j.again && agreed:
		case j.unchanged() && !j.again && j.sooner == 0 && !settings.VerifyAlways:
			j.finish(engine.StatusSame, nil)
		case !agreed:
			j.finish(engine.StatusPending, nil)
		case j.reconnect(ctx):
			j.begun = true
			if apply(ctx, j); !j.ended {
				j.made = engine.Plan{} // it is done, and the next turn has its own
			}
		}
	}
	changing, others := pace.divide(jobs, agreed)
	var beside sync.WaitGroup
	beside.Go(func() {
		each(others, settings.Forks, func(j *job) {
			end(j)
			pace.count(j)
		})
	})
	pace.through(pace.hold(changing, jobs), len(changing), end)
	beside.Wait()
}

// agree asks whether what is planned is done, where there is something.
func agree(jobs []*job, settings Settings) bool {
	if settings.Confirm == nil || !slices.ContainsFunc(jobs, func(j *job) bool { return !j.ended && !j.held && !j.made.Empty() }) {
		return true
	}
	asked := time.Now()
	agreed := settings.Confirm()
	if time.Since(asked) > longQuestion {
		for _, j := range jobs {
			j.disconnect()
		}
	}
	return agreed
}

// unchanged reports whether there is nothing to do on a host.
func (j *job) unchanged() bool {
	return j.made.Empty() && len(j.made.Died) == 0 && !j.noted && !j.drains()
}

// approve ends the work on a host whose plan is not approved of.
func (j *job) approve() {
	if j.ended || len(j.waits) > 0 || j.settings.Approve == nil {
		return
	}
	if err := j.settings.Approve(j.Target.Name, j.made, j.late); err != nil {
		j.finish("", err)
	}
}

// Verify runs the checks of every host's tasks.
func Verify(ctx context.Context, work []Work, settings Settings) ([]Result, error) {
	return reading(ctx, work, settings, func(ctx context.Context, j *job) {
		if !j.connect(ctx) {
			return
		}
		// What the host says of itself decides what is checked; no other question is needed.
		answer, err := j.host.Probe(ctx, j.Blueprint.asking.missing())
		if err == nil {
			j.Blueprint.asking.learn(answer.Facts)
			j.made.Platform = answer.Platform
			err = j.verify(ctx)
		}
		j.finish(engine.StatusVerified, err)
	})
}

// reading does work that changes nothing on every host; it is cut off when the run is to
// stop.
func reading(ctx context.Context, work []Work, settings Settings, do func(context.Context, *job)) ([]Result, error) {
	jobs, err := newJobs(work, &settings)
	if err != nil {
		return nil, err
	}
	defer closeAll(jobs)
	ctx, done := untilStopped(ctx, settings.Stop)
	defer done()
	eachBegins(jobs, settings.Forks, func(j *job) { do(ctx, j) })
	return results(jobs), nil
}

func (j *job) plan(ctx context.Context) {
	j.planBy(ctx, func() (err error) {
		j.wanted, j.made, err = j.host.plan(ctx, j.Blueprint, j.probes)
		if err == nil {
			j.tellDrains()
		}
		return err
	})
}

// planBy makes the plan of a host, that ask makes of what it asks, and tells it.
func (j *job) planBy(ctx context.Context, ask func() error) {
	if !j.connect(ctx) {
		return
	}
	j.observe(engine.Asking{})
	err := j.settled(ctx, ask)
	if errors.Is(err, remote.ErrLost) && ctx.Err() == nil { // nothing was begun
		if !j.connectAgain(ctx) {
			return
		}
		err = j.settled(ctx, ask)
	}
	if err != nil && j.wait(err) {
		return
	}
	if err != nil {
		j.finish("", err)
		return
	}
	j.result.Same = len(j.made.Items) - len(j.made.Changes())
	for _, text := range j.made.Told {
		j.observe(engine.Note{Text: text})
	}
	j.goesWithout()
	j.observe(engine.PlanMade{Plan: j.made})
}

func (j *job) apply(ctx context.Context) {
	status := engine.StatusSame
	if !j.made.Empty() || j.sooner > 0 {
		status = engine.StatusChanged
	}
	var err error
	var proved bool
	if !j.unchanged() {
		proved, err = j.change(ctx)
	}
	if err == nil && j.again { // it is proved in its next turn
		return
	}
	if err == nil && !proved {
		err = j.prove(ctx)
	}
	if err == nil {
		j.result.After = j.Blueprint.After(j.made.Platform)
	}
	j.finish(status, err)
}

// prove runs the checks of what was changed, where something was, and no other turn comes. A host that is drained
// does not go back to its visitors until then without them.
func (j *job) prove(ctx context.Context) error {
	if j.again && !j.drained || j.sooner == 0 && onlyNotes(j.made) {
		return nil
	}
	if len(j.Blueprint.Removes) > 0 || j.Blueprint.Action != nil {
		return j.proveRemaining(ctx)
	}
	return j.verify(ctx)
}

func (j *job) verify(ctx context.Context) error {
	var checks []recipe.Check
	err := j.host.afterRun().knowing(ctx, j.Blueprint, func() (err error) {
		checks, err = j.Blueprint.Checks(j.made.Platform)
		return err
	})
	if err != nil {
		return err
	}
	ctx, done := untilStopped(ctx, j.settings.Stop)
	defer done()
	j.observe(engine.Verifying{Checks: len(checks)})
	return engine.Verify(ctx, checks, engine.Reach{
		Host:    j.Blueprint.Address,
		Through: j.host.connection.DialContext,
		Outside: j.host.connection.DialOutside,
		Run:     j.host.runCheck,
	}, j.observe)
}
