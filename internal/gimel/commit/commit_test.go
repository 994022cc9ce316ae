package commit

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"testing"
	"time"

	"provision/internal/gimel/event"
	"provision/internal/gimel/store"
)

// gate is a store whose commits wait until the test lets them through.
type gate struct {
	mu      sync.Mutex
	batches [][]string
	started chan int
	pass    chan struct{}
}

func newGate() *gate { return &gate{started: make(chan int, 100), pass: make(chan struct{}, 100)} }

func (g *gate) Commit(_ context.Context, events []event.Event) []store.Outcome {
	var uuids []string
	for _, e := range events {
		uuids = append(uuids, e.UUID)
	}
	g.mu.Lock()
	g.batches = append(g.batches, uuids)
	g.mu.Unlock()
	g.started <- len(events)
	<-g.pass
	outcomes := make([]store.Outcome, len(events))
	for i, e := range events {
		outcomes[i] = store.Outcome{Added: e.UUID != "bad"}
		if e.UUID == "bad" {
			outcomes[i].Err = errors.New("down")
		}
	}
	return outcomes
}

func (g *gate) Grow(context.Context) {}

func start(g *gate, queue int) *Committer {
	return New(g, Settings{Queue: queue, Batch: 4, Pipelines: 1, Timeout: 5 * time.Minute}, func(int, time.Duration) {})
}

