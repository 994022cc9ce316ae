package eventlog

import (
	"context"
	"errors"
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
	for from := 10; from < 50; from += 10 {
		visit(t, s, "e", from, from+10)
		time.Sleep(1100 * time.Millisecond)
	}
	working := consumer.figures.working.Load()
	stop()
	<-ended
	if sink.asked != 1 || len(sink.rows) != 50 || !working {
		t.Errorf("asked %d times; %d rows, working %t", sink.asked, len(sink.rows), working)
	}
}
