package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"provision/internal/gimel/event"
	"provision/internal/gimel/store"
)

// memory prints what one counter of so many uuids costs, in a Redis of its own:
// the MEMORY USAGE of its keys, and by how much used_memory grew, which has the
// tables of the key space in it, and some 80 KB of the Lua interpreter's once.
func (o options) memory() error {
	fmt.Printf("\n%-12s %14s %14s %14s\n", "uuids", "bytes a uuid", "used_memory", "filled in")
	for _, uuids := range []int{10_000, 100_000, 1_000_000} {
		if err := o.measureMemory(uuids); err != nil {
			return err
		}
	}
	return nil
}

func (o options) measureMemory(uuids int) error {
	socket, server, err := o.startRedis([]string{"--appendonly", "no"})
	if err != nil {
		return err
	}
	defer server.stop()
	client, err := store.Connect(store.Address{URL: "unix://" + socket, Timeout: 10 * time.Second})
	if err != nil {
		return err
	}
	defer client.Close()
	counters := store.New(client, store.Settings{Counting: store.Exact, HashKey: []byte("key"), UndeclaredCap: 10, CounterCap: 10})
	warm := []event.Event{{Namespace: "n", Experiment: "warm", Name: "participate", Variant: "v", UUID: "u"}}
	if outcome := counters.Commit(context.Background(), warm)[0]; outcome.Err != nil {
		return outcome.Err
	}
	before, err := usedMemory(socket)
	if err != nil {
		return err
	}
	begin := time.Now()
	events := make([]event.Event, uuids)
	for i := range events {
		events[i] = event.Event{Namespace: "alephbet", Experiment: "button color", Name: "participate", Variant: "blue",
			UUID: "b1c2d3e4-0000-4000-8000-" + strconv.Itoa(i)}
	}
	for batch := range slices.Chunk(events, 256) {
		for _, outcome := range counters.Commit(context.Background(), batch) {
			if outcome.Err != nil {
				return outcome.Err
			}
		}
		counters.Grow(context.Background())
	}
	took := time.Since(begin)
	found, err := counters.Experiment(context.Background(), "alephbet", "button color")
	if err != nil {
		return err
	}
	keys, err := memoryOfKeys(client)
	if err != nil {
		return err
	}
	client.Close() // its buffers are not the counter's
	after, err := usedMemory(socket)
	if err != nil {
		return err
	}
	if got := found.Count("participate", "blue"); got != int64(uuids) {
		return fmt.Errorf("counted %d of %d", got, uuids)
	}
	fmt.Printf("%-12d %14.2f %14.2f %14s\n", uuids, float64(keys)/float64(uuids),
		float64(after-before)/float64(uuids), took.Round(10*time.Millisecond))
	return nil
}

// memoryOfKeys sums MEMORY USAGE over all keys.
func memoryOfKeys(client redis.UniversalClient) (int64, error) {
	ctx := context.Background()
	names, err := client.Keys(ctx, "*").Result()
	if err != nil {
		return 0, err
	}
	pipe := client.Pipeline()
	usages := make([]*redis.IntCmd, len(names))
	for i, name := range names {
		usages[i] = pipe.MemoryUsage(ctx, name, 0) // 0: measure every element
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return 0, err
	}
	var sum int64
	for _, usage := range usages {
		sum += usage.Val()
	}
	return sum, nil
}

// usedMemory is what Redis has allocated, without the buffers of its clients;
// the one that asks is new and has none to speak of.
func usedMemory(socket string) (int, error) {
	client := redis.NewClient(&redis.Options{Network: "unix", Addr: socket})
	defer client.Close()
	info, err := client.Info(context.Background(), "memory").Result()
	if err != nil {
		return 0, err
	}
	fields := map[string]int{}
	for line := range strings.Lines(info) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		fields[name], _ = strconv.Atoi(value) // the others are not numbers
	}
	if fields["used_memory"] == 0 {
		return 0, errors.New("no used_memory in INFO")
	}
	return fields["used_memory"] - fields["mem_clients_normal"], nil
}
