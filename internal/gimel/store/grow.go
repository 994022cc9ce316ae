package store

import (
	"context"
	"strconv"
)

// growth names a counter of one experiment's life.
type growth struct{ key, id, counter string }

// splitsAtOnce bounds the work between two batches; a bucket has room to wait.
const splitsAtOnce = 8

// grow splits buckets of counters that are full. It may fail or not happen at
// all: the next event of the counter tries again.
func (s *Store) grow(ctx context.Context, full map[growth]int64) {
	for g, count := range full {
		s.mu.Lock()
		known := s.layouts[g.key]
		if known == nil || known.id != g.id {
			s.mu.Unlock()
			continue
		}
		n := max(1, known.buckets[g.counter])
		s.mu.Unlock()

		pipe := s.client.Pipeline()
		for range splitsAtOnce {
			if count <= n*bucketFill {
				break
			}
			level := levelOf(n)
			s.scripts.split.EvalSha(ctx, pipe,
				[]string{g.key, bucketKey(g.key, g.id, g.counter, n-level), bucketKey(g.key, g.id, g.counter, n)},
				g.id, g.counter, strconv.FormatInt(n, 10), 2*level, n)
			n++
		}
		if _, err := pipe.Exec(ctx); err == nil {
			s.remember(g.key, g.id, g.counter, n)
		}
	}
}
