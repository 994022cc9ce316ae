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

func start(g *gate, queue int) *Committer {
	return New(g, Settings{Queue: queue, Batch: 4, Pipelines: 1, Timeout: time.Second}, func(int, time.Duration) {})
}

func waitFor(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); !condition(); time.Sleep(time.Millisecond) {
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
			outcome, err := c.Commit(t.Context(), event.Event{UUID: uuid})
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
	commit := func() { group.Go(func() { _, _ = c.Commit(t.Context(), event.Event{UUID: "u"}) }) }
	commit()
	<-g.started
	commit()
	commit()
	waitFor(t, "two wait", func() bool { return c.Waiting() == 2 })
	if _, err := c.Commit(t.Context(), event.Event{UUID: "u"}); !errors.Is(err, ErrBusy) {
		t.Errorf("err = %v, want ErrBusy", err)
	}
	g.pass <- struct{}{}
	g.pass <- struct{}{}
	group.Wait()
	c.Close()
}

func TestADeadlineEndsTheWaitAndItsEventIsNotSent(t *testing.T) {
	g := newGate()
	c := start(g, 10)
	var group sync.WaitGroup
	group.Go(func() { _, _ = c.Commit(t.Context(), event.Event{UUID: "slow"}) })
	<-g.started
	ctx, cancel := context.WithCancel(t.Context())
	group.Go(func() {
		if _, err := c.Commit(ctx, event.Event{UUID: "late"}); !errors.Is(err, context.Canceled) {
			t.Errorf("err = %v", err)
		}
	})
	waitFor(t, "one waits", func() bool { return c.Waiting() == 1 })
	cancel()
	g.pass <- struct{}{}
	group.Wait()
	c.Close()
	if len(g.batches) != 1 {
		t.Errorf("batches = %v, want only the first", g.batches)
	}
}

func TestCloseCommitsWhatWaits(t *testing.T) {
	g := newGate()
	c := start(g, 10)
	var group sync.WaitGroup
	commit := func() {
		group.Go(func() {
			if outcome, err := c.Commit(t.Context(), event.Event{UUID: "u"}); err != nil || !outcome.Added {
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
	if _, err := c.Commit(t.Context(), event.Event{UUID: "u"}); !errors.Is(err, ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}
