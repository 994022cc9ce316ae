package eventlog

import (
	"context"
	"fmt"
	"maps"
	"time"

	"provision/internal/gimel/store"
)

// What the sink refuses of one life, whatever the reason, must not keep the
// others' events from it. So after some failures in a row each life's rows are
// brought alone, and those of which the sink takes none while it takes others'
// are set aside: they stay in the log, and are tried again from time to time.

const (
	// failuresAreTheSink is how often a batch fails before it is taken apart:
	// mostly it is the sink that is away.
	failuresAreTheSink = 3
	// asideFor is how long a life is left alone, or so many pauses where they are
	// long.
	asideFor    = time.Minute
	asidePauses = 15
)

func (c *Consumer) asideUntil() time.Time {
	return time.Now().Add(max(asideFor, asidePauses*c.pace.Pause))
}

// lifeName names a life.
type lifeName struct{ namespace, experiment, id string }

func nameOf(life store.Life) lifeName { return lifeName{life.Namespace, life.Experiment, life.ID} }

// aside is a life that is left alone.
type aside struct {
	until time.Time
	why   error
}

// notAside are those of the lives that are not set aside. It forgets those that
// are gone.
func (c *Consumer) notAside(lives []store.Life) []store.Life {
	if len(c.aside) == 0 {
		return lives
	}
	var others []store.Life
	still := map[lifeName]aside{}
	for _, life := range lives {
		if found, is := c.aside[nameOf(life)]; is {
			still[nameOf(life)] = found
		} else {
			others = append(others, life)
		}
	}
	c.setAside(still)
	return others
}

func (c *Consumer) setAside(all map[lifeName]aside) {
	c.aside = all
	c.figures.aside.Store(int64(len(all)))
}

// commitApart brings each part alone, and takes out of found what the sink has
// refused. Where it takes none, that is no matter of a life.
func (c *Consumer) commitApart(ctx context.Context, batch Batch, lives []store.Life, found [][]store.Counted, whole error) error {
	refused := map[lifeName]error{}
	for _, part := range batch.Parts {
		if err := c.sink.Commit(ctx, Batch{Parts: []Part{part}, Again: true}); err != nil {
			refused[nameOf(part.Life)] = err
			if ctx.Err() != nil || len(refused) == len(batch.Parts) {
				return whole
			}
		}
	}
	for i, life := range lives {
		err := refused[nameOf(life)]
		if err == nil {
			continue
		}
		found[i] = nil // not done
		c.messages.Error("the sink refuses what the log has of an experiment: it stays there, and the others' goes on",
			"namespace", life.Namespace, "experiment", life.Experiment, "error", err)
		all := maps.Clone(c.aside)
		if all == nil {
			all = map[lifeName]aside{}
		}
		all[nameOf(life)] = aside{c.asideUntil(), err}
		c.setAside(all)
	}
	return nil
}

// tryAside brings what lives have that were set aside long enough ago.
func (c *Consumer) tryAside(ctx context.Context, lives []store.Life) error {
	for _, life := range lives {
		left, is := c.aside[nameOf(life)]
		if !is || time.Now().Before(left.until) {
			continue
		}
		one := []store.Life{life}
		begun, err := c.log.Begun(ctx, one)
		if err != nil {
			return err
		}
		batch := c.batch(one, begun)
		batch.Again = true
		if err := c.sink.Commit(ctx, batch); err != nil {
			c.aside[nameOf(life)] = aside{c.asideUntil(), err}
			continue
		}
		if err := c.done(ctx, one, begun); err != nil {
			return err
		}
		c.messages.Info("the sink takes again what the log has of an experiment", "namespace", life.Namespace, "experiment", life.Experiment)
		delete(c.aside, nameOf(life))
		c.setAside(c.aside)
	}
	return nil
}

// sinkIsThere says whether the sink takes anything at all: if so, what it has
// refused is the matter.
func (c *Consumer) sinkIsThere(ctx context.Context) bool {
	return ctx.Err() == nil && c.sink.Commit(ctx, Batch{}) == nil
}

// problemOf is why a life cannot be recounted now.
func (c *Consumer) problemOf(life store.Life) error {
	if left, is := c.aside[nameOf(life)]; is {
		return fmt.Errorf("the sink refuses what the log has of it: %w", left.why)
	}
	return nil
}
