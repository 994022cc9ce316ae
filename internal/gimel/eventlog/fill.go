package eventlog

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"provision/internal/gimel/store"
)

// fill gives the sink what is counted and has no row: from before there was a
// log, or while it had no room. Redis has the fingerprints, but not the times.
func (c *Consumer) fill(ctx context.Context) error {
	began := time.Now()
	lives, err := c.store.Lives(ctx)
	if err != nil {
		return err
	}
	if err := c.removeEvicted(ctx); err != nil {
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
	lacking, err := c.fillAll(ctx, balances)
	if err != nil {
		return err
	}
	for _, life := range lives {
		if life.Missed == 0 || lacking[nameOf(life)] {
			continue
		}
		if err := c.store.Filled(ctx, life, began); err != nil {
			return err
		}
		missed -= life.Missed
	}
	c.balanced, c.missed = time.Now(), missed
	return nil
}

// fillAll gives rows to what has none, and says which lives lack some all the
// same.
func (c *Consumer) fillAll(ctx context.Context, balances []Balance) (lacking map[lifeName]bool, err error) {
	lacking = map[lifeName]bool{}
	for _, balance := range balances {
		if balance.Problem != nil || balance.Estimated && balance.Missing() > 0 {
			lacking[nameOf(balance.Life)] = true
			continue
		}
		if balance.Missing() == 0 && (!balance.blind || balance.Life.Missed == 0) {
			continue
		}
		c.messages.Info("events that are counted have no row; they get one without a time", "namespace", balance.Life.Namespace,
			"experiment", balance.Life.Experiment, "event", balance.Event, "variant", balance.Variant, "events", balance.Missing())
		err := c.fillCounter(ctx, balance)
		if errors.Is(err, store.ErrUnreadable) || errors.Is(err, errRefused) {
			c.messages.Error("an experiment lacks rows", "namespace", balance.Life.Namespace, "experiment", balance.Life.Experiment, "error", err)
			lacking[nameOf(balance.Life)] = true
			continue
		}
		if err != nil {
			return nil, err
		}
		c.figures.filled.Add(balance.Missing())
	}
	return lacking, nil
}

// removedAtOnce bounds what is removed before the next events.
const removedAtOnce = 20

// removeEvicted takes away the rows of experiments that nobody declared and that
// made room for others.
func (c *Consumer) removeEvicted(ctx context.Context) error {
	end, err := c.take(ctx)
	if err != nil {
		return err
	}
	defer end()
	evicted, err := c.log.Evicted(ctx)
	if err != nil || len(evicted) == 0 || time.Since(c.notRemoved) < takeOverEvery {
		return err
	}
	lives, err := c.store.Lives(ctx) // behind it: what is there now has not made room
	if err != nil {
		return err
	}
	there := map[lifeName]bool{}
	for _, life := range lives {
		there[nameOf(life)] = true
	}
	removed := 0
	for _, life := range evicted {
		if there[nameOf(life)] { // an older version has noted it too early, and died
			if err := c.log.ForgetEvicted(ctx, life); err != nil {
				return err
			}
			continue
		}
		if removed == removedAtOnce {
			break
		}
		if err := c.sink.Remove(ctx, life.Namespace, life.Experiment, life.ID); err != nil {
			c.notRemoved = time.Now() // no event waits for it
			c.messages.Warn("rows of experiments that made room stay for now", "error", err)
			return nil
		}
		if err := c.log.ForgetEvicted(ctx, life); err != nil {
			return err
		}
		removed++
	}
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

// fillCounter commits without a time what is known to lack a row.
func (c *Consumer) fillCounter(ctx context.Context, b Balance) error {
	if !b.Compared {
		return c.fillAnew(ctx, b.Life, b.CounterName)
	}
	for some := range slices.Chunk(b.lacking, c.pace.Rows) {
		part := Part{Life: b.Life}
		for _, fingerprint := range some {
			part.Rows = append(part.Rows, Row{CounterName: b.CounterName, Fingerprint: fingerprint})
		}
		if err := c.fillSome(ctx, part); err != nil {
			return err
		}
	}
	return nil
}

// fillAnew commits all fingerprints of a counter without a time. What the log has
// of them goes before, with its time: it was in the log before it was read here,
// so the log as it is now has it, or the sink.
func (c *Consumer) fillAnew(ctx context.Context, life store.Life, name store.CounterName) error {
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
	err = c.sink.Commit(ctx, Batch{Parts: []Part{part}, Again: true})
	if err != nil && c.sinkIsThere(ctx) {
		return fmt.Errorf("%w: %w", errRefused, err)
	}
	return err
}

// errRefused is for what the sink refuses of one experiment.
var errRefused = errors.New("the sink refuses it")
