package run

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"

	"provision/internal/engine"
)

// pacer takes a run's hosts through their changes as its pace says, and counts how they end.
type pacer struct {
	Pace
	forks    int
	hosts    int // of the run
	canaries int // that are still to come, −1 before it is known of how many hosts they are a part

	mu                  sync.Mutex
	counted             map[*job]bool
	failed, unreachable []string
	stopped             string // why no further host is begun
}

func newPacer(pace Pace, forks, hosts int) *pacer {
	return &pacer{Pace: pace, forks: forks, hosts: hosts, canaries: -1, counted: map[*job]bool{}}
}

// divide divides jobs into those that go through the window, be it for their proof alone, and those on which
// nothing is changed.
func (p *pacer) divide(jobs []*job, agreed bool) (changing, others []*job) {
	if !agreed || p.Pace.zero() {
		return nil, jobs
	}
	for _, j := range jobs {
		if j.changes() || j.begun && !j.ended {
			changing = append(changing, j)
		} else {
			others = append(others, j)
		}
	}
	inOrder(changing)
	return changing, others
}

// changes reports whether something is to be changed on a host, in this turn.
func (j *job) changes() bool { return !j.ended && len(j.waits) == 0 && !j.unchanged() }

// spare has hosts that are drained changed one by one, where nobody has said how many at once: all of them
// drained at once would serve nobody.
func (p *pacer) spare(jobs []*job) {
	if p.steps() || !slices.ContainsFunc(jobs, func(j *job) bool { return j.changes() && j.drains() }) {
		return
	}
	p.Window = &Share{Number: 1}
	for _, j := range jobs {
		j.settings.Unasked = false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stopped = cmp.Or(p.stopped, p.exceeded()) // what failed before counts as with a window that is asked for
}

// through does work on jobs wave after wave, in each so many at once, as if all that are to be changed had their
// turn. What work ends with is counted before the next one enters.
func (p *pacer) through(jobs []*job, all int, work func(*job)) {
	if p.canaries < 0 && all > 0 {
		p.canaries = 0
		if p.Canary != nil {
			p.canaries = p.Canary.Of(all)
		}
	}
	canaries := p.canaries
	for _, j := range jobs {
		if j.canary { // it had a turn, and is proved in this one
			canaries++
		}
	}
	for _, wave := range p.waves(all, canaries, p.forks) {
		wave.hosts = min(wave.hosts, len(jobs))
		for _, j := range jobs[:wave.hosts] {
			if wave.canary && !j.canary {
				j.canary = true
				p.canaries--
			}
		}
		each(jobs[:wave.hosts], wave.atOnce, func(j *job) {
			if !p.leaves(j) {
				work(j)
				p.count(j)
			}
		})
		jobs = jobs[wave.hosts:]
	}
}

// leaves ends the work on a host that is not to be begun, and reports whether it is such.
func (p *pacer) leaves(j *job) bool {
	why := p.why()
	switch {
	case j.begun && !j.changes(): // it has its proof to come
		return false
	case why != "" && j.begun:
		j.finish("", fmt.Errorf("is changed in part, and not proved: %s", why))
		return true
	case why != "":
		j.finish("", notBegunError(why))
		return true
	case j.stopping():
		j.finish("", engine.ErrInterrupted)
		return true
	}
	return false
}

// leave leaves the hosts that are not to be begun any more.
func (p *pacer) leave(jobs []*job) {
	for _, j := range jobs {
		if p.why() != "" && (j.changes() || !j.ended && len(j.waits) > 0) {
			j.clock.turn(func() { p.leaves(j) })
		}
	}
}

// why is why no further host is begun, "" while they are.
func (p *pacer) why() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stopped
}

// count counts how the work on hosts has ended, of each once, if it has.
func (p *pacer) count(jobs ...*job) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, j := range jobs {
		if !j.ended || p.counted[j] {
			continue
		}
		p.counted[j] = true
		switch {
		case good(j.result.Status):
			continue
		case j.result.Status == engine.StatusUnreachable && j.boot == "":
			p.unreachable = append(p.unreachable, j.Target.Name)
		default: // also one that was lost in the middle of its change
			p.failed = append(p.failed, j.Target.Name)
		}
		if j.canary {
			p.stopped = cmp.Or(p.stopped, j.Target.Name+" "+how(j.result.Status)+", and is a canary")
		}
		p.stopped = cmp.Or(p.stopped, p.exceeded())
	}
}

// good reports whether a host that ended so speaks against no other.
func good(status engine.Status) bool {
	switch status {
	case engine.StatusSame, engine.StatusChanged, engine.StatusDone, engine.StatusVerified, engine.StatusPending,
		engine.StatusInterrupted, engine.StatusNotBegun:
		return true
	}
	return false
}

// exceeded says what has become too much.
func (p *pacer) exceeded() string {
	for _, limit := range []struct {
		hosts  []string
		most   *Share
		flag   string
		status engine.Status
	}{
		{p.failed, p.maxFail(), "--max-fail", engine.StatusFailed},
		{p.unreachable, p.MaxUnreachable, "--max-unreachable", engine.StatusUnreachable},
	} {
		if limit.most == nil || !limit.most.exceeded(len(limit.hosts), p.hosts) {
			continue
		}
		shown := strings.Join(limit.hosts[:min(len(limit.hosts), mostNamed)], ", ")
		if more := len(limit.hosts) - mostNamed; more > 0 {
			shown += fmt.Sprintf(" and %d more", more)
		}
		return fmt.Sprintf("%s %s, and %s is %s", shown, how(limit.status), limit.flag, limit.most)
	}
	return ""
}

// mostNamed is how many hosts are named where a run has stopped.
const mostNamed = 5

// how says of a host how it ended.
func how(status engine.Status) string {
	if status == engine.StatusUnreachable {
		return "could not be reached"
	}
	return "failed"
}

// notBegunError is why a host was not begun.
type notBegunError string

func (e notBegunError) Error() string { return string(e) }
