package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

// Told is what has been told of a life of an experiment, as a webhook does.
func (s *Store) Told(ctx context.Context, namespace, name, life string) (map[string]bool, error) {
	fields, err := s.client.HKeys(ctx, toldKey(experimentKey(namespace, name), life)).Result()
	if err != nil {
		return nil, fmt.Errorf("redis: read what was told: %w", err)
	}
	told := map[string]bool{}
	for _, what := range fields {
		told[what] = true
	}
	return told, nil
}

// Tell notes that something has been told of a life of an experiment. Of one
// that has gone nothing is noted.
func (s *Store) Tell(ctx context.Context, namespace, name, life, what string) error {
	key := experimentKey(namespace, name)
	err := s.scripts.tell.Run(ctx, s.client, []string{key, toldKey(key, life)}, life, what, time.Now().Unix()).Err()
	if err != nil {
		return fmt.Errorf("redis: note what was told: %w", err)
	}
	return nil
}

// Telling says whether somebody is told of what happens, since SetTelling, by
// whichever process.
func (s *Store) Telling(ctx context.Context) (bool, error) {
	n, err := s.client.Exists(ctx, tellingKey).Result()
	if err != nil {
		return false, fmt.Errorf("redis: read whether anybody is told: %w", err)
	}
	return n == 1, nil
}

// SetTelling notes that somebody is told from now on, or nobody.
func (s *Store) SetTelling(ctx context.Context, on bool) error {
	var err error
	if on {
		err = s.client.SetNX(ctx, tellingKey, time.Now().Unix(), 0).Err()
	} else {
		err = s.client.Del(ctx, tellingKey).Err()
	}
	if err != nil {
		return fmt.Errorf("redis: note whether anybody is told: %w", err)
	}
	return nil
}

// Lock takes a lock that all processes on this Redis share, and that ends by
// itself; false when another has it. The function gives it back.
func (s *Store) Lock(ctx context.Context, name string, lasts time.Duration) (unlock func(), taken bool, err error) {
	key, token := lockKey(name), newID()
	err = s.client.SetArgs(ctx, key, token, redis.SetArgs{Mode: "NX", TTL: lasts}).Err()
	if errors.Is(err, redis.Nil) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("redis: lock: %w", err)
	}
	return func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = s.scripts.unlock.Run(ctx, s.client, []string{key}, token).Err() // else it ends by itself
	}, true, nil
}
