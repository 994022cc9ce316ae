package store

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"provision/internal/gimel/event"
)

// commitExact sends one script call an event, all in one pipeline. What moved,
// was unknown or met a Redis without scripts goes into the next round.
func (s *Store) commitExact(ctx context.Context, events []event.Event) []Outcome {
	outcomes := make([]Outcome, len(events))
	tracks := make([]track, len(events))
	day := time.Now().UTC().Format(time.DateOnly)
	for i, e := range events {
		tracks[i] = track{
			event:       e,
			key:         experimentKey(e.Namespace, e.Experiment),
			counter:     counterName(e.Name, e.Variant),
			fingerprint: s.fingerprints.of(e),
			day:         day,
		}
	}
	full := map[growth]int64{}
	s.settle(ctx, events, outcomes, func(open []int) (again, unknown []int, err error) {
		commands := s.sendTracks(ctx, tracks, open)
		for at, i := range open {
			reply, problem := commands[at].Slice()
			if problem != nil {
				if redis.HasErrorPrefix(problem, "NOSCRIPT") {
					problem = errScriptsMissing
				}
				err = fmt.Errorf("redis: %w", problem)
				again = append(again, i)
				continue
			}
			switch code, _ := reply[0].(string); code {
			case "added":
				outcomes[i] = Outcome{Added: true}
				s.noteCount(full, &tracks[i], reply)
			case "duplicate":
				outcomes[i] = Outcome{}
			case "moved":
				id, _ := reply[1].(string)
				buckets, _ := reply[2].(int64)
				s.remember(tracks[i].key, id, tracks[i].counter, buckets)
				again = append(again, i)
			case "unknown":
				s.forget(tracks[i].key)
				unknown = append(unknown, i)
			default:
				outcomes[i] = Outcome{Reason: event.Reason(code)}
			}
		}
		return again, unknown, err
	})
	s.grow(ctx, full)
	return outcomes
}

// track is one event on its way, with what this process believes of where it
// belongs.
type track struct {
	event       event.Event
	key         string // of the experiment
	counter     string
	fingerprint int64
	day         string
	id          string
	buckets     int64
}

func (s *Store) sendTracks(ctx context.Context, tracks []track, open []int) []*redis.Cmd {
	s.mu.Lock()
	for _, i := range open {
		tracks[i].id, tracks[i].buckets = "", 1
		if known := s.layouts[tracks[i].key]; known != nil {
			tracks[i].id, tracks[i].buckets = known.id, max(1, known.buckets[tracks[i].counter])
		}
	}
	s.mu.Unlock()

	pipe := s.client.Pipeline()
	commands := make([]*redis.Cmd, len(open))
	for at, i := range open {
		t := &tracks[i]
		commands[at] = s.scripts.track.EvalSha(ctx, pipe,
			[]string{
				t.key,
				bucketKey(t.key, t.id, t.counter, bucketOf(t.fingerprint, t.buckets)),
				daysKey(t.key, t.id, t.counter),
			},
			t.event.Name, t.event.Variant, t.id, t.buckets, t.fingerprint, t.day, s.settings.CounterCap)
	}
	// Each command has its own error.
	_, _ = pipe.Exec(ctx)
	return commands
}

func (s *Store) remember(key, id, counter string, buckets int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	known := s.layouts[key]
	if known == nil || known.id != id {
		known = &layout{id: id, buckets: map[string]int64{}}
		s.layouts[key] = known
	}
	known.buckets[counter] = buckets
}

func (s *Store) forget(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.layouts, key)
}

// growth names a counter of one experiment's life.
type growth struct{ key, id, counter string }

// noteCount keeps the largest count of every counter whose buckets are full.
func (s *Store) noteCount(full map[growth]int64, t *track, reply []any) {
	count, _ := reply[1].(int64)
	if count > t.buckets*bucketFill {
		full[growth{t.key, t.id, t.counter}] = count
	}
}

// splitsAtOnce bounds the work between two batches; a bucket has room to wait.
const splitsAtOnce = 8

// grow splits buckets of counters that are full. It may fail or not happen at
// all: the next event of the counter tries again.
func (s *Store) grow(ctx context.Context, full map[growth]int64) {
	for g, count := range full {
		s.mu.Lock()
		known := s.layouts[g.key]
		if known == nil || known.id != g.id {
			s.mu.Unlock()
			continue
		}
		n := max(1, known.buckets[g.counter])
		s.mu.Unlock()

		pipe := s.client.Pipeline()
		for range splitsAtOnce {
			if count <= n*bucketFill {
				break
			}
			level := levelOf(n)
			s.scripts.split.EvalSha(ctx, pipe,
				[]string{g.key, bucketKey(g.key, g.id, g.counter, n-level), bucketKey(g.key, g.id, g.counter, n)},
				g.id, g.counter, strconv.FormatInt(n, 10), 2*level, n)
			n++
		}
		if _, err := pipe.Exec(ctx); err == nil {
			s.remember(g.key, g.id, g.counter, n)
		}
	}
}
