package store

import (
	"slices"
	"strings"
	"testing"

	"provision/internal/gimel/event"
	"provision/internal/gimel/redistest"
)

func contains(text, part string) bool { return strings.Contains(text, part) }

// The keys and their bytes must be what Alephbet/gimel's track() leaves.
func TestHLLWritesTheOriginalsKeysByteForByte(t *testing.T) {
	settings := exactSettings
	settings.Counting = HLL
	s := newStore(t, redistest.Start(t).URL(), settings)
	events := participants("button color", "blue", 0, 500)
	events = append(events, event.Event{Namespace: "alephbet", Experiment: "button color", Name: "buy", Variant: "blue", UUID: "uuid-1"})
	commitAll(t, s, events)

	byHand := redistest.Start(t).Client()
	for _, e := range events {
		key := "alephbet:counters:button color:" + e.Name + ":blue"
		byHand.SAdd(t.Context(), "alephbet:experiments", "button color")
		byHand.SAdd(t.Context(), "alephbet:counter_keys", key)
		byHand.SAdd(t.Context(), "alephbet:button color:counter_keys", key)
		byHand.PFAdd(t.Context(), key, e.UUID)
	}
	var ours []string
	for _, key := range s.client.Keys(t.Context(), "*").Val() {
		if !strings.HasPrefix(key, "gimel:{") {
			ours = append(ours, key)
		}
	}
	want := byHand.Keys(t.Context(), "*").Val()
	slices.Sort(ours)
	slices.Sort(want)
	if !slices.Equal(ours, want) {
		t.Fatalf("keys = %q, want %q", ours, want)
	}
	for _, key := range want {
		if strings.Contains(key, ":counters:") {
			if s.client.Get(t.Context(), key).Val() != byHand.Get(t.Context(), key).Val() {
				t.Errorf("%s differs", key)
			}
			continue
		}
		got, want := s.client.SMembers(t.Context(), key).Val(), byHand.SMembers(t.Context(), key).Val()
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s = %q, want %q", key, got, want)
		}
	}
}

func TestHLLReadsAnExperimentThatOnlyTheOriginalKnows(t *testing.T) {
	settings := exactSettings
	settings.Counting = HLL
	server := redistest.Start(t)
	s := newStore(t, server.URL(), settings)
	byHand := server.Client()
	key := "alephbet:counters:old:participate:blue"
	byHand.SAdd(t.Context(), "alephbet:experiments", "old")
	byHand.SAdd(t.Context(), "alephbet:old:counter_keys", key)
	byHand.PFAdd(t.Context(), key, "a", "b", "c")
	if names, err := s.Names(t.Context(), "alephbet"); err != nil || !slices.Equal(names, []string{"old"}) {
		t.Errorf("names = %v, %v", names, err)
	}
	if got := count(t, s, "old", "participate", "blue"); got != 3 {
		t.Errorf("count = %d, want 3", got)
	}
}
