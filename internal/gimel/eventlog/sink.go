// Package eventlog brings the log of events from Redis to a sink that SQL
// reads, each event once, and holds what is there against the counters.
package eventlog

import (
	"context"
	"errors"
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

// ErrToCheck is what Count says of rows that were kept by a version which did
// not count them as it kept them: Check does, once.
var ErrToCheck = errors.New("rows that an older version has kept are to be counted first")

// Sink keeps rows. But for Check it is called by one goroutine at a time.
type Sink interface {
	// Commit returns when the rows are kept for good: a crash takes none. A row
	// that is there stays as it is. After an error some may be kept.
	Commit(ctx context.Context, batch Batch) error
	// Count tells what there is of a life. No event is committed meanwhile, so it
	// is to be quick however many rows there are: from a count that is kept with
	// them. It may be ErrToCheck.
	Count(ctx context.Context, life store.Life) (map[store.CounterName]Kept, error)
	// Fingerprints shows those of a counter's rows that can still be read, in any
	// order: as of files that were moved away they need not be all that were
	// counted.
	Fingerprints(ctx context.Context, life store.Life, name store.CounterName, see func(int64)) error
	// Check counts the rows of a life one by one, as long as that takes, and sets
	// right what Count tells of it. Others are called meanwhile.
	Check(ctx context.Context, life store.Life) error
	// Remove takes away the rows of an experiment: those of one life of it, or of
	// all where that is "".
	Remove(ctx context.Context, namespace, experiment, life string) error
	Close() error
}

// Pace is how a sink wants its batches.
type Pace struct {
	Rows  int           // when a batch is full
	Pause time.Duration // how long rows of one that is not full are gathered
}

// Paced is a Sink that does not want batches as they come.
type Paced interface{ Pace() Pace }
