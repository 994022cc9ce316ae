package eventlog

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"provision/internal/gimel/store"
)

const (
	// rowsAtOnce is when a batch is full, of a sink that says nothing else. It may
	// be larger by what one read brings.
	rowsAtOnce = 5000
	// entriesAtOnce is how many entries of a log one read brings, and
	// livesAtOnce how many logs.
	entriesAtOnce = 100
	livesAtOnce   = 50
	// pause is how long the rows of a batch that is not full are waited for, of a
	// sink that says nothing else; errors are, of all.
	pause = time.Second
	// balanceEvery is how often the sink is held against the counters.
	balanceEvery = time.Hour
	// takeOverEvery is how often entries are looked for that another consumer
	// has left.
	takeOverEvery = time.Minute
	// clocks is how far the clock of Redis may be from this one.
	clocks = time.Minute
)

// Consumer brings logs to a sink.
type Consumer struct {
	store    *store.Store
	log      *store.EventLog
	sink     Sink
	pace     Pace
	messages *slog.Logger
	turn     chan struct{} // who holds it may read the log and use the sink

	// After a start and after an error: what was begun comes first, and what is
	// older than doubt may have been committed.
	sure      bool
	doubt     time.Time
	takenOver time.Time
	first     int // where the next reading of many logs begins
	balanced  time.Time
	missed    int64 // when it was balanced

	failed     int                // commits in a row
	aside      map[lifeName]aside // lives of which the sink refuses something
	unreadable time.Time          // when an entry was told to be so
	notRemoved time.Time          // when the sink has refused to remove rows

	checking atomic.Bool
	beside   sync.WaitGroup // what goes on beside the cycles

	figures figures
}

// figures are told by Metrics.
type figures struct {
	rows, batches, failures, filled atomic.Int64
	unreadable                      atomic.Int64 // entries
	aside                           atomic.Int64 // lives
	lastCommit                      atomic.Int64 // Unix time
	working                         atomic.Bool
}

// New makes a consumer of that name, which no other process may have at the
// same time.
func New(source *store.Store, name string, sink Sink, messages *slog.Logger) *Consumer {
	c := &Consumer{store: source, log: source.EventLog(name), sink: sink, messages: messages, turn: make(chan struct{}, 1)}
	c.pace = Pace{Rows: rowsAtOnce, Pause: pause}
	if paced, is := sink.(Paced); is {
		c.pace = paced.Pace()
	}
	c.turn <- struct{}{}
	return c
}

// Run brings events to the sink until the context ends. What is in the way is
// logged, and tried again.
func (c *Consumer) Run(ctx context.Context) {
	defer c.beside.Wait()
	var wait time.Duration
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		full, err := c.cycle(ctx)
		if err == nil && !full {
			err = c.fill(ctx)
		}
		wait = c.note(ctx, wait, full, err)
	}
}

// note says what a cycle met, once, and how long to wait for the next.
func (c *Consumer) note(ctx context.Context, waited time.Duration, full bool, err error) time.Duration {
	if err == nil {
		if !c.figures.working.Swap(true) {
			c.messages.Info("events go from the log to the sink")
		}
		if full {
			return 0
		}
		return c.pace.Pause
	}
	if ctx.Err() != nil {
		return 0
	}
	c.figures.failures.Add(1)
	if c.figures.working.Swap(false) || waited == 0 {
		c.messages.Error("events stay in the log", "error", err)
	}
	return min(2*max(waited, pause/2), max(10*pause, c.pace.Pause))
}

// take waits for the turn. Its end gives it back.
func (c *Consumer) take(ctx context.Context) (end func(), err error) {
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-c.turn:
		return func() { c.turn <- struct{}{} }, nil
	}
}

// cycle brings one batch to the sink, and says whether there may be another.
func (c *Consumer) cycle(ctx context.Context) (full bool, err error) {
	end, err := c.take(ctx)
	if err != nil {
		return false, err
	}
	defer end()
	defer func() {
		if err != nil {
			c.sure = false
		}
	}()
	unsure := !c.sure
	lives, found, full, err := c.collect(ctx)
	if err != nil {
		return false, err
	}
	batch := c.batch(lives, found)
	// An empty one asks the sink whether it is there.
	if batch.Rows() > 0 || unsure {
		if err := c.commit(ctx, batch, lives, found); err != nil {
			return false, err
		}
	}
	return full, c.done(ctx, lives, found)
}

// done takes entries out of the log.
func (c *Consumer) done(ctx context.Context, lives []store.Life, found [][]store.Counted) error {
	c.noteUnreadable(lives, found)
	return c.log.Done(ctx, lives, found)
}

// commit brings a batch to the sink. Where that has failed a few times it is
// taken apart, and what the sink refuses of one life is taken out of found.
func (c *Consumer) commit(ctx context.Context, batch Batch, lives []store.Life, found [][]store.Counted) error {
	err := c.sink.Commit(ctx, batch)
	if err != nil {
		if c.failed++; c.failed <= failuresAreTheSink || !c.sinkIsThere(ctx) {
			return err
		}
		if err := c.commitApart(ctx, batch, lives, found, err); err != nil {
			return err
		}
	}
	c.failed = 0
	if rows := size(found); rows > 0 {
		c.figures.rows.Add(int64(rows))
		c.figures.batches.Add(1)
		c.figures.lastCommit.Store(time.Now().Unix())
	}
	return nil
}

