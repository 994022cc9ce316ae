package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"
)

// Delete removes an experiment with all it counted. Deleting one that there is
// not is no error. The experiment is gone in one step; its buckets follow in
// small portions, and what a crash leaves of them Sweep removes.
func (s *Store) Delete(ctx context.Context, namespace, name string) error {
	experiment, err := s.find(ctx, namespace, name)
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
	if experiment.Problem != nil && experiment.id == "" { // it is no hash
		if err := s.client.Unlink(ctx, experimentKey(namespace, name)).Err(); err != nil {
			return fmt.Errorf("redis: delete: %w", err)
		}
	}
	if experiment.id == "" {
		return s.unlist(ctx, namespace, name)
	}
	if _, err := s.take(ctx, experiment); err != nil {
		return fmt.Errorf("redis: delete: %w", err)
	}
	return s.finish(ctx, namespace, name, experiment.id)
}

// isDiscarded is what discard.lua answers where it has taken one away.
const isDiscarded = 1

// onlyUndeclared lets take leave what somebody has declared.
const onlyUndeclared = "undeclared"

// take takes that life of an experiment away under its readers, in one step, and
// before it notes that something may be left of it, for Sweep. The lists are on
// another shard than the experiment: so the note of one that was not taken then,
// as by a process that died between, means nothing, and stays until it is.
func (s *Store) take(ctx context.Context, e *Experiment, conditions ...any) (answer int, err error) {
	if err := s.scripts.note.Run(ctx, s.client, []string{discardedKey}, discarded(e.Namespace, e.Name, e.id)).Err(); err != nil {
		return 0, err
	}
	key := experimentKey(e.Namespace, e.Name)
	return s.scripts.discard.Run(ctx, s.client, []string{key, discardKey(key, e.id)}, append([]any{e.id}, conditions...)...).Int()
}

// discarded is how a life is noted.
func discarded(namespace, name, id string) string { return member(namespace, name) + ":" + id }

// Sweep finishes what deletions that crashed have left of experiments that are
// gone. One that is still there was not deleted, and its deletion was answered to
// nobody: it stays, for it may be another that somebody wants by now.
func (s *Store) Sweep(ctx context.Context) error {
	left, err := s.client.SMembers(ctx, discardedKey).Result()
	if err != nil {
		return fmt.Errorf("redis: sweep: %w", err)
	}
	var problems []error
	for _, noted := range left { // what one of them has is no matter of the others
		parts := strings.Split(noted, ":")
		if len(parts) != 3 {
			problems = append(problems, fmt.Errorf("redis: sweep: unexpected member %q of %s", noted, discardedKey))
			continue
		}
		namespace, name, id := parts[0], parts[1], parts[2]
		living, err := s.client.HGet(ctx, experimentKey(namespace, name), "id").Result()
		if err != nil && !errors.Is(err, redis.Nil) && !isWrongType(err) {
			problems = append(problems, fmt.Errorf("redis: sweep: %w", err))
		} else if living != id {
			problems = append(problems, s.finish(ctx, namespace, name, id))
		}
	}
	return errors.Join(problems...)
}

// finish removes what is left of a life that was taken away; all of it may be
// done again.
func (s *Store) finish(ctx context.Context, namespace, name, id string) error {
	s.forget(experimentKey(namespace, name))
	if err := s.unlist(ctx, namespace, name); err != nil {
		return err
	}
	return s.purge(ctx, Life{Namespace: namespace, Experiment: name, ID: id})
}

// unlist takes an experiment off the lists. They are on another shard than the
// experiment, so this is no one step with its end: an event that came between
// has begun a new life, which is entered again here. Whoever begins one enters
// it before and after; so whatever the order, it is listed.
func (s *Store) unlist(ctx context.Context, namespace, name string) error {
	pipe := s.client.Pipeline() // a Redis that is full takes no transaction
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

// purge removes the buckets, days and notes of a life that was taken away, and
// then the note of it.
func (s *Store) purge(ctx context.Context, life Life) error {
	key := life.key()
	fields, err := s.client.HGetAll(ctx, discardKey(key, life.ID)).Result()
	if err != nil {
		return fmt.Errorf("redis: sweep: %w", err)
	}
	if fields["evicted"] != "" {
		if err := s.noteEvicted(ctx, life); err != nil {
			return err
		}
	}
	var experiment Experiment
	_ = experiment.read(fields) // of what cannot be read as much goes as can
	for _, counter := range experiment.Counters {
		if err := s.unlinkCounter(ctx, &experiment, life, counter); err != nil {
			return fmt.Errorf("redis: sweep: %w", err)
		}
	}
	left := []string{life.events(), discardKey(key, life.ID), notesKey(key, life.ID), logKey(key, life.ID), toldKey(key, life.ID)}
	if err := s.client.Unlink(ctx, left...).Err(); err != nil {
		return fmt.Errorf("redis: sweep: %w", err)
	}
	return s.client.SRem(ctx, discardedKey, discarded(life.Namespace, life.Experiment, life.ID)).Err()
}

// portion is how many keys go at once: other clients wait for no more.
const portion = 500

// mostBuckets bounds what a number that is not gimel's own makes of it: these have
// two hundred million visitors.
const mostBuckets = 1 << 20

func (s *Store) unlinkCounter(ctx context.Context, e *Experiment, life Life, of Counter) error {
	counter := counterName(of.Event, of.Variant)
	keys := []string{daysKey(life.key(), life.ID, counter)}
	// As many as are noted, or as its count fills where that cannot be read.
	for number := range min(max(e.buckets[counter], of.Count/bucketFill+1), mostBuckets) {
		keys = append(keys, bucketKey(life.key(), life.ID, counter, number))
	}
	if of.Values.Of != 0 { // the visitors of a count, whatever its goal is declared to be by now
		for number := range tallies {
			keys = append(keys, tallyKey(life.key(), life.ID, counter, number))
		}
	}
	for some := range slices.Chunk(keys, portion) {
		if err := s.client.Unlink(ctx, some...).Err(); err != nil {
			return err
		}
	}
	return nil
}

// deleteOriginal removes what the original removes.
func (s *Store) deleteOriginal(ctx context.Context, namespace, name string) error {
	counters := originalExperimentCounters(namespace, name)
	keys, err := s.client.SMembers(ctx, counters).Result()
	if err != nil && !isWrongType(err) {
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
