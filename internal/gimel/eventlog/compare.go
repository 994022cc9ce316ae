package eventlog

import (
	"context"
	"errors"
	"slices"

	"provision/internal/gimel/store"
)

// Rows that Redis has forgotten, as after a restore, and events that lack a row
// are of different visitors, and numbers alone set the ones off against the
// others. So where there are more rows than were counted, or fewer are missing
// than are known to be, each fingerprint that is counted is looked for.

// doubtful says of which balances the numbers do not tell enough.
func doubtful(all []Balance) func(Balance) bool {
	shown := map[lifeName]int64{} // what the numbers say is missing
	for _, b := range all {
		shown[nameOf(b.Life)] += max(0, -b.surplus())
	}
	return func(b Balance) bool {
		return b.surplus() > 0 || b.surplus() == 0 && b.Life.Missed > shown[nameOf(b.Life)]
	}
}

// compareAll compares those of the balances that are asked for.
func (c *Consumer) compareAll(ctx context.Context, all []Balance, wanted func(Balance) bool) error {
	for i, b := range all {
		if b.Problem != nil || b.Estimated || !wanted(b) { // an estimate has no fingerprints
			continue
		}
		err := c.compare(ctx, &all[i])
		if errors.Is(err, store.ErrUnreadable) {
			all[i] = Balance{Life: b.Life, Problem: err}
		} else if err != nil {
			return err
		}
	}
	return nil
}

// compare looks for a row of each event that is counted. The order matters: what
// is counted is in the log at once, and what leaves the log is in the sink.
func (c *Consumer) compare(ctx context.Context, b *Balance) error {
	end, err := c.take(ctx)
	if err != nil {
		return err
	}
	defer end()
	counted, err := c.fingerprints(ctx, b.Life, b.CounterName)
	if err != nil {
		return err
	}
	found := make([]bool, len(counted))
	see := func(fingerprint int64) {
		if at, is := slices.BinarySearch(counted, fingerprint); is {
			found[at] = true
		}
	}
	err = c.store.Waiting(ctx, b.Life, func(entries []store.Counted) {
		for _, entry := range entries {
			if entry.Event == b.Event && entry.Variant == b.Variant {
				for _, fingerprint := range entry.Fingerprints {
					see(fingerprint)
				}
			}
		}
	})
	if err != nil {
		return err
	}
	rows := int64(0)
	if err := c.sink.Fingerprints(ctx, b.Life, b.CounterName, func(fingerprint int64) { rows++; see(fingerprint) }); err != nil {
		return uncounted{err}
	}
	if b.blind = rows < b.Rows; b.blind { // those that are not there may be anybody's
		return nil
	}
	if still, err := c.store.Counts(ctx, b.Life); err != nil || still == nil {
		return err // it was deleted meanwhile, and its rows with it
	}
	b.Compared = true
	for at, is := range found {
		if !is {
			b.lacking = append(b.lacking, counted[at])
		}
	}
	return nil
}

// fingerprints are all that a counter has counted, sorted: 8 bytes each.
func (c *Consumer) fingerprints(ctx context.Context, life store.Life, name store.CounterName) (all []int64, err error) {
	for from := int64(0); ; {
		some, next, err := c.store.Fingerprints(ctx, life, name, from)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
		if from = next; from == 0 {
			slices.Sort(all)
			return slices.Compact(all), nil
		}
	}
}
