package store

import (
	"context"
	"fmt"
	"strconv"

	"github.com/redis/go-redis/v9"

	"provision/internal/gimel/event"
)

// Crossing is how many visitors took part in more than one variant.
type Crossing struct {
	Looked  int64 // visitors that were looked at: all, or a part taken by chance
	Several int64 // of these, those in more than one variant
}

// bucketsRead bounds what one look costs Redis: about a millisecond.
const bucketsRead = 64

// Crossed looks for visitors in more than one variant of an experiment. Their
// fingerprint is the same in each, so those of a few remainders are compared;
// it is a random number, so these are a sample. HyperLogLogs do not tell.
func (s *Store) Crossed(ctx context.Context, e *Experiment) (Crossing, error) {
	var counters []string
	most := int64(1)
	for _, counter := range e.Counters {
		if counter.Event == event.Participate {
			name := counterName(counter.Event, counter.Variant)
			counters = append(counters, name)
			most = max(most, e.buckets[name])
		}
	}
	if s.settings.Counting == HLL || len(counters) < 2 {
		return Crossing{}, nil
	}
	modulus := 2 * levelOf(most) // what is alike in this is in one bucket of each
	remainders := min(modulus, max(1, int64(bucketsRead/len(counters))))

	key := experimentKey(e.Namespace, e.Name)
	pipe := s.client.Pipeline()
	buckets := map[string]*redis.StringSliceCmd{}
	for _, counter := range counters {
		for remainder := range remainders {
			bucket := bucketKey(key, e.id, counter, bucketOf(remainder, max(1, e.buckets[counter])))
			if buckets[bucket] == nil {
				buckets[bucket] = pipe.SMembers(ctx, bucket)
			}
		}
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return Crossing{}, fmt.Errorf("redis: read buckets: %w", err)
	}
	seen := map[int64]int{}
	for _, bucket := range buckets {
		for _, text := range bucket.Val() {
			fingerprint, err := strconv.ParseInt(text, 10, 64)
			if err != nil {
				return Crossing{}, fmt.Errorf("redis: bucket of %s: %w", member(e.Namespace, e.Name), err)
			}
			if fingerprint&(modulus-1) < remainders {
				seen[fingerprint]++
			}
		}
	}
	crossing := Crossing{Looked: int64(len(seen))}
	for _, variants := range seen {
		if variants > 1 {
			crossing.Several++
		}
	}
	return crossing, nil
}
