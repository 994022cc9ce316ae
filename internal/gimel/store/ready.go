package store

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/redis/go-redis/v9"
)

// Ready says whether events can be counted now: every master answers, knows
// the scripts and takes a write. Missing scripts are loaded.
func (s *Store) Ready(ctx context.Context) error {
	err := s.scripts.loaded(ctx, s.client)
	if errors.Is(err, errScriptsMissing) {
		err = s.scripts.load(ctx, s.client)
	}
	if err != nil {
		return fmt.Errorf("redis: %w", err)
	}
	keys, err := s.readyKeys(ctx)
	if err != nil {
		return fmt.Errorf("redis: %w", err)
	}
	for _, key := range keys {
		if err := s.scripts.ready.EvalSha(ctx, s.client, []string{key}).Err(); err != nil {
			return fmt.Errorf("redis: takes no writes: %w", err)
		}
	}
	return nil
}

// IsFull says that Redis has refused to write for want of memory: then it answers,
// and takes deletions.
func IsFull(err error) bool { return redis.HasErrorPrefix(err, "OOM") }

// keysTried bounds the search for a key of each shard. Of a hundred shards of
// one size one is missed with odds of 0.4 %; then that one is not asked.
const keysTried = 1000

// readyKeys is a key of each shard, to write to.
func (s *Store) readyKeys(ctx context.Context) ([]string, error) {
	cluster, isCluster := s.client.(*redis.ClusterClient)
	if !isCluster {
		return []string{readyKey(0)}, nil
	}
	var masters atomic.Int64
	err := cluster.ForEachMaster(ctx, func(context.Context, *redis.Client) error {
		masters.Add(1)
		return nil
	})
	if err != nil {
		return nil, err
	}
	var keys []string
	found := map[string]bool{}
	for i := 0; i < keysTried && len(found) < int(masters.Load()); i++ {
		master, err := cluster.MasterForKey(ctx, readyKey(i))
		if err != nil {
			return nil, err
		}
		if at := master.Options().Addr; !found[at] {
			found[at] = true
			keys = append(keys, readyKey(i))
		}
	}
	return keys, nil
}
