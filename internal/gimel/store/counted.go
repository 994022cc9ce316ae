package store

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
)

// CounterName names one counter of an experiment.
type CounterName struct{ Event, Variant string }

// Counts are what a life's counters have counted here, without what was
// imported. They are estimates where the counting is HLL. It is nil when the life
// has ended.
func (s *Store) Counts(ctx context.Context, life Life) (map[CounterName]int64, error) {
	if s.settings.Counting == HLL {
		return s.estimates(ctx, life)
	}
	fields, err := s.client.HGetAll(ctx, life.key()).Result()
	if err != nil {
		return nil, fmt.Errorf("redis: read experiment: %w", err)
	}
	if fields["id"] != life.ID {
		return nil, nil
	}
	counts := map[CounterName]int64{}
	for field, text := range fields {
		name, isCount := strings.CutPrefix(field, "c:")
		if !isCount {
			continue
		}
		count, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("redis: field %q: %w: %w", field, ErrUnreadable, err)
		}
		event, variant, _ := strings.Cut(name, ":")
		counts[CounterName{event, variant}] = count
	}
	return counts, nil
}

func (s *Store) estimates(ctx context.Context, life Life) (map[CounterName]int64, error) {
	found, err := s.read(ctx, []string{member(life.Namespace, life.Experiment)})
	if err != nil || len(found) == 0 || found[0].id != life.ID {
		return nil, err
	}
	if found[0].Problem != nil {
		return nil, found[0].Problem
	}
	counts := map[CounterName]int64{}
	for _, counter := range found[0].Counters {
		counts[CounterName{counter.Event, counter.Variant}] = counter.Count
	}
	return counts, nil
}

// bucketsAtOnce bounds what is read of a counter at once: some 12,000
// fingerprints.
const bucketsAtOnce = 64

// Fingerprints reads those that a counter has counted, in portions: from a
// number on, 0 at first, and then the one that it answers with until that is 0.
// All that were there at the beginning are read, some twice: a bucket that is
// split meanwhile gives its half to one that comes later.
func (s *Store) Fingerprints(ctx context.Context, life Life, name CounterName, from int64) (found []int64, next int64, err error) {
	counter := counterName(name.Event, name.Variant)
	pipe := s.client.Pipeline()
	members := make([]*redis.StringSliceCmd, bucketsAtOnce)
	for i := range members {
		members[i] = pipe.SMembers(ctx, bucketKey(life.key(), life.ID, counter, from+int64(i)))
	}
	size := pipe.HGet(ctx, life.key(), "n:"+counter) // behind them: it has the split of each that was read halved
	if _, err := pipe.Exec(ctx); isWrongType(err) {
		return nil, 0, fmt.Errorf("redis: read buckets: %w: %w", ErrUnreadable, err)
	} else if err != nil && err != redis.Nil {
		return nil, 0, fmt.Errorf("redis: read buckets: %w", err)
	}
	for _, bucket := range members {
		for _, text := range bucket.Val() {
			fingerprint, err := strconv.ParseInt(text, 10, 64)
			if err != nil {
				return nil, 0, fmt.Errorf("redis: read buckets: %w: %w", ErrUnreadable, err)
			}
			found = append(found, fingerprint)
		}
	}
	buckets, _ := strconv.ParseInt(size.Val(), 10, 64) // absent: there is one
	if next = from + bucketsAtOnce; next >= buckets {
		next = 0
	}
	return found, next, nil
}
