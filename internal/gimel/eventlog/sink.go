// Package eventlog brings the log of events from Redis to a sink that SQL
// reads, each event once, and holds what is there against the counters.
package eventlog

import (
	"context"
	"time"

	"provision/internal/gimel/store"
)

// Row is one event as a sink keeps it. A life, an event, a variant and a
// fingerprint have one row, however often it is committed.
type Row struct {
	store.CounterName
	Fingerprint int64
	At          time.Time // UTC; zero for what was counted and not logged
	Value       *float64  // of a goal that has values
}

// Part is what a batch has of one life.
type Part struct {
	Life store.Life
	Rows []Row
}

// Batch is what a sink keeps in one go.
type Batch struct {
	Parts []Part
	// Again: some rows may have been committed before, by a process that ended
	// before it could say so, or in front of a Redis that has forgotten it.
	Again bool
}

// Rows is how many rows a batch has.
func (b Batch) Rows() (n int) {
	for _, part := range b.Parts {
		n += len(part.Rows)
	}
	return n
}

// Kept is how many rows a sink has of a counter, and how many of these have no
// time.
type Kept struct{ Rows, Untimed int64 }

// Sink keeps rows. It is called by one goroutine at a time.
type Sink interface {
	// Commit returns when the rows are kept for good: a crash takes none. A row
	// that is there stays as it is. After an error some may be kept.
	Commit(ctx context.Context, batch Batch) error
	// Count tells what there is of a life.
	Count(ctx context.Context, life store.Life) (map[store.CounterName]Kept, error)
	// Remove takes away the rows of an experiment, of all its lives.
	Remove(ctx context.Context, namespace, experiment string) error
	Close() error
}
