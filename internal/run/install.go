package run

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"provision/internal/engine"
	"provision/internal/journal"
	"provision/internal/recipe"
	"provision/internal/remote"
)

// Work is a target and what it should be.
type Work struct {
	Target    Target
	Blueprint Blueprint
}

// Settings are how a run goes.
type Settings struct {
	Forks        int           // hosts at once
	Pace         Pace          // how it goes through those that it changes
	InOrder      bool          // what hosts print is told host after host, however many are at work
	Patience     time.Duration // for a host's lock
	Silence      time.Duration // how long a host may say nothing to a question; 0 is silentAtMost
	Header       journal.Header
	VerifyAlways bool // also when nothing changed
	// Approve gets each host's plan, from several goroutines at once; its error ends that
	// host before anything is changed there. A plan that was made late is one of a host that had to wait
	// for other hosts of the run. Nil approves of every plan.
	Approve func(host string, plan engine.Plan, late bool) error
	Unasked bool // nobody looks at the plans: one that is stale under the lock is made anew
	// Confirm is asked once, after all plans are made and when at least one has changes.
	Confirm   func() bool
	Exporters []Exporter             // the hosts whose exports builds may want
	Last      Last                   // nil keeps nothing of what hosts say
	Observe   func(engine.HostEvent) // called from one goroutine at a time
	Stop      <-chan struct{}        // closed: end every host between two steps
}

// silentAtMost is how long a host may say nothing to a question: to look at all files of a large tree takes
// it long, and a disk that fails longer.
const silentAtMost = 10 * time.Minute

// Result is how the work on one host ended.
type Result struct {
	Host string
	engine.Finished
	Awaits []string // of a plan: the hosts of the run after which this one is planned, or planned again
}

// job is the work on one host while it goes on.
type job struct {
	Work
	settings Settings
	observe  engine.Observer
	clock    *clock

	beginning *beginning // of the work, while it begins
	hasTurn   bool

	host      host
	probes    []recipe.Probe
	wanted    recipe.Recipe
	made      engine.Plan
	boot      string // the host's boot_id before the first change
	result    engine.Finished
	begun     bool // its changes, or its proof
	ended     bool
	waits     []string        // the hosts of the run that do not have yet what this one wants of them
	unmet     error           // why it could not be planned for that
	lacks     []string        // and those without whose exports it was planned
	again     bool            // its turn comes again, for that or because another lacks what it exports, and then it is proved
	late      bool            // it had to wait
	sooner    int             // changes of the turns before
	run       map[string]bool // the hosts of the run, by name
	drained   bool            // and not brought back yet
	drainedIn string          // the run that has noted that
	stepped   bool            // a step was begun
	noted     bool            // a run that changes nothing is journaled too
}

// newJobs prepares every host's work, without a connection: a template or a variable that
// is wrong for any host stops the whole run here.
func newJobs(work []Work, settings *Settings) ([]*job, error) {
	var mu sync.Mutex
	tell := settings.Observe
	if settings.InOrder {
		tell = newOrderly(work, tell).event
	}
	settings.Observe = func(event engine.HostEvent) {
		mu.Lock()
		defer mu.Unlock()
		tell(event)
	}
	var jobs []*job
	names := map[string]bool{}
	for _, w := range work {
		names[w.Target.Name] = true
	}
	dialer := remote.NewDialer()
	ready := prepare(work, settings.Last, newExporters(settings.Exporters, dialer, settings.Last))
	for i, w := range work {
		w.Target.dialer, w.Target.silence = dialer, cmp.Or(settings.Silence, silentAtMost)
		if ready[i].failed != nil {
			return nil, ready[i].failed
		}
		w.Blueprint.asking = ready[i].asking
		name, clock := w.Target.Name, &clock{}
		if settings.Last != nil {
			ready[i].asking.keep = func(known Known) { settings.Last.Keep(name, known) }
		}
		w.Target.Config = clock.pausing(w.Target.Config)
		j := &job{Work: w, settings: *settings, probes: ready[i].probes, clock: clock, run: names}
		j.observe = func(event engine.Event) {
			if _, begun := event.(engine.StepBegan); begun {
				j.stepped = true
			}
			settings.Observe(engine.HostEvent{Host: name, Event: event})
		}
		jobs = append(jobs, j)
	}
	return jobs, nil
}

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
	eachBegins(jobs, settings.Forks, func(j *job) {
		plan(planning, j)
		j.approve()
		j.slim()
		if len(jobs) > settings.Forks || pace.steps() {
			j.disconnect()
		}
	})
	done()
	pace.count(false, jobs...)
	pace.leave(jobs)
	deadlocked(jobs)
	pace.count(false, jobs...)
	pace.leave(jobs)
	together(jobs)
	pace.spare(jobs)
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
			apply(ctx, j)
		}
	}
	changing, others := pace.divide(jobs, agreed)
	var beside sync.WaitGroup
	beside.Go(func() {
		each(others, settings.Forks, func(j *job) {
			end(j)
			pace.count(false, j)
		})
	})
	pace.through(changing, end)
	beside.Wait()
}

