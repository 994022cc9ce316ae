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
	"provision/internal/script"
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

// Result is how the work on one host ended.
type Result struct {
	Host string
	engine.Finished
	Awaits []string // of a plan: the hosts of the run after which this one is planned, or planned again
}

// Verb is what is done to hosts: Plan, Install, Verify and others, and what Exec and its like return.
type Verb func(ctx context.Context, work []Work, settings Settings) ([]Result, error)

// job is the work on one host while it goes on.
type job struct {
	Work
	settings Settings
	observe  engine.Observer
	clock    *clock

	beginning *beginning // of the work, while it begins
	hasTurn   bool

	host    host
	probes  []recipe.Probe
	wanted  recipe.Recipe
	made    engine.Plan
	boot    string // the host's boot_id before the first change
	result  engine.Finished
	begun   bool // its changes, or its proof
	ended   bool
	stepped bool // a step was begun
	noted   bool // a run that changes nothing is journaled too
	drained bool // and not brought back yet
	canary  bool // no other host is begun before it has passed its checks
	turns
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
	dialer, questions := remote.NewDialer(), new(script.Questions)
	ready := prepare(work, settings.Last, newExporters(settings.Exporters, dialer, settings.Last))
	for i, w := range work {
		w.Target.dialer, w.Target.questions, w.Target.silence = dialer, questions, cmp.Or(settings.Silence, silentAtMost)
		if ready[i].failed != nil {
			return nil, ready[i].failed
		}
		w.Blueprint.asking = ready[i].asking
		name, clock := w.Target.Name, &clock{}
		if settings.Last != nil {
			ready[i].asking.keep = func(known Known) { settings.Last.Keep(name, known) }
		}
		w.Target.Config = clock.pausing(w.Target.Config)
		j := &job{Work: w, settings: *settings, probes: ready[i].probes, clock: clock, turns: turns{run: names}}
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

func (j *job) finish(good engine.Status, err error) {
	j.ended = true
	j.result.Changed += j.sooner
	j.result.Status = status(err, good)
	j.result.Err = err
	j.result.Hint = j.Target.hint(err)
	j.result.Elapsed = j.clock.elapsed()
	j.disconnect()
	j.observe(j.result)
	j.slim()
}
