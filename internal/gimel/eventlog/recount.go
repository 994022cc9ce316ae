package eventlog

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
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
	// Compared: it is known of each event that is counted whether it has a row, see
	// compare.go. Else there are numbers alone, and rows that Redis has forgotten
	// hide as many that are missing.
	Compared bool
	lacking  []int64 // then, the fingerprints that have none
	blind    bool    // it was to be compared, and not all rows are there
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

// surplus is how many more events the log and the sink have than were counted;
// below 0, how many fewer.
func (b Balance) surplus() int64 {
	if b.Problem != nil {
		return 0
	}
	least, most := b.allowed()
	there := b.Rows
	if !b.Estimated {
		there += b.Waiting
	}
	return min(there-least, 0) + max(there-most, 0)
}

// Missing is how many events are counted and are neither in the log nor in the
// sink.
func (b Balance) Missing() int64 {
	if b.Compared {
		return int64(len(b.lacking))
	}
	return max(0, -b.surplus())
}

// More is how many the log and the sink have that are not counted.
func (b Balance) More() int64 { return max(0, b.surplus()+int64(len(b.lacking))) }

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
	}
	if more := b.More(); more > 0 {
		text += fmt.Sprintf("; %d MORE than counted: Redis has forgotten these, as after a restore to an older moment; they are here still, "+
			"and count again when they come again (docs/eventlog.md, \"After a restore\")", more)
	}
	if b.blind {
		text += "; by numbers alone, for not all rows are there to be compared"
	}
	return text
}

// Recount draws up the balance of every counter. Where numbers may hide
// something it compares event by event.
func (c *Consumer) Recount(ctx context.Context) ([]Balance, error) {
	all, err := c.balances(ctx)
	if err == nil {
		err = c.compareAll(ctx, all, doubtful(all))
	}
	return all, err
}

// RecountRows is Recount by the rows themselves: they are counted one by one and
// compared with what is counted, whatever the numbers say.
func (c *Consumer) RecountRows(ctx context.Context) ([]Balance, error) {
	if err := c.Check(ctx); err != nil {
		return nil, err
	}
	all, err := c.balances(ctx)
	if err == nil {
		err = c.compareAll(ctx, all, func(Balance) bool { return true })
	}
	return all, err
}

// balances are all, by their numbers.
func (c *Consumer) balances(ctx context.Context) ([]Balance, error) {
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

// Check has the sink count its rows one by one, and set right what was noted of
// them. Events go to the sink meanwhile.
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
	if after == nil { // it was deleted meanwhile
		return nil, nil
	}
	names := slices.Collect(maps.Keys(after))
	for name, of := range kept {
		if _, counted := after[name]; !counted && of.Rows > 0 { // Redis has forgotten all of it
			names = append(names, name)
		}
	}
	var all []Balance
	for _, name := range names {
		all = append(all, Balance{Life: life, CounterName: name, Before: before[name], After: after[name],
			Waiting: waiting[name], Kept: kept[name], Estimated: c.store.Counting() == store.HLL})
	}
	slices.SortFunc(all, func(a, b Balance) int {
		return cmp.Or(strings.Compare(a.Event, b.Event), strings.Compare(a.Variant, b.Variant))
	})
	return all, nil
}
