package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"

	"provision/internal/gimel/event"
)

// The keys of the original gimel (Alephbet/gimel, gimel/gimel.py), which
// splits them at ':' to find event and variant.
func originalExperiments(namespace string) string { return namespace + ":experiments" }
func originalCounters(namespace string) string    { return namespace + ":counter_keys" }
func originalExperimentCounters(namespace, experiment string) string {
	return namespace + ":" + experiment + ":counter_keys"
}
func originalCounter(e event.Event) string {
	return e.Namespace + ":counters:" + e.Experiment + ":" + e.Name + ":" + e.Variant
}

// commitHLL asks whether the events may be counted, and then writes what the
// original would have written, in its order. Every one of these commands may
// be repeated without effect, so they need not be one atomic step; the keys of
// one experiment are on several shards of a cluster.
func (s *Store) commitHLL(ctx context.Context, events []event.Event) []Outcome {
	outcomes := make([]Outcome, len(events))
	s.settle(ctx, events, outcomes, func(open []int) (again, unknown []int, err error) {
		budget := s.budget()
		pipe := s.client.Pipeline()
		commands := make([]*redis.Cmd, len(open))
		for at, i := range open {
			e := events[i]
			key := experimentKey(e.Namespace, e.Experiment)
			id := s.lifeOf(key)
			commands[at] = s.scripts.admit.EvalSha(ctx, pipe, []string{key, eventsKey(key, id)}, e.Name, e.Variant, id,
				s.settings.CounterCap, budget, s.packed([]int64{s.fingerprints.of(e)}, []int{0}))
		}
		_, _ = pipe.Exec(ctx) // each command has its own error
		var admitted []int
		for at, i := range open {
			reply, problem := commands[at].Slice()
			if problem = redisError(problem); errors.Is(problem, errScriptsMissing) {
				err = problem
				again = append(again, i)
				continue
			}
			if problem != nil { // of this event alone, or of each
				fail(outcomes, []int{i}, problem)
				continue
			}
			switch code, _ := reply[0].(string); code {
			case "admitted":
				logged, _ := reply[1].(int64)
				outcomes[i].Unlogged = logged == 0
				admitted = append(admitted, i)
			case "moved":
				id, _ := reply[1].(string)
				s.remember(experimentKey(events[i].Namespace, events[i].Experiment), id, counterName(events[i].Name, events[i].Variant), 1)
				again = append(again, i)
			case "unknown":
				unknown = append(unknown, i)
			default:
				outcomes[i] = Outcome{Reason: event.Reason(code)}
			}
		}
		s.addOriginal(ctx, events, admitted, outcomes)
		return again, unknown, err
	})
	return outcomes
}

func (s *Store) addOriginal(ctx context.Context, events []event.Event, admitted []int, outcomes []Outcome) {
	pipe := s.client.Pipeline()
	commands := make([][4]*redis.IntCmd, len(admitted))
	for at, i := range admitted {
		e := events[i]
		counter := originalCounter(e)
		commands[at] = [4]*redis.IntCmd{
			pipe.SAdd(ctx, originalExperiments(e.Namespace), e.Experiment),
			pipe.SAdd(ctx, originalCounters(e.Namespace), counter),
			pipe.SAdd(ctx, originalExperimentCounters(e.Namespace, e.Experiment), counter),
			pipe.PFAdd(ctx, counter, e.UUID),
		}
	}
	_, _ = pipe.Exec(ctx) // each command has its own error
	for at, i := range admitted {
		outcomes[i].Added = commands[at][3].Val() == 1
		for _, command := range commands[at] {
			if err := command.Err(); err != nil {
				outcomes[i] = Outcome{Err: fmt.Errorf("redis: %w", err)}
			}
		}
	}
}
