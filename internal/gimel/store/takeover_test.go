package store

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"provision/internal/gimel/redistest"
)

// oldRedis holds what gimel (HyperLogLogs) and lamed (numbers) leave.
func oldRedis(t *testing.T) *redis.Client {
	t.Helper()
	client := redistest.Start(t).Client()
	add := func(namespace, experiment, event string, content func(key string)) {
		key := fmt.Sprintf("%s:counters:%s:%s:blue", namespace, experiment, event)
		client.SAdd(t.Context(), namespace+":experiments", experiment)
		client.SAdd(t.Context(), namespace+":counter_keys", key)
		client.SAdd(t.Context(), namespace+":"+experiment+":counter_keys", key)
		content(key)
	}
	add("alephbet", "button color", "participate", func(key string) {
		for i := range 100 {
			client.PFAdd(t.Context(), key, fmt.Sprintf("uuid-%d", i))
		}
	})
	add("lamed", "title", "participate", func(key string) { client.Set(t.Context(), key, 4321, 0) })
	add("lamed", "title", "buy:now", func(key string) { client.Set(t.Context(), key, 1, 0) })
	add("lamed", "title", "gone", func(string) {})
	add("lamed", "title", "odd", func(key string) { client.Set(t.Context(), key, "x", 0) })
	return client
}

func takeOver(t *testing.T, s *Store, source redis.UniversalClient) map[string]Taken {
	t.Helper()
	taken, err := s.TakeOver(context.Background(), source, "")
	if err != nil {
		t.Fatal(err)
	}
	byKey := map[string]Taken{}
	for _, one := range taken {
		byKey[one.Key] = one
	}
	return byKey
}

func TestImportIntoExactIsIdempotentAndAddsToWhatIsCountedHere(t *testing.T) {
	source := oldRedis(t)
	hll := source.PFCount(t.Context(), "alephbet:counters:button color:participate:blue").Val()
	s := newStore(t, redistest.Start(t).URL(), exactSettings)
	commitAll(t, s, participants("button color", "blue", 1000, 1010))
	for range 2 {
		taken := takeOver(t, s, source)
		if len(taken) != 5 {
			t.Errorf("taken = %+v", taken)
		}
		for key, skipped := range map[string]bool{
			"alephbet:counters:button color:participate:blue": false,
			"lamed:counters:title:participate:blue":           false,
			"lamed:counters:title:buy:now:blue":               true,
			"lamed:counters:title:gone:blue":                  true,
			"lamed:counters:title:odd:blue":                   true,
		} {
			if (taken[key].Skipped != "") != skipped {
				t.Errorf("%s: %+v", key, taken[key])
			}
		}
		if got := count(t, s, "button color", "participate", "blue"); got != hll+10 {
			t.Errorf("count = %d, want %d + 10", got, hll)
		}
		title, err := s.Experiment(t.Context(), "lamed", "title")
		if err != nil || title.Count("participate", "blue") != 4321 {
			t.Errorf("lamed: %+v, %v", title, err)
		}
	}
	commitAll(t, s, participants("button color", "blue", 1005, 1020))
	if got := count(t, s, "button color", "participate", "blue"); got != hll+20 {
		t.Errorf("count = %d, want %d + 20", got, hll)
	}
}

func TestImportIntoHLLMergesByteForByte(t *testing.T) {
	source := oldRedis(t)
	settings := exactSettings
	settings.Counting = HLL
	s := newStore(t, redistest.Start(t).URL(), settings)
	commitAll(t, s, participants("button color", "blue", 50, 150))
	const key = "alephbet:counters:button color:participate:blue"
	for range 2 {
		taken := takeOver(t, s, source)
		if skipped := taken["lamed:counters:title:participate:blue"].Skipped; !strings.Contains(skipped, "exact") {
			t.Errorf("lamed: %q", skipped)
		}
	}
	for i := range 150 {
		source.PFAdd(t.Context(), key, fmt.Sprintf("uuid-%d", i))
	}
	if got, want := s.client.PFCount(t.Context(), key).Val(), source.PFCount(t.Context(), key).Val(); got != want {
		t.Errorf("count = %d, want %d", got, want)
	}
	if left := s.client.Keys(t.Context(), "*gimel-import*").Val(); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}
