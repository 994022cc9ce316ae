package store

import (
	"context"
	"strconv"
)

// growth names a counter of one experiment's life.
type growth struct{ key, id, counter string }

func (s *Store) isFull(of growth, count int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.full == nil {
		s.full = map[growth]int64{}
	}
	s.full[of] = count
}

// splitsAtOnce bounds the work between two batches; a bucket has room to wait.
const splitsAtOnce = 8

// Grow splits buckets of the counters that commits have found full: after them,
// so that no visitor waits for it. It may fail or not happen at all: the next
// event of the counter finds it full again.
func (s *Store) Grow(ctx context.Context) {
	s.mu.Lock()
	full := s.full
	s.full = nil
	s.mu.Unlock()
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
