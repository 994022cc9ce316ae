package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

// Waiting reads what a life's log holds, without taking it: all entries that
// are not done. see is given them in portions.
func (s *Store) Waiting(ctx context.Context, life Life, see func([]Counted)) error {
	for start := "-"; ; {
		found, err := s.client.XRangeN(ctx, life.events(), start, "+", portion).Result()
		if isWrongType(err) { // so there is no log
			return nil
		}
		if err != nil {
			return fmt.Errorf("redis: read log: %w", err)
		}
		if len(found) == 0 {
			return nil
		}
		see(entries(found))
		start = "(" + found[len(found)-1].ID
	}
}

// Backlog is how much a life's log holds.
type Backlog struct {
	Entries int64
	Bytes   int64
	Oldest  time.Time // when the first entry came; zero where there is none
}

// Backlogs are those of the lives, in their order.
func (s *Store) Backlogs(ctx context.Context, lives []Life) ([]Backlog, error) {
	all := make([]Backlog, len(lives))
	if len(lives) == 0 {
		return all, nil
	}
	pipe := s.client.Pipeline()
	lengths, sizes := make([]*redis.IntCmd, len(lives)), make([]*redis.IntCmd, len(lives))
	firsts := make([]*redis.XMessageSliceCmd, len(lives))
	for i, life := range lives {
		lengths[i] = pipe.XLen(ctx, life.events())
		sizes[i] = pipe.MemoryUsage(ctx, life.events())
		firsts[i] = pipe.XRangeN(ctx, life.events(), "-", "+", 1)
	}
	_, _ = pipe.Exec(ctx) // each command has its own error
	for i := range lives {
		if isWrongType(lengths[i].Err()) {
			continue
		}
		if err := errors.Join(lengths[i].Err(), firsts[i].Err()); err != nil {
			return nil, fmt.Errorf("redis: measure logs: %w", err)
		}
		all[i] = Backlog{Entries: lengths[i].Val(), Bytes: sizes[i].Val()}
		for _, first := range firsts[i].Val() {
			all[i].Oldest, _ = timeOf(first.ID) // of what nobody can read there is none
		}
	}
	return all, nil
}
