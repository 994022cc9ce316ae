package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Filled notes that all events of a life that were missed when it was read have
// their rows after all: those that are missed since began later.
func (s *Store) Filled(ctx context.Context, life Life, read time.Time) error {
	if err := s.scripts.filled.Run(ctx, s.client, []string{life.key()}, life.ID, life.Missed, read.Unix()).Err(); err != nil {
		return fmt.Errorf("redis: note what was missed: %w", err)
	}
	return nil
}

// An experiment that nobody declared makes room for another; what sinks have of
// it goes too, else whoever invents names fills them. It is noted for the reader
// of the logs once it is gone, by what its end has left: so nothing is noted of
// one that a person deletes, whose rows stay. Of those whose log nobody has read
// there is nothing to take away: so there are no more notes than lives that a
// reader has seen.

// noteEvicted notes a life that was taken away.
func (s *Store) noteEvicted(ctx context.Context, life Life) error {
	if s.settings.LogBudget == 0 {
		return nil
	}
	if groups, err := s.client.XInfoGroups(ctx, life.events()).Result(); err != nil || len(groups) == 0 {
		return nil // no stream, mostly
	}
	if err := s.client.SAdd(ctx, evictedKey, life.evicted()).Err(); err != nil {
		return fmt.Errorf("redis: make room: %w", err)
	}
	return nil
}

func (l Life) evicted() string { return discarded(l.Namespace, l.Experiment, l.ID) }

// Evicted are lives that were taken away to make room.
func (l *EventLog) Evicted(ctx context.Context) ([]Life, error) {
	found, err := l.store.client.SMembers(ctx, evictedKey).Result()
	if err != nil {
		return nil, fmt.Errorf("redis: read what was taken away: %w", err)
	}
	slices.Sort(found)
	lives := make([]Life, len(found))
	for i, text := range found {
		parts := append(strings.SplitN(text, ":", 3), "", "")
		lives[i] = Life{Namespace: parts[0], Experiment: parts[1], ID: parts[2]}
	}
	return lives, nil
}

// ForgetEvicted ends the note of one: nothing is left of it.
func (l *EventLog) ForgetEvicted(ctx context.Context, life Life) error {
	if err := l.store.client.SRem(ctx, evictedKey, life.evicted()).Err(); err != nil {
		return fmt.Errorf("redis: forget what was taken away: %w", err)
	}
	return nil
}
