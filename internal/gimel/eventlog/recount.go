package eventlog

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"provision/internal/gimel/store"
)

// Balance is one counter beside what the log and the sink have of it. Events
// come while it is drawn up: the counter is read before and after.
type Balance struct {
	Life store.Life
	store.CounterName
	Before, After int64
	Waiting       int64 // events in the log
	Kept
	Estimated bool // the counter is a HyperLogLog
	// Problem is why nothing of the life can be told; then there is no more.
	Problem error
}

// uncertainty is how far a HyperLogLog may be off: three times its standard
// error, 1.04/sqrt(2^14), and one for rounding.
const uncertainty = 3 * 1.04 / 128

func (b Balance) allowed() (least, most int64) {
	if !b.Estimated {
		return b.Before, b.After
	}
	// The log of a HyperLogLog has an event each time that it was sent, so what
	// waits counts as between none and all of it.
	return int64(float64(b.Before)*(1-uncertainty)) - 1 - b.Waiting, int64(math.Ceil(float64(b.After)*(1+uncertainty))) + 1 + b.Waiting
}

// Missing is how many events are counted and are neither in the log nor in the
// sink; below 0 it is how many more there are than were counted.
func (b Balance) Missing() int64 {
	if b.Problem != nil {
		return 0
	}
	least, most := b.allowed()
	there := b.Rows
	if !b.Estimated {
		there += b.Waiting
	}
	switch {
	case there < least:
		return least - there
	case there > most:
		return most - there
	}
	return 0
}

// String says it in a line.
func (b Balance) String() string {
	if b.Problem != nil {
		return fmt.Sprintf("%s:%s  CANNOT BE TOLD: %v", b.Life.Namespace, b.Life.Experiment, b.Problem)
	}
	text := fmt.Sprintf("%s:%s %s:%s  counted %d, rows %d, waiting %d", b.Life.Namespace, b.Life.Experiment, b.Event, b.Variant, b.After, b.Rows, b.Waiting)
	if b.Estimated {
		text = strings.Replace(text, "counted", "counted about", 1)
	}
	if b.Untimed > 0 {
		text += fmt.Sprintf(", %d rows without a time", b.Untimed)
	}
	missing := b.Missing()
	switch {
	case missing > 0 && b.Life.Missed > 0:
		text += fmt.Sprintf("; MISSING %d: the log had no room for %d of the experiment, since %s", missing, b.Life.Missed, b.Life.Gap.Format("2006-01-02 15:04"))
	case missing > 0:
		text += fmt.Sprintf("; MISSING %d: counted while there was no log, since %s", missing, b.Life.Began.Format("2006-01-02 15:04"))
	case missing < 0:
		text += fmt.Sprintf("; %d MORE than counted: Redis has forgotten these, as after a restore to an older moment; they are here still, "+
			"and count again when they come again (docs/eventlog.md, \"After a restore\")", -missing)
	}
	return text
}

// Recount draws up the balance of every counter.
func (c *Consumer) Recount(ctx context.Context) ([]Balance, error) {
	if c.pace.Pause > pause { // what is gathered for long goes now: it is about the rows
		if err := c.drain(ctx); err != nil {
			return nil, err
		}
	}
	end, err := c.settled(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	lives, err := c.store.Lives(ctx)
	if err != nil {
		return nil, err
	}
	var all []Balance
	for _, life := range lives {
		problem := c.problemOf(life)
		var balances []Balance
		if problem == nil {
			if balances, problem = c.balance(ctx, life); problem != nil && !errors.Is(problem, store.ErrUnreadable) {
				return nil, problem
			}
		}
		if problem != nil { // it is this life's alone
			balances = []Balance{{Life: life, Problem: problem}}
		}
		all = append(all, balances...)
	}
	return all, nil
}

// Check has the sink count its rows one by one: what a recount says then holds
// them, not what was noted of them. Events go to the sink meanwhile.
func (c *Consumer) Check(ctx context.Context) error {
	lives, err := c.store.Lives(ctx)
	if err != nil {
		return err
	}
	for _, life := range lives {
		if err := c.sink.Check(ctx, life); err != nil {
			return err
		}
	}
	return nil
}

// settled waits for a turn, during which nothing goes from the log to the sink,
// and in which nothing is in both: what was begun before an error is finished.
func (c *Consumer) settled(ctx context.Context) (end func(), err error) {
	for {
		if end, err = c.take(ctx); err != nil || c.sure {
			return end, err
		}
		end()
		if _, err := c.cycle(ctx); err != nil {
			return nil, err
		}
	}
}

// uncounted is an error of a sink that could not tell what it has.
type uncounted struct{ error }

func (u uncounted) Unwrap() error { return u.error }

func (c *Consumer) balance(ctx context.Context, life store.Life) ([]Balance, error) {
	before, err := c.store.Counts(ctx, life)
	if err != nil {
		return nil, err
	}
	waiting := map[store.CounterName]int64{}
	err = c.store.Waiting(ctx, life, func(entries []store.Counted) {
		for _, entry := range entries {
			waiting[store.CounterName{Event: entry.Event, Variant: entry.Variant}] += int64(len(entry.Fingerprints))
		}
	})
	if err != nil {
		return nil, err
	}
	kept, err := c.sink.Count(ctx, life)
	if err != nil {
		return nil, uncounted{err}
	}
	after, err := c.store.Counts(ctx, life)
	if err != nil {
		return nil, err
	}
	var all []Balance
	for name := range after { // none when it was deleted meanwhile
		all = append(all, Balance{Life: life, CounterName: name, Before: before[name], After: after[name],
			Waiting: waiting[name], Kept: kept[name], Estimated: c.store.Counting() == store.HLL})
	}
	slices.SortFunc(all, func(a, b Balance) int {
		return cmp.Or(strings.Compare(a.Event, b.Event), strings.Compare(a.Variant, b.Variant))
	})
	return all, nil
}