func waitFor(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !condition(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}

func TestWhatArrivesMeanwhileTravelsTogether(t *testing.T) {
	g := newGate()
	c := start(g, 100)
	var group sync.WaitGroup
	send := func(uuid string, wantErr bool) {
		group.Go(func() {
			outcome, err := c.Commit(event.Event{UUID: uuid})
			if (err != nil) != wantErr || outcome.Added == wantErr {
				t.Errorf("%s: %+v, %v", uuid, outcome, err)
			}
		})
	}
	send("first", false)
	<-g.started
	for i := range 4 {
		send(strconv.Itoa(i), false)
	}
	send("bad", true)
	waitFor(t, "five wait", func() bool { return c.Waiting() == 5 })
	g.pass <- struct{}{}
	if size := <-g.started; size != 4 {
		t.Errorf("second batch has %d events, want 4 (the limit)", size)
	}
	g.pass <- struct{}{}
	if size := <-g.started; size != 1 {
		t.Errorf("third batch has %d events, want 1", size)
	}
	g.pass <- struct{}{}
	group.Wait()
	c.Close()
}

func TestAFullQueueIsBusy(t *testing.T) {
	g := newGate()
	c := start(g, 2)
	var group sync.WaitGroup
	commit := func() { group.Go(func() { _, _ = c.Commit(event.Event{UUID: "u"}) }) }
	commit()
	<-g.started
	commit()
	commit()
	waitFor(t, "two wait", func() bool { return c.Waiting() == 2 })
	if _, err := c.Commit(event.Event{UUID: "u"}); !errors.Is(err, ErrBusy) {
		t.Errorf("err = %v, want ErrBusy", err)
	}
	g.pass <- struct{}{}
	g.pass <- struct{}{}
	group.Wait()
	c.Close()
}

func TestAnEventWhoseDeadlineHasPassedIsNotSent(t *testing.T) {
	for timeout := 50 * time.Millisecond; ; timeout *= 2 {
		g := newGate()
		c := New(g, Settings{Queue: 10, Batch: 4, Pipelines: 1, Timeout: timeout}, func(int, time.Duration) {})
		slow := make(chan error, 1)
		go func() {
			_, err := c.Commit(event.Event{UUID: "slow"})
			slow <- err
		}()
		select {
		case <-g.started:
		case err := <-slow: // the first is late itself on a machine so busy: they have twice as long
			c.Close()
			if timeout > time.Minute {
				t.Fatal(err)
			}
			continue
		}
		late := make(chan error, 1)
		go func() {
			_, err := c.Commit(event.Event{UUID: "late"})
			late <- err
		}()
		waitFor(t, "one waits", func() bool { return c.Waiting() == 1 })
		time.Sleep(timeout + 10*time.Millisecond) // until its deadline has passed
		g.pass <- struct{}{}
		if err := <-late; !errors.Is(err, ErrLate) {
			t.Errorf("err = %v, want ErrLate", err)
		}
		<-slow
		c.Close()
		if len(g.batches) != 1 {
			t.Errorf("batches = %v, want only the first", g.batches)
		}
		return
	}
}

func TestABatchHasTheDeadlineOfItsOldestEvent(t *testing.T) {
	deadlines := make(chan time.Time, 1)
	c := New(storeFunc(func(ctx context.Context, events []event.Event) []store.Outcome {
		deadline, _ := ctx.Deadline()
		deadlines <- deadline
		return make([]store.Outcome, len(events))
	}), Settings{Queue: 1, Batch: 1, Pipelines: 1, Timeout: time.Minute}, func(int, time.Duration) {})
	before := time.Now()
	_, _ = c.Commit(event.Event{})
	if got := <-deadlines; got.Before(before.Add(time.Minute)) || got.After(time.Now().Add(time.Minute)) {
		t.Errorf("deadline in %v", got.Sub(before))
	}
	c.Close()
}

type storeFunc func(context.Context, []event.Event) []store.Outcome

func (f storeFunc) Commit(ctx context.Context, events []event.Event) []store.Outcome {
	return f(ctx, events)
}

func (storeFunc) Grow(context.Context) {}

// growing is a store that never finishes making room, until the test ends.
type growing struct {
	storeFunc
	until chan struct{}
}

func (g growing) Grow(context.Context) { <-g.until }

// Nobody's answer waits for the store to make room for more.
func TestTheAnswerComesBeforeTheStoreGrows(t *testing.T) {
	g := growing{func(_ context.Context, events []event.Event) []store.Outcome {
		return make([]store.Outcome, len(events))
	}, make(chan struct{})}
	c := New(g, Settings{Queue: 1, Batch: 1, Pipelines: 1, Timeout: time.Minute}, func(int, time.Duration) {})
	answered := make(chan error, 1)
	go func() {
		_, err := c.Commit(event.Event{})
		answered <- err
	}()
	select {
	case err := <-answered:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(2 * time.Minute):
		t.Error("no answer while the store grows")
	}
	close(g.until)
	c.Close()
}

func TestCloseCommitsWhatWaits(t *testing.T) {
	g := newGate()
	c := start(g, 10)
	var group sync.WaitGroup
	commit := func() {
		group.Go(func() {
			if outcome, err := c.Commit(event.Event{UUID: "u"}); err != nil || !outcome.Added {
				t.Errorf("%+v, %v", outcome, err)
			}
		})
	}
	commit()
	<-g.started
	commit()
	commit()
	waitFor(t, "two wait", func() bool { return c.Waiting() == 2 })
	closed := make(chan struct{})
	go func() { c.Close(); close(closed) }()
	for range 3 {
		g.pass <- struct{}{}
	}
	group.Wait()
	<-closed
	if _, err := c.Commit(event.Event{UUID: "u"}); !errors.Is(err, ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

func TestOnlyBatchesAfterASlowOneWaitForMore(t *testing.T) {
	for _, test := range []struct {
		events     int
		took, want time.Duration
	}{
		{0, 0, 0},
		{1, time.Second, 0},
		{64, time.Millisecond, 0},
		{64, 2 * time.Millisecond, 500 * time.Microsecond},
		{64, time.Second, time.Millisecond},
	} {
		if got := patienceAfter(test.events, test.took); got != test.want {
			t.Errorf("%d events, %v: %v, want %v", test.events, test.took, got, test.want)
		}
	}
}

// Whoever sends many at once fills no queue: visitors find room, and he is refused when theirs is
// half of it.
func TestWhoSendsManyLeavesRoomForVisitors(t *testing.T) {
	g := newGate()
	c := start(g, 16)
	var group sync.WaitGroup
	aside := make(chan error, 100)
	many := func() { group.Go(func() { _, err := c.CommitAside(event.Event{UUID: "many"}); aside <- err }) }
	many()
	<-g.started // a batch that stays
	for range 20 {
		many()
	}
	waitFor(t, "a quarter of the queue is taken", func() bool { return c.Waiting() >= 3 })
	time.Sleep(20 * time.Millisecond)
	if n := c.Waiting(); n > 4 {
		t.Errorf("%d of 16 places are taken by one who sends many", n)
	}
	visitors := make(chan error, 12)
	for range 12 {
		group.Go(func() { _, err := c.Commit(event.Event{UUID: "visitor"}); visitors <- err })
	}
	waitFor(t, "visitors wait too", func() bool { return c.Waiting() >= 15 })
	close(g.pass) // all batches go
	group.Wait()
	for range 12 {
		if err := <-visitors; err != nil {
			t.Errorf("a visitor: %v", err)
		}
	}
	c.Close()
}

func TestWhoSendsManyIsRefusedFirst(t *testing.T) {
	g := newGate()
	c := start(g, 8)
	var group sync.WaitGroup
	commit := func() { group.Go(func() { _, _ = c.Commit(event.Event{UUID: "u"}) }) }
	commit()
	<-g.started
	for range 4 {
		commit()
	}
	waitFor(t, "half of the queue is taken", func() bool { return c.Waiting() == 4 })
	if _, err := c.CommitAside(event.Event{UUID: "many"}); !errors.Is(err, ErrBusy) {
		t.Errorf("err = %v, want ErrBusy", err)
	}
	commit()
	waitFor(t, "a visitor has room", func() bool { return c.Waiting() == 5 })
	close(g.pass)
	group.Wait()
	c.Close()
}
