package store

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"provision/internal/gimel/event"
)

// track is what one script call counts: uuids of one counter.
type track struct {
	key     string // of the experiment
	event   string
	variant string
	counter string
	indices []int // of its events
	more    bool  // one of them has a value, a visitor or a key
	// What this process believed of the counter when it sent the call.
	id      string
	buckets int64
}

// commitExact sends one script call a counter, all in one pipeline. What
// moved, was unknown or met a Redis without scripts goes into the next round.
func (s *Store) commitExact(ctx context.Context, events []event.Event) []Outcome {
	outcomes := make([]Outcome, len(events))
	fingerprints := make([]int64, len(events))
	for i, e := range events {
		fingerprints[i] = s.fingerprints.of(e)
	}
	day := time.Now().UTC().Format(time.DateOnly)
	s.settle(ctx, events, outcomes, func(open []int) (again, unknown []int, err error) {
		tracks := groupByCounter(events, open)
		commands := s.sendTracks(ctx, tracks, events, fingerprints, day)
		for at, t := range tracks {
			reply, problem := commands[at].Slice()
			if problem = redisError(problem); errors.Is(problem, errScriptsMissing) {
				err = problem
				again = append(again, t.indices...)
				continue
			}
			if problem != nil { // of this counter alone, or of each
				fail(outcomes, t.indices, problem)
				continue
			}
			switch code, _ := reply[0].(string); code {
			case "counted":
				if count := t.counted(reply, events, outcomes); count > t.buckets*bucketFill {
					s.isFull(growth{t.key, t.id, t.counter}, count)
				}
			case "moved":
				id, _ := reply[1].(string)
				buckets, _ := reply[2].(int64)
				s.remember(t.key, id, t.counter, buckets)
				again = append(again, t.indices...)
			case "unknown":
				s.forget(t.key)
				unknown = append(unknown, t.indices...)
			default:
				for _, i := range t.indices {
					outcomes[i] = Outcome{Reason: event.Reason(code)}
				}
			}
		}
		return again, unknown, err
	})
	return outcomes
}

// counted tells each event of the track what became of it, and returns how many the counter has now.
func (t *track) counted(reply []any, events []event.Event, outcomes []Outcome) (count int64) {
	count, _ = reply[1].(int64)
	flags, _ := reply[2].(string)
	logged, _ := reply[3].(int64)
	for place, i := range t.indices {
		added := flags[place] == '1'
		outcomes[i] = Outcome{Added: added, Unlogged: added && logged == 0}
		switch flags[place] {
		case '-':
			_, outcomes[i].Reason = events[i].Amount()
		case '!':
			outcomes[i].Reason = event.MissingKey
		case '?':
			outcomes[i].Reason = event.MissingParameter
		case '>':
			outcomes[i].Reason = event.BadValue
		}
	}
	return count
}

// redisError marks errors as coming from Redis, and tells apart the one that
// loading the scripts mends. None stays none.
func redisError(err error) error {
	if err == nil {
		return nil
	}
	if redis.HasErrorPrefix(err, "NOSCRIPT") {
		err = errScriptsMissing
	}
	return fmt.Errorf("redis: %w", err)
}

func groupByCounter(events []event.Event, open []int) []*track {
	type name struct{ namespace, experiment, event, variant string }
	known := make(map[name]*track)
	var tracks []*track
	for _, i := range open {
		e := &events[i]
		of := name{e.Namespace, e.Experiment, e.Name, e.Variant}
		t := known[of]
		if t == nil {
			t = &track{key: experimentKey(e.Namespace, e.Experiment), event: e.Name, variant: e.Variant,
				counter: counterName(e.Name, e.Variant)}
			known[of] = t
			tracks = append(tracks, t)
		}
		t.indices = append(t.indices, i)
		t.more = t.more || e.Value != "" || e.Visitor != "" || e.Keyed
	}
	return tracks
}

func (s *Store) sendTracks(ctx context.Context, tracks []*track, events []event.Event, fingerprints []int64, day string) []*redis.Cmd {
	s.mu.Lock()
	for _, t := range tracks {
		t.id, t.buckets = "", 1
		if known := s.layouts[t.key]; known != nil {
			t.id, t.buckets = known.id, max(1, known.buckets[t.counter])
		}
	}
	s.mu.Unlock()

	budget := s.budget()
	pipe := s.client.Pipeline()
	commands := make([]*redis.Cmd, len(tracks))
	for at, t := range tracks {
		keys := make([]string, 0, 3+len(t.indices))
		keys = append(keys, t.key, daysKey(t.key, t.id, t.counter), eventsKey(t.key, t.id))
		arguments := make([]any, 0, 9+len(t.indices))
		arguments = append(arguments, t.event, t.variant, t.id, t.buckets, day, s.settings.CounterCap,
			budget, s.packed(fingerprints, t.indices), len(t.indices))
		for _, i := range t.indices {
			keys = append(keys, bucketKey(t.key, t.id, t.counter, bucketOf(fingerprints[i], t.buckets)))
			arguments = append(arguments, fingerprints[i])
		}
		if t.more {
			for _, i := range t.indices {
				visitor := ""
				if events[i].Visitor != "" {
					visited := s.visitorOf(events[i])
					visitor = strconv.FormatInt(visited, 10)
					keys = append(keys, tallyKey(t.key, t.id, t.counter, tallyOf(visited)))
				}
				arguments = append(arguments, amountOf(events[i])+" "+visitor+keyOf(events[i]))
			}
		}
		commands[at] = s.scripts.track.EvalSha(ctx, pipe, keys, arguments...)
	}
	_, _ = pipe.Exec(ctx) // each command has its own error
	return commands
}

// visitorOf is the fingerprint of who has reached a goal.
func (s *Store) visitorOf(e event.Event) int64 {
	e.UUID = e.Visitor
	return s.fingerprints.of(e)
}

// keyOf says to a script that an event came with a key.
func keyOf(e event.Event) string {
	if e.Keyed {
		return " key"
	}
	return ""
}

// amountOf is an event's value as a script takes it: "" is none.
func amountOf(e event.Event) string {
	amount, reason := e.Amount()
	if reason != "" {
		return ""
	}
	return strconv.FormatFloat(amount, 'g', -1, 64)
}

// budget is that of a log as the scripts take it, with the time.
func (s *Store) budget() string {
	if s.settings.LogBudget == 0 {
		return "0"
	}
	return fmt.Sprintf("%d %d", s.settings.LogBudget, time.Now().Unix())
}

// packed are the fingerprints as the log has them, where there is one.
func (s *Store) packed(fingerprints []int64, indices []int) []byte {
	if s.settings.LogBudget == 0 {
		return nil
	}
	packed := make([]byte, 0, fingerprintSize*len(indices))
	for _, i := range indices {
		packed = binary.BigEndian.AppendUint64(packed, uint64(fingerprints[i]))
	}
	return packed
}

// layoutsKept bounds what is believed of experiments; what is forgotten costs one
// more round.
const layoutsKept = 10_000

func (s *Store) remember(key, id, counter string, buckets int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	known := s.layouts[key]
	if known == nil || known.id != id {
		if len(s.layouts) >= layoutsKept { // most of them of experiments that another process has taken away
			clear(s.layouts)
		}
		known = &layout{id: id, buckets: map[string]int64{}}
		s.layouts[key] = known
	}
	known.buckets[counter] = buckets
}

// lifeOf is the experiment's id, as far as this process knows it.
func (s *Store) lifeOf(key string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if known := s.layouts[key]; known != nil {
		return known.id
	}
	return ""
}

func (s *Store) forget(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.layouts, key)
}
