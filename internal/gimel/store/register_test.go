package store

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"provision/internal/gimel/event"
	"provision/internal/gimel/redistest"
)

// counting counts the round trips.
type counting struct{ trips int }

func (c *counting) DialHook(next redis.DialHook) redis.DialHook { return next }

func (c *counting) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, command redis.Cmder) error {
		c.trips++
		return next(ctx, command)
	}
}

func (c *counting) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, commands []redis.Cmder) error {
		c.trips++
		return next(ctx, commands)
	}
}

// invented are events of experiments that a scanner makes up.
func invented(namespace string, from, to int) []event.Event {
	var events []event.Event
	for i := from; i < to; i++ {
		events = append(events, event.Event{Namespace: namespace, Experiment: fmt.Sprintf("invented%d", i),
			Name: event.Participate, Variant: "a", UUID: "scanner"})
	}
	return events
}

// The events of visitors wait behind those of scanners: what is turned away must not cost a round
// trip an event.
func TestUndeclaredEventsShareTheirRoundTrips(t *testing.T) {
	for name, limit := range map[string]int{"refused": 0, "full": 1, "let in": 1000} {
		t.Run(name, func(t *testing.T) {
			settings := exactSettings
			settings.UndeclaredCap = limit
			s := newStore(t, redistest.Start(t).URL(), settings)
			if err := s.Ready(t.Context()); err != nil {
				t.Fatal(err)
			}
			s.Commit(t.Context(), invented("alephbet", 1000, 1010)) // the list is full, room was made
			trips := &counting{}
			s.client.AddHook(trips)
			events := invented("alephbet", 0, 100)
			for i, outcome := range s.Commit(t.Context(), events) {
				if outcome.Err != nil || (outcome.Reason == "") != (limit == 1000) {
					t.Fatalf("event %d: %+v", i, outcome)
				}
			}
			if trips.trips > 6 {
				t.Errorf("%d round trips for %d events", trips.trips, len(events))
			}
			trips.trips = 0
			s.Commit(t.Context(), events)
			if trips.trips > 1 {
				t.Errorf("%d round trips for the same again", trips.trips)
			}
		})
	}
}

// Who invents names must not keep the next real experiment out: the cap is no switch that every
// visitor can throw.
func TestInventedNamesMakeRoomForARealExperiment(t *testing.T) {
	s := newStore(t, redistest.Start(t).URL(), exactSettings) // its cap is 100
	kept := participants("kept", "blue", 0, visited)
	commitAll(t, s, kept)
	s.Commit(t.Context(), invented("alephbet", 0, 110))
	deadline := time.Now().Add(2 * time.Minute)
	for visitor := 0; ; visitor++ {
		outcome := s.Commit(t.Context(), participants("real", "blue", visitor, visitor+1))[0]
		if outcome.Added {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("after %d visitors: %+v", visitor, outcome)
		}
		time.Sleep(100 * time.Millisecond)
	}
	if again := commitAll(t, s, kept); again != 0 {
		t.Errorf("an experiment with %d participants was taken away: %d of them counted anew", visited, again)
	}
	if s.TurnedAway("alephbet") == 0 {
		t.Error("nobody is told that events were turned away")
	}
	if got := s.TurnedAway("another"); got != 0 {
		t.Errorf("of another namespace %d", got)
	}
}

// The cap is of each namespace: one that is flooded leaves the others theirs, as far as the list goes.
func TestTheCapIsOfANamespace(t *testing.T) {
	settings := exactSettings
	settings.UndeclaredCap = 5
	s := newStore(t, redistest.Start(t).URL(), settings)
	let := func(events []event.Event) (n int) {
		for _, outcome := range s.Commit(t.Context(), events) {
			if outcome.Err != nil {
				t.Fatal(outcome.Err)
			}
			if outcome.Added {
				n++
			}
		}
		return n
	}
	let(invented("flooded", 0, 20))
	if got := let(invented("another", 0, 5)); got != 5 {
		t.Errorf("another namespace has %d of its 5", got)
	}
	for i := range 20 {
		let(invented(fmt.Sprintf("invented%d", i), 0, 5))
	}
	if listed := s.client.SCard(t.Context(), undeclaredKey).Val(); listed > 50 {
		t.Errorf("%d are listed; ten namespaces' worth is all", listed)
	}
}

// What a process believes of experiments is bounded: those that another one has taken away, it is
// told of by nobody.
func TestWhatIsBelievedIsBounded(t *testing.T) {
	s := New(nil, exactSettings)
	for i := range 3 * layoutsKept {
		s.remember(experimentKey("alephbet", fmt.Sprint(i)), "id", "participate:a", 1)
	}
	if len(s.layouts) > layoutsKept {
		t.Errorf("%d are kept", len(s.layouts))
	}
}
