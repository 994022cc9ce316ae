package eventlog

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"provision/internal/gimel/redistest"
	"provision/internal/gimel/store"
)

// slow is a sink that keeps all, and is too large to be counted in time.
type slow struct {
	*memory
	asked int
}

func (s *slow) Count(context.Context, store.Life) (map[store.CounterName]Kept, error) {
	s.asked++
	return nil, errors.New("timeout: context deadline exceeded")
}

func (s *slow) has() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.rows)
}

// A sink that cannot be counted keeps events all the same: it is asked once in a
// while, not with each batch, and the log is not said to be stuck.
func TestWhatCannotBeCountedIsNotAskedForEachTime(t *testing.T) {
	s := counting(t, redistest.Start(t), 1<<20)
	sink := &slow{memory: newMemory(t)}
	consumer := newConsumer(t, s, sink)
	visit(t, s, "e", 0, 10)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { consumer.Run(ctx); close(ended) }()
	for from := 10; from < 50; from += 10 { // each in another round
		visit(t, s, "e", from, from+10)
		for end := time.Now().Add(time.Minute); sink.has() < from+10 && time.Now().Before(end); {
			time.Sleep(50 * time.Millisecond)
		}
	}
	working := consumer.figures.working.Load()
	stop()
	<-ended
	if sink.asked != 1 || len(sink.rows) != 50 || !working {
		t.Errorf("asked %d times; %d rows, working %t", sink.asked, len(sink.rows), working)
	}
}

// older is a sink whose rows an older version has kept: it knows how many after Check.
type older struct {
	*memory
	checks  chan struct{}
	checked atomic.Bool
}

func (o *older) Count(ctx context.Context, life store.Life) (map[store.CounterName]Kept, error) {
	if !o.checked.Load() {
		return nil, fmt.Errorf("sink: %w", ErrToCheck)
	}
	return o.memory.Count(ctx, life)
}

func (o *older) Check(ctx context.Context, _ store.Life) error {
	select {
	case <-o.checks:
		o.checked.Store(true)
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Rows of an older version are counted beside all else, however long that takes; then a recount can
// be had, and what lacks rows gets some.
func TestRowsOfAnOlderVersionAreCountedBesideTheOthers(t *testing.T) {
	server := redistest.Start(t)
	visit(t, counting(t, server, 0), "e", 0, 5) // not logged
	s := counting(t, server, 1<<20)
	sink := &older{memory: newMemory(t), checks: make(chan struct{})}
	consumer := newConsumer(t, s, sink)
	defer consumer.beside.Wait()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	for range 3 {
		if err := consumer.fill(ctx); err != nil {
			t.Fatal(err)
		}
		consumer.balanced = time.Time{} // as if a minute were over
	}
	visit(t, s, "e", 5, 20)
	drain(t, consumer)
	if _, err := consumer.Recount(t.Context()); !errors.Is(err, ErrToCheck) || len(sink.rows) != 15 {
		t.Errorf("%v, %d rows", err, len(sink.rows))
	}
	sink.checks <- struct{}{}
	consumer.beside.Wait()
	if err := consumer.fill(ctx); err != nil {
		t.Fatal(err)
	}
	expect(t, consumer, "n:e participate:blue  counted 20, rows 20, waiting 0, 5 rows without a time")
}
