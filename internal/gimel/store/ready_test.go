package store

import (
	"strings"
	"testing"

	"provision/internal/gimel/redistest"
)

// A Redis that answers and takes no writes counts nobody: a balancer has to go elsewhere, and a
// deploy has to stop.
func TestARedisThatTakesNoWritesIsNotReady(t *testing.T) {
	for name, trouble := range map[string][]any{
		"it is full":            {"CONFIG", "SET", "maxmemory", "1"},
		"it is a replica":       {"REPLICAOF", "127.0.0.1", "1"},
		"it lacks its replicas": {"CONFIG", "SET", "min-replicas-to-write", "1"},
	} {
		t.Run(name, func(t *testing.T) {
			server := redistest.Start(t)
			s := newStore(t, server.URL(), exactSettings)
			if err := s.Ready(t.Context()); err != nil {
				t.Fatal(err)
			}
			if keys := s.client.Keys(t.Context(), "*").Val(); len(keys) > 0 {
				t.Errorf("it left %v", keys)
			}
			if err := server.Client().Do(t.Context(), trouble...).Err(); err != nil {
				t.Fatal(err)
			}
			if err := s.Ready(t.Context()); err == nil {
				t.Error("ready")
			}
		})
	}
}

// In a cluster each shard counts its own experiments: one that is full is enough.
func TestEachShardHasToTakeWrites(t *testing.T) {
	addresses := redistest.StartCluster(t)
	s := newStore(t, "redis+cluster://"+strings.Join(addresses, ","), exactSettings)
	if err := s.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, address := range addresses {
		node := connect(t, "redis://"+address)
		if err := node.ConfigSet(t.Context(), "maxmemory", "1").Err(); err != nil {
			t.Fatal(err)
		}
		if err := s.Ready(t.Context()); err == nil {
			t.Errorf("ready though %s is full", address)
		}
		if err := node.ConfigSet(t.Context(), "maxmemory", "0").Err(); err != nil {
			t.Fatal(err)
		}
	}
}