// collect reads the entries of one batch: those that were begun before others.
func (c *Consumer) collect(ctx context.Context) (lives []store.Life, found [][]store.Counted, full bool, err error) {
	if lives, err = c.store.Lives(ctx); err != nil {
		return nil, nil, false, err
	}
	if err := c.tryAside(ctx, lives); err != nil {
		return nil, nil, false, err
	}
	lives = c.notAside(lives)
	if !c.sure || time.Since(c.takenOver) > takeOverEvery {
		if !c.sure {
			c.doubt = time.Now().Add(clocks)
		}
		if err := c.log.TakeOver(ctx, lives); err != nil {
			return nil, nil, false, err
		}
		begun, err := c.log.Begun(ctx, lives)
		if err != nil {
			return nil, nil, false, err
		}
		if slices.ContainsFunc(begun, func(entries []store.Counted) bool { return len(entries) > 0 }) {
			c.doubt = time.Now().Add(clocks)
			return lives, begun, true, c.addOthers(ctx, lives, begun)
		}
		c.sure, c.takenOver = true, time.Now()
	}
	found, full, err = c.next(ctx, lives)
	return lives, found, full, err
}

// addOthers reads what is new of lives of which nothing is begun, where that
// has failed again and again: it may be what is begun that the sink refuses.
func (c *Consumer) addOthers(ctx context.Context, lives []store.Life, begun [][]store.Counted) error {
	if c.failed < failuresAreTheSink {
		return nil
	}
	var others []store.Life
	var places []int
	for i, life := range lives {
		if len(begun[i]) == 0 {
			others, places = append(others, life), append(places, i)
		}
	}
	found, _, err := c.next(ctx, others)
	for at, place := range places {
		if err == nil {
			begun[place] = found[at]
		}
	}
	return err
}

// next reads new entries until there are enough, or none are left.
func (c *Consumer) next(ctx context.Context, lives []store.Life) (found [][]store.Counted, full bool, err error) {
	found = make([][]store.Counted, len(lives))
	rows := 0
	for read := 0; read < len(lives); {
		from := (c.first + read) % len(lives)
		some := lives[from:min(from+livesAtOnce, len(lives), from+len(lives)-read)]
		for more := true; more && rows < c.pace.Rows; {
			entries, err := c.log.Next(ctx, some, entriesAtOnce)
			if err != nil {
				return nil, false, err
			}
			more = false
			for i := range some {
				found[from+i] = append(found[from+i], entries[i]...)
				more = more || len(entries[i]) == entriesAtOnce
			}
			rows += size(entries)
		}
		if read += len(some); rows >= c.pace.Rows {
			c.first += read
			return found, true, nil
		}
	}
	return found, false, nil
}

// size is how many events the entries have.
func size(found [][]store.Counted) (events int) {
	for _, entries := range found {
		for _, entry := range entries {
			events += len(entry.Fingerprints)
		}
	}
	return events
}

// noteUnreadable tells of entries that nobody can read, as a foreign writer's:
// they are taken out of the log with the others, and what they were of gets a
// row without a time, if it is counted.
func (c *Consumer) noteUnreadable(lives []store.Life, found [][]store.Counted) {
	for i, entries := range found {
		for _, entry := range entries {
			if entry.Problem == nil {
				continue
			}
			c.figures.unreadable.Add(1)
			if time.Since(c.unreadable) > balanceEvery {
				c.unreadable = time.Now()
				c.messages.Error("the log has what cannot be read: it is taken out; others like it are told in an hour", "namespace", lives[i].Namespace,
					"experiment", lives[i].Experiment, "error", entry.Problem)
			}
		}
	}
}

func (c *Consumer) batch(lives []store.Life, found [][]store.Counted) Batch {
	var batch Batch
	// The log has later times only than its last: where a clock was ahead, all have that for as long.
	ahead := time.Now().Add(clocks)
	for i, entries := range found {
		part := Part{Life: lives[i]}
		for _, entry := range entries {
			if entry.Problem != nil {
				continue
			}
			batch.Again = batch.Again || entry.At.Before(c.doubt) || entry.At.After(ahead)
			part.Rows = append(part.Rows, rowsOf(entry)...)
		}
		if len(part.Rows) > 0 {
			batch.Parts = append(batch.Parts, part)
		}
	}
	return batch
}

func rowsOf(entry store.Counted) []Row {
	rows := make([]Row, len(entry.Fingerprints))
	for i, fingerprint := range entry.Fingerprints {
		rows[i] = Row{
			CounterName: store.CounterName{Event: entry.Event, Variant: entry.Variant},
			Fingerprint: fingerprint, At: entry.At,
		}
		if entry.Values != nil {
			rows[i].Value = &entry.Values[i]
		}
	}
	return rows
}
