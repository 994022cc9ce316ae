// Package commit lets concurrent requests share a pipeline to Redis: while one
// batch is on its way, what arrives meanwhile becomes the next (group commit).
package commit

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"time"

	"provision/internal/gimel/event"
	"provision/internal/gimel/store"
)

// ErrBusy is returned when the queue is full: Redis is slower than the events
// come.
var ErrBusy = errors.New("queue is full")

// ErrClosed is returned after Close.
var ErrClosed = errors.New("committer is closed")

// ErrLate is returned when an event's deadline has passed before its turn.
var ErrLate = errors.New("deadline has passed")

// Store commits events in one go and answers for each, in order.
type Store interface {
	Commit(ctx context.Context, events []event.Event) []store.Outcome
	// Grow makes room for more events; it is called after the answers.
	Grow(ctx context.Context)
}

// Settings bound the work.
type Settings struct {
	Queue     int           // events that may wait
	Batch     int           // events that travel together
	Pipelines int           // batches on their way at once
	Timeout   time.Duration // from an event's arrival to its answer
}

// Observer is told of every batch: how many events, and how long Redis took.
type Observer func(events int, took time.Duration)

// Committer collects events into batches. It is safe for concurrent use.
type Committer struct {
	store    Store
	settings Settings
	observe  Observer
	queue    chan *request
	aside    chan struct{} // one for each event of CommitAside
	workers  sync.WaitGroup

	mu     sync.RWMutex // guards closed against sends on the queue
	closed bool
}

type request struct {
	event    event.Event
	deadline time.Time
	done     chan store.Outcome // gets exactly one outcome for each send
}

// requests are used again: their waiter always takes the outcome.
var requests = sync.Pool{New: func() any { return &request{done: make(chan store.Outcome, 1)} }}

// New starts the workers. Close ends them.
func New(target Store, settings Settings, observe Observer) *Committer {
	c := &Committer{
		store:    target,
		settings: settings,
		observe:  observe,
		queue:    make(chan *request, settings.Queue),
		aside:    make(chan struct{}, max(1, settings.Queue/4)),
	}
	for range settings.Pipelines {
		c.workers.Go(c.work)
	}
	return c
}

// Commit returns after Redis has committed the event, or with an error when it
// has not, or is not known to have: then the event should be sent again. It
// returns within Settings.Timeout, for a batch has the deadline of the oldest
// event in it.
func (c *Committer) Commit(e event.Event) (store.Outcome, error) {
	return c.commit(e)
}

// CommitAside is Commit for who sends many events and can send them again, as a
// server: all of those have a quarter of the queue together, and none where
// half of it is taken, for the rest is visitors'.
func (c *Committer) CommitAside(e event.Event) (store.Outcome, error) {
	patience := time.NewTimer(c.settings.Timeout)
	defer patience.Stop()
	select {
	case c.aside <- struct{}{}:
		defer func() { <-c.aside }()
	case <-patience.C:
		return store.Outcome{}, ErrBusy
	}
	if c.Waiting() >= max(1, c.settings.Queue/2) {
		return store.Outcome{}, ErrBusy
	}
	return c.commit(e)
}

func (c *Committer) commit(e event.Event) (store.Outcome, error) {
	waiting := requests.Get().(*request)
	defer requests.Put(waiting)
	waiting.event, waiting.deadline = e, time.Now().Add(c.settings.Timeout)
	if err := c.enqueue(waiting); err != nil {
		return store.Outcome{}, err
	}
	outcome := <-waiting.done
	return outcome, outcome.Err
}

func (c *Committer) enqueue(waiting *request) error {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if c.closed {
		return ErrClosed
	}
	select {
	case c.queue <- waiting:
		return nil
	default:
		return ErrBusy
	}
}

// Waiting is the number of events in the queue.
func (c *Committer) Waiting() int { return len(c.queue) }

// Close refuses new events, commits those that wait, and returns after the
// last of them.
func (c *Committer) Close() {
	c.mu.Lock()
	if !c.closed {
		c.closed = true
		close(c.queue)
	}
	c.mu.Unlock()
	c.workers.Wait()
}

func (c *Committer) work() {
	var patience time.Duration
	for first := range c.queue {
		if patience > 0 {
			time.Sleep(patience)
		} else {
			runtime.Gosched()
		}
		batch := c.collect(first)
		patience = patienceAfter(len(batch), c.send(batch))
	}
}

// patienceAfter is how long the next batch waits for more after its first
// event, given the last one and how long Redis took for it. Without any it
// waits for the goroutines that can run now and may have an event, for a batch
// costs as much as some dozen events. A Redis that takes long waits for its
// disk, once a batch: then fewer and larger ones are faster for all. Those whose
// batch has just been answered, and who ask again, would else be half of the
// next, and the others the other half. A lone visitor never waits.
func patienceAfter(events int, took time.Duration) time.Duration {
	if events < 2 || took < 2*time.Millisecond {
		return 0
	}
	return min(took/4, time.Millisecond)
}

// collect takes what waits, without waiting for more. Events whose deadline
// has passed get their answer at once.
func (c *Committer) collect(first *request) []*request {
	batch := make([]*request, 0, c.settings.Batch)
	now := time.Now()
	for next, open := first, true; open; {
		if now.Before(next.deadline) {
			batch = append(batch, next)
		} else {
			next.done <- store.Outcome{Err: ErrLate}
		}
		if len(batch) == c.settings.Batch {
			break
		}
		select {
		case next, open = <-c.queue:
		default:
			open = false
		}
	}
	return batch
}

// send commits a batch, answers its events and says how long Redis took.
func (c *Committer) send(batch []*request) time.Duration {
	if len(batch) == 0 {
		return 0
	}
	events := make([]event.Event, len(batch))
	for i, waiting := range batch {
		events[i] = waiting.event
	}
	ctx, cancel := context.WithDeadline(context.Background(), batch[0].deadline)
	defer cancel()
	start := time.Now()
	outcomes := c.store.Commit(ctx, events)
	took := time.Since(start)
	c.observe(len(batch), took)
	for i, waiting := range batch {
		waiting.done <- outcomes[i]
	}
	room, done := context.WithTimeout(context.Background(), c.settings.Timeout)
	defer done()
	c.store.Grow(room)
	return took
}
