package store

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"provision/internal/gimel/event"
	"provision/internal/gimel/redistest"
)

func TestClusterOfThreeMasters(t *testing.T) {
	url := "redis+cluster://" + strings.Join(redistest.StartCluster(t), ",")
	for _, counting := range []Counting{Exact, HLL} {
		t.Run(string(counting), func(t *testing.T) {
			s := newStore(t, url, logging(counting, 1<<20))
			if err := s.Ready(t.Context()); err != nil {
				t.Fatal(err)
			}
			// Enough experiments that all three shards have some.
			names := []string{"a", "b", "c", "d", "e", "f", "g{", "}h"}
			for round := range 2 {
				for _, name := range names {
					added := commitAll(t, s, participants(name+string(counting), "blue", 0, 1000))
					if counting == Exact && added != 1000*(1-round) {
						t.Errorf("%s: round %d added %d", name, round, added)
					}
				}
			}
			for _, name := range names {
				got := count(t, s, name+string(counting), "participate", "blue")
				if got < 970 || got > 1030 || counting == Exact && got != 1000 {
					t.Errorf("%s = %d", name, got)
				}
			}
			if counting == Exact {
				checkBuckets(t, s, "}hexact", 1000)
			}
			log := s.EventLog("a")
			logged, all, found := takenLog(t, s, log)
			for _, name := range names {
				if got := len(logged[name+string(counting)+" participate:blue"]); got < 1000 {
					t.Errorf("%s: %d in its log", name, got)
				}
			}
			if err := log.Done(t.Context(), all, found); err != nil {
				t.Error(err)
			}
			for _, name := range names {
				if err := s.Delete(t.Context(), "alephbet", name+string(counting)); err != nil {
					t.Error(err)
				}
			}
			if left, err := s.Names(t.Context(), "alephbet"); err != nil || len(left) != 0 {
				t.Errorf("left: %v, %v", left, err)
			}
		})
	}
}

// moving is a slot on its way from one master to another.
type moving struct {
	t        *testing.T
	slot     int64
	from, to *redis.Client
	ids      [2]string
}

func move(t *testing.T, addresses []string, key string) *moving {
	t.Helper()
	m := &moving{t: t}
	for _, address := range addresses {
		node := redis.NewClient(&redis.Options{Addr: address, DisableIdentity: true})
		t.Cleanup(func() { node.Close() })
		id := node.Do(t.Context(), "CLUSTER", "MYID").Val().(string)
		if err := node.Exists(t.Context(), key).Err(); err == nil {
			m.from, m.ids[0] = node, id
		} else {
			m.to, m.ids[1] = node, id
		}
	}
	m.slot = m.from.ClusterKeySlot(t.Context(), key).Val()
	m.do(m.to, "CLUSTER", "SETSLOT", m.slot, "IMPORTING", m.ids[0])
	m.do(m.from, "CLUSTER", "SETSLOT", m.slot, "MIGRATING", m.ids[1])
	return m
}

func (m *moving) do(node *redis.Client, words ...any) {
	m.t.Helper()
	if err := node.Do(m.t.Context(), words...).Err(); err != nil {
		m.t.Fatalf("%v: %v", words, err)
	}
}

// carry moves those of the slot's keys that it should.
func (m *moving) carry(should func(key string) bool) {
	m.t.Helper()
	host, port, _ := strings.Cut(m.to.Options().Addr, ":")
	for _, key := range m.from.ClusterGetKeysInSlot(m.t.Context(), int(m.slot), 100_000).Val() {
		if should(key) {
			m.do(m.from, "MIGRATE", host, port, key, 0, 5000)
		}
	}
}

func (m *moving) end() {
	m.t.Helper()
	m.do(m.to, "CLUSTER", "SETSLOT", m.slot, "NODE", m.ids[1])
	m.do(m.from, "CLUSTER", "SETSLOT", m.slot, "NODE", m.ids[1])
}

// While the keys of an experiment are on their way to another shard, an event is counted or it is
// not, and the client is told which: never in part.
func TestASlotThatMoves(t *testing.T) {
	addresses := redistest.StartCluster(t)
	s := newStore(t, "redis+cluster://"+strings.Join(addresses, ","), logging(Exact, 1<<20))
	if err := s.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, err := s.Declare(t.Context(), Declaration{Namespace: "alephbet", Experiment: "e", Goals: []string{"visit"}, Kinds: map[string]event.Kind{"visit": event.Count}})
	if err != nil {
		t.Fatal(err)
	}
	sent := 0
	visitors := func(from, to int) []event.Event {
		events := participants("e", "blue", from, to)
		for _, e := range slices.Clone(events) {
			e.Name, e.Visitor = "visit", e.UUID
			events = append(events, e)
		}
		return events
	}
	send := func() (refused int) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		for _, outcome := range s.Commit(ctx, visitors(sent, sent+20))[:20] { // the participants
			if outcome.Err != nil {
				refused++
			}
		}
		sent += 20
		return refused
	}
	send()
	slot := move(t, addresses, experimentKey("alephbet", "e"))
	if refused := send(); refused > 0 {
		t.Errorf("%d refused while all keys are where they were", refused)
	}
	for _, kind := range []string{"days", "events", "by", "participate"} {
		slot.carry(func(key string) bool { return strings.Contains(key, ":"+kind) })
		if refused := send(); refused != 20 {
			t.Errorf("%d of 20 refused while some keys are elsewhere", refused)
		}
	}
	slot.carry(func(string) bool { return true })
	if refused := send(); refused > 0 {
		t.Errorf("%d refused when all keys are at the new place", refused)
	}
	log := s.EventLog("a")
	logged, _, _ := takenLog(t, s, log) // its reader follows too
	slot.end()
	if refused := send(); refused > 0 {
		t.Errorf("%d refused after the end", refused)
	}
	for from := 0; from < sent; from += 20 { // as clients do
		for _, outcome := range s.Commit(t.Context(), visitors(from, from+20)) {
			if outcome.Err != nil {
				t.Fatal(outcome.Err)
			}
		}
	}
	e, err := s.Experiment(t.Context(), "alephbet", "e")
	if err != nil {
		t.Fatal(err)
	}
	want := Values{Of: int64(sent), Sum: float64(sent), Squares: float64(sent)}
	if visits := e.Counter("visit", "blue"); e.Count("participate", "blue") != int64(sent) || visits.Count != int64(sent) || visits.Values != want {
		t.Errorf("%+v of %d", e.Counters, sent)
	}
	checkBuckets(t, s, "e", sent)
	rest, _, _ := takenLog(t, s, log)
	for _, counter := range []string{"e participate:blue", "e visit:blue"} {
		all := slices.Sorted(slices.Values(append(logged[counter], rest[counter]...)))
		if len(logged[counter]) == 0 {
			t.Errorf("%s: nothing is read while the slot moves", counter)
		}
		if len(slices.Compact(slices.Clone(all))) != sent || len(all) != sent {
			t.Errorf("%s: %d in the log, %d different ones, want %d", counter, len(all), len(slices.Compact(all)), sent)
		}
	}
	if missed := lives(t, s)[0].Missed; missed != 0 {
		t.Errorf("%d missed", missed)
	}
}
