package eventlog

import (
	"context"
	"errors"
	"time"

	"provision/internal/gimel/store"
)

// fill gives the sink what is counted and has no row: from before there was a
// log, or while it had no room. Redis has the fingerprints, but not the times.
func (c *Consumer) fill(ctx context.Context) error {
	lives, err := c.store.Lives(ctx)
	if err != nil {
		return err
	}
	var missed int64
	for _, life := range lives {
		missed += life.Missed
	}
	if age := time.Since(c.balanced); age < balanceEvery && (missed == c.missed || age < takeOverEvery) {
		return nil
	}
	balances, err := c.Recount(ctx)
	if errors.Is(err, ErrToCheck) {
		c.checkOnce(ctx)
		c.balanced, c.missed = time.Now().Add(takeOverEvery-balanceEvery), missed // in a minute again
		return nil
	}
	if _, only := errors.AsType[uncounted](err); only && ctx.Err() == nil {
		// As where a table has grown too large to be counted in time: what comes in is kept all the
		// same, and must not wait for a count with each batch.
		c.messages.Warn("rows cannot be held against the counters now; it is tried again in an hour", "error", err)
		c.balanced, c.missed = time.Now(), missed
		return nil
	}
	if err != nil {
		return err
	}
	for _, balance := range balances {
		if balance.Estimated || balance.Missing() <= 0 {
			continue
		}
		c.messages.Info("events that are counted have no row; they get one without a time", "namespace", balance.Life.Namespace,
			"experiment", balance.Life.Experiment, "event", balance.Event, "variant", balance.Variant, "events", balance.Missing())
		if err := c.fillCounter(ctx, balance.Life, balance.CounterName); err != nil {
			return err
		}
		c.figures.filled.Add(balance.Missing())
	}
	c.balanced, c.missed = time.Now(), missed
	return nil
}

// checkOnce has rows of an older version counted, beside all else.
func (c *Consumer) checkOnce(ctx context.Context) {
	if !c.checking.CompareAndSwap(false, true) {
		return
	}
	c.beside.Go(func() {
		defer c.checking.Store(false)
		c.messages.Info("rows that an older version has kept are counted once; until then no recount")
		if err := c.Check(ctx); err != nil && ctx.Err() == nil {
			c.messages.Warn("rows that an older version has kept are not counted yet; it is tried again", "error", err)
		}
	})
}

// fillCounter commits all fingerprints of a counter without a time. What the
// log has of them goes before, with its time: it was in the log before it was
// read here, so the log as it is now has it, or the sink.
func (c *Consumer) fillCounter(ctx context.Context, life store.Life, name store.CounterName) error {
	part := Part{Life: life}
	for from := int64(0); ; {
		fingerprints, next, err := c.store.Fingerprints(ctx, life, name, from)
		if err != nil {
			return err
		}
		for _, fingerprint := range fingerprints {
			part.Rows = append(part.Rows, Row{CounterName: name, Fingerprint: fingerprint})
		}
		if from = next; from != 0 && len(part.Rows) < c.pace.Rows {
			continue
		}
		if err := c.drain(ctx); err != nil {
			return err
		}
		if err := c.fillSome(ctx, part); err != nil || from == 0 {
			return err
		}
		part.Rows = nil
	}
}

// drain brings to the sink what the log has now.
func (c *Consumer) drain(ctx context.Context) error {
	for {
		if full, err := c.cycle(ctx); err != nil || !full {
			return err
		}
	}
}

func (c *Consumer) fillSome(ctx context.Context, part Part) error {
	end, err := c.take(ctx)
	if err != nil {
		return err
	}
	defer end()
	return c.sink.Commit(ctx, Batch{Parts: []Part{part}, Again: true})
}