// agree asks whether what is planned is done, where there is something.
func agree(jobs []*job, settings Settings) bool {
	if settings.Confirm == nil || !slices.ContainsFunc(jobs, func(j *job) bool { return !j.ended && !j.made.Empty() }) {
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

// slim lets go of what only a change needs, where there is none, or no more: thousands of hosts wait until
// the last one is planned.
func (j *job) slim() {
	if !j.ended && (!j.unchanged() || len(j.waits) > 0) {
		return
	}
	j.wanted, j.made.Items = recipe.Recipe{}, nil
	if j.Blueprint.asking != nil {
		j.Blueprint.asking.guessed = nil
	}
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

// each does work on all jobs, so many at a time.
func each(jobs []*job, forks int, work func(*job)) {
	var group errgroup.Group
	group.SetLimit(max(forks, 1))
	for _, j := range jobs {
		group.Go(func() error {
			j.clock.turn(func() { work(j) })
			return nil
		})
	}
	group.Wait()
}

// closeAll ends the connections to all hosts, and then those to their jump hosts.
func closeAll(jobs []*job) {
	for _, j := range jobs {
		j.disconnect()
	}
	for _, j := range jobs {
		j.Target.dialer.Close()
	}
}

func results(jobs []*job) []Result {
	all := make([]Result, len(jobs))
	for i, j := range jobs {
		all[i] = Result{j.Target.Name, j.result, slices.Concat(j.waits, j.lacks)}
	}
	return all
}

func (j *job) plan(ctx context.Context) {
	j.planBy(ctx, func() (err error) {
		j.wanted, j.made, err = j.host.plan(ctx, j.Blueprint, j.probes)
		if err == nil && j.drains() {
			j.made.Told = append(j.made.Told, j.toldOfDrains())
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
	if !j.unchanged() {
		err = j.change(ctx)
	}
	changed := err == nil
	if changed && j.again {
		if err = j.bringBack(ctx, nil, false); err == nil { // drained until its next turn would take long
			return
		}
	}
	if err == nil && (j.sooner > 0 || !onlyNotes(j.made)) {
		err = j.proves(ctx)
	}
	err = j.bringBack(ctx, err, changed && err != nil)
	if err == nil {
		j.result.After = j.Blueprint.After(j.made.Platform)
	}
	j.finish(status, err)
}

func (j *job) verify(ctx context.Context) error {
	var checks []recipe.Check
	own := host{target: j.Target, connection: j.host.connection} // the run has ended, if there was one
	err := own.knowing(ctx, j.Blueprint, func() (err error) {
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

func (j *job) finish(good engine.Status, err error) {
	j.ended = true
	j.result.Changed += j.sooner
	j.result.Status = status(err, good)
	j.result.Err = err
	j.result.Hint = Hint(err, j.Target.Name)
	j.result.Elapsed = j.clock.elapsed()
	j.disconnect()
	j.observe(j.result)
	j.slim()
}
