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
	if experiment.id == "" {
		return s.unlist(ctx, namespace, name)
	}
	discarded := member(namespace, name) + ":" + experiment.id
	if err := s.client.SAdd(ctx, discardedKey, discarded).Err(); err != nil {
		return fmt.Errorf("redis: delete: %w", err)
	}
	return s.discard(ctx, discarded)
}

// Sweep finishes what crashed deletions have begun.
func (s *Store) Sweep(ctx context.Context) error {
	left, err := s.client.SMembers(ctx, discardedKey).Result()
	if err != nil {
		return fmt.Errorf("redis: sweep: %w", err)
	}
	var problems []error
	for _, discarded := range left { // what one of them has is no matter of the others
		problems = append(problems, s.discard(ctx, discarded))
	}
	return errors.Join(problems...)
}

// discard takes one life of an experiment away, given as namespace:experiment:id,
// as it is noted; all of it may be done again.
func (s *Store) discard(ctx context.Context, discarded string) error {
	parts := strings.Split(discarded, ":")
	if len(parts) != 3 {
		return fmt.Errorf("redis: sweep: unexpected member %q of %s", discarded, discardedKey)
	}
	namespace, name, id := parts[0], parts[1], parts[2]
	key := experimentKey(namespace, name)
	err := s.scripts.discard.Run(ctx, s.client, []string{key, discardKey(key, id)}, id).Err()
	if err != nil {
		return fmt.Errorf("redis: delete: %w", err)
	}
	s.forget(key)
	if err := s.unlist(ctx, namespace, name); err != nil {
		return err
	}
	return s.purge(ctx, discarded, key, id)
}

// unlist takes an experiment off the lists. They are on another shard than the
// experiment, so this is no one step with its end: an event that came between
// has begun a new life, which is entered again here. Whoever begins one enters
// it before and after; so whatever the order, it is listed.
func (s *Store) unlist(ctx context.Context, namespace, name string) error {
	pipe := s.client.TxPipeline()
	pipe.SRem(ctx, declaredKey, member(namespace, name))
	pipe.SRem(ctx, undeclaredKey, member(namespace, name))
	if _, err := pipe.Exec(ctx); err != nil {
		return fmt.Errorf("redis: delete: %w", err)
	}
	found, err := s.client.HMGet(ctx, experimentKey(namespace, name), "id", "planned").Result()
	if err != nil {
		return fmt.Errorf("redis: delete: %w", err)
	}
	if anew, declared := found[0] != nil, found[1] != nil; anew {
		return s.list(ctx, namespace, name, declared)
	}
	return nil
}

// purge removes the buckets, days and notes of a discarded life, and then the note of it.
func (s *Store) purge(ctx context.Context, discarded, key, id string) error {
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
	for _, counter := range experiment.Counters {
		if err := s.unlinkTallies(ctx, key, id, counter); err != nil {
			return fmt.Errorf("redis: sweep: %w", err)
		}
	}
	if err := s.client.Unlink(ctx, eventsKey(key, id), discardKey(key, id), notesKey(key, id), logKey(key, id), toldKey(key, id)).Err(); err != nil {
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

// unlinkTallies removes the visitors of a count, whatever its goal is declared to
// be by now.
func (s *Store) unlinkTallies(ctx context.Context, key, id string, of Counter) error {
	if of.Values.Of == 0 {
		return nil
	}
	var keys []string
	for number := range tallies {
		keys = append(keys, tallyKey(key, id, counterName(of.Event, of.Variant), number))
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
