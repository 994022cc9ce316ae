package store

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"
)

// Delete removes an experiment with all it counted. Deleting one that there is
// not is no error. The experiment is gone in one step; its buckets follow in
// small portions, and what a crash leaves of them Sweep removes.
func (s *Store) Delete(ctx context.Context, namespace, name string) error {
	experiment, err := s.Experiment(ctx, namespace, name)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if s.settings.Counting == HLL {
		if err := s.deleteOriginal(ctx, namespace, name); err != nil {
			return err
		}
	}
	key := experimentKey(namespace, name)
	discarded := member(namespace, name) + ":" + experiment.id
	if experiment.id != "" {
		if err := s.client.SAdd(ctx, discardedKey, discarded).Err(); err != nil {
			return fmt.Errorf("redis: delete: %w", err)
		}
		err := s.scripts.discard.Run(ctx, s.client, []string{key, discardKey(key, experiment.id)}, experiment.id).Err()
		if err != nil {
			return fmt.Errorf("redis: delete: %w", err)
		}
	}
	s.forget(key)
	pipe := s.client.TxPipeline()
	pipe.SRem(ctx, declaredKey, member(namespace, name))
	pipe.SRem(ctx, undeclaredKey, member(namespace, name))
	if _, err := pipe.Exec(ctx); err != nil {
		return fmt.Errorf("redis: delete: %w", err)
	}
	if experiment.id == "" {
		return nil
	}
	return s.purge(ctx, discarded)
}

// Sweep removes what crashed deletions have left.
func (s *Store) Sweep(ctx context.Context) error {
	left, err := s.client.SMembers(ctx, discardedKey).Result()
	if err != nil {
		return fmt.Errorf("redis: sweep: %w", err)
	}
	for _, discarded := range left {
		if err := s.purge(ctx, discarded); err != nil {
			return err
		}
	}
	return nil
}

// purge removes the buckets and days of a discarded experiment, given as
// namespace:experiment:id, and then the note of it.
func (s *Store) purge(ctx context.Context, discarded string) error {
	parts := strings.Split(discarded, ":")
	if len(parts) != 3 {
		return fmt.Errorf("redis: sweep: unexpected member %q of %s", discarded, discardedKey)
	}
	key, id := experimentKey(parts[0], parts[1]), parts[2]
	fields, err := s.client.HGetAll(ctx, discardKey(key, id)).Result()
	if err != nil {
		return fmt.Errorf("redis: sweep: %w", err)
	}
	var experiment Experiment
	if err := experiment.read(fields); err != nil {
		return err
	}
	for counter, buckets := range experiment.buckets {
		if err := s.unlinkBuckets(ctx, key, id, counter, buckets); err != nil {
			return fmt.Errorf("redis: sweep: %w", err)
		}
	}
	if err := s.client.Unlink(ctx, discardKey(key, id)).Err(); err != nil {
		return fmt.Errorf("redis: sweep: %w", err)
	}
	return s.client.SRem(ctx, discardedKey, discarded).Err()
}

// portion is how many keys go at once: other clients wait for no more.
const portion = 500

func (s *Store) unlinkBuckets(ctx context.Context, key, id, counter string, buckets int64) error {
	keys := []string{daysKey(key, id, counter)}
	for number := range buckets {
		keys = append(keys, bucketKey(key, id, counter, number))
		if len(keys) >= portion {
			if err := s.client.Unlink(ctx, keys...).Err(); err != nil {
				return err
			}
			keys = keys[:0]
		}
	}
	if len(keys) == 0 {
		return nil
	}
	return s.client.Unlink(ctx, keys...).Err()
}

// deleteOriginal removes what the original removes.
func (s *Store) deleteOriginal(ctx context.Context, namespace, name string) error {
	counters := originalExperimentCounters(namespace, name)
	keys, err := s.client.SMembers(ctx, counters).Result()
	if err != nil {
		return fmt.Errorf("redis: delete: %w", err)
	}
	pipe := s.client.Pipeline()
	for _, key := range keys {
		pipe.SRem(ctx, originalCounters(namespace), key)
		pipe.Del(ctx, key)
	}
	pipe.Del(ctx, counters)
	pipe.SRem(ctx, originalExperiments(namespace), name)
	if _, err := pipe.Exec(ctx); err != nil && !errors.Is(err, redis.Nil) {
		return fmt.Errorf("redis: delete: %w", err)
	}
	return nil
}
