package eventlog

import (
	"context"
	"testing"
	"time"

	"provision/internal/gimel/redistest"
)

// patient is a sink that wants few batches.
type patient struct {
	*memory
	batches int
}

func (*patient) Pace() Pace { return Pace{Rows: 1000, Pause: time.Hour} }

func (p *patient) Commit(ctx context.Context, batch Batch) error {
	if batch.Rows() > 0 {
		p.batches++
	}
	return p.memory.Commit(ctx, batch)
}

// All that waits is one batch, however many entries it is in; who asks for a recount does not wait
// for the next.
func TestASinkThatWantsFewBatches(t *testing.T) {
	s := counting(t, redistest.Start(t), 1<<20)
	sink := &patient{memory: newMemory(t)}
	c := newConsumer(t, s, sink)
	for i := range 2*entriesAtOnce + 50 {
		visit(t, s, "a", i, i+1)
	}
	full, err := c.cycle(t.Context())
	if err != nil || full || sink.batches != 1 || len(sink.rows) != 2*entriesAtOnce+50 {
		t.Errorf("full %t, %v; %d batches, %d rows", full, err, sink.batches, len(sink.rows))
	}
	if wait := c.note(t.Context(), 0, full, err); wait != time.Hour {
		t.Errorf("the next after %s", wait)
	}
	visit(t, s, "a", 1000, 1010)
	expect(t, c, "n:a participate:blue  counted 260, rows 260, waiting 0")
}

// What has no row gets one in batches of the sink's size, not of a reading's.
func TestFillingASinkThatWantsFewBatches(t *testing.T) {
	server := redistest.Start(t)
	visit(t, counting(t, server, 0), "a", 0, 40_000) // more than one reading of buckets brings
	sink := &patient{memory: newMemory(t)}
	c := newConsumer(t, counting(t, server, 1<<20), sink)
	c.pace.Rows = 100_000
	if err := c.fill(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(sink.rows) != 40_000 || sink.batches != 1 {
		t.Errorf("%d rows in %d batches", len(sink.rows), sink.batches)
	}
}
