package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// The states of an experiment.
const (
	Running  = "running"
	Archived = "archived" // kept and shown; its events are dropped
)

// Variant is a declared variant and its share of the traffic, on any scale.
type Variant struct {
	Label  string
	Weight float64
}

// Declaration says beforehand what an experiment is.
type Declaration struct {
	Namespace  string
	Experiment string
	// Variants in order, the control first. When there are any, no others are
	// counted.
	Variants []Variant
	// Goals, likewise; participate is always counted.
	Goals []string
	// Planned participants a variant, 0 when nothing is planned.
	Planned int64
}

// Counter is one (event, variant) and its count.
type Counter struct {
	Event, Variant string
	Count          int64
}

// Experiment is all that is known of one.
type Experiment struct {
	Namespace string
	Name      string
	Declared  bool
	State     string
	Created   time.Time // zero where only the original knows of it
	Variants  []Variant // as declared
	Goals     []string  // as declared, sorted
	Planned   int64
	Counters  []Counter // sorted by event, then variant

	id      string
	buckets map[string]int64
}

// Count is the count of one event of one variant.
func (e *Experiment) Count(event, variant string) int64 {
	for _, counter := range e.Counters {
		if counter.Event == event && counter.Variant == variant {
			return counter.Count
		}
	}
	return 0
}

// Declare makes an experiment known, or replaces its declaration; what was
// counted stays. It says whether the experiment is new.
func (s *Store) Declare(ctx context.Context, d Declaration) (created bool, err error) {
	key := experimentKey(d.Namespace, d.Experiment)
	arguments := []any{newID(), time.Now().Unix(), "planned", d.Planned}
	if len(d.Variants) > 0 {
		arguments = append(arguments, "variants", 1)
	}
	for place, variant := range d.Variants {
		arguments = append(arguments, "v:"+variant.Label, fmt.Sprintf("%d %g", place, variant.Weight))
	}
	if len(d.Goals) > 0 {
		arguments = append(arguments, "goals", 1)
	}
	for _, goal := range d.Goals {
		arguments = append(arguments, "g:"+goal, 1)
	}
	if err := s.list(ctx, d.Namespace, d.Experiment, true); err != nil {
		return false, err // before: a crash leaves none that counts and is in no list
	}
	fresh, err := s.scripts.declare.Run(ctx, s.client, []string{key}, arguments...).Int()
	if err != nil {
		return false, fmt.Errorf("redis: declare experiment: %w", err)
	}
	return fresh == 1, s.list(ctx, d.Namespace, d.Experiment, true) // and after: see unlist
}

// SetState archives an experiment or lets it run again. It returns ErrNotFound
// for one that there is not.
func (s *Store) SetState(ctx context.Context, namespace, experiment, state string) error {
	found, err := s.scripts.state.Run(ctx, s.client, []string{experimentKey(namespace, experiment)}, state).Int()
	if err != nil {
		return fmt.Errorf("redis: set state: %w", err)
	}
	if found == 0 {
		return ErrNotFound
	}
	return nil
}

// Names lists the experiments of a namespace, sorted.
func (s *Store) Names(ctx context.Context, namespace string) ([]string, error) {
	pipe := s.client.Pipeline()
	lists := []*redis.StringSliceCmd{pipe.SMembers(ctx, declaredKey), pipe.SMembers(ctx, undeclaredKey)}
	var original *redis.StringSliceCmd
	if s.settings.Counting == HLL {
		original = pipe.SMembers(ctx, originalExperiments(namespace))
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, fmt.Errorf("redis: list experiments: %w", err)
	}
	var names []string
	for _, list := range lists {
		for _, member := range list.Val() {
			if of, name, _ := strings.Cut(member, ":"); of == namespace {
				names = append(names, name)
			}
		}
	}
	if original != nil {
		names = append(names, original.Val()...)
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// Namespaces lists the namespaces that have experiments, sorted.
func (s *Store) Namespaces(ctx context.Context) ([]string, error) {
	members, err := s.client.SUnion(ctx, declaredKey, undeclaredKey).Result()
	if err != nil {
		return nil, fmt.Errorf("redis: list experiments: %w", err)
	}
	var namespaces []string
	for _, member := range members {
		namespace, _, _ := strings.Cut(member, ":")
		namespaces = append(namespaces, namespace)
	}
	slices.Sort(namespaces)
	return slices.Compact(namespaces), nil
}

// Experiment reads one experiment. It returns ErrNotFound for one that there
// is not.
func (s *Store) Experiment(ctx context.Context, namespace, name string) (*Experiment, error) {
	pipe := s.client.Pipeline()
	fields := pipe.HGetAll(ctx, experimentKey(namespace, name))
	declared := pipe.SIsMember(ctx, declaredKey, member(namespace, name))
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, fmt.Errorf("redis: read experiment: %w", err)
	}
	experiment := &Experiment{Namespace: namespace, Name: name, Declared: declared.Val(), State: Running}
	if err := experiment.read(fields.Val()); err != nil {
		return nil, err
	}
	if s.settings.Counting == HLL {
		if err := s.readOriginal(ctx, experiment); err != nil {
			return nil, err
		}
	}
	if experiment.id == "" && len(experiment.Counters) == 0 && !experiment.Declared {
		return nil, ErrNotFound
	}
	slices.SortFunc(experiment.Counters, func(a, b Counter) int {
		return cmp.Or(cmp.Compare(a.Event, b.Event), cmp.Compare(a.Variant, b.Variant))
	})
	return experiment, nil
}

// read takes over the fields of an experiment's hash; see keys.go.
func (e *Experiment) read(fields map[string]string) error {
	counts := map[string]int64{}
	e.buckets = map[string]int64{}
	var problems []error
	number := func(field, text string) int64 {
		value, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			problems = append(problems, fmt.Errorf("field %q: %w", field, err))
		}
		return value
	}
	for field, value := range fields {
		kind, name, hasName := strings.Cut(field, ":")
		switch {
		case field == "id":
			e.id = value
		case field == "state":
			e.State = value
		case field == "created":
			e.Created = time.Unix(number(field, value), 0).UTC()
		case field == "planned":
			e.Planned = number(field, value)
		case !hasName: // a count of fields
		case kind == "v":
			variant := Variant{Label: name}
			_, err := fmt.Sscanf(value, "%d %g", new(int), &variant.Weight)
			problems = append(problems, err)
			e.Variants = append(e.Variants, variant)
		case kind == "g":
			e.Goals = append(e.Goals, name)
		case kind == "c", kind == "b":
			counts[name] += number(field, value)
		case kind == "n":
			e.buckets[name] = number(field, value)
		}
	}
	slices.Sort(e.Goals)
	slices.SortFunc(e.Variants, func(a, b Variant) int {
		return cmp.Compare(position(fields["v:"+a.Label]), position(fields["v:"+b.Label]))
	})
	for name, count := range counts {
		event, variant, _ := strings.Cut(name, ":")
		e.Counters = append(e.Counters, Counter{Event: event, Variant: variant, Count: count})
		e.buckets[name] = max(1, e.buckets[name])
	}
	if err := errors.Join(problems...); err != nil {
		return fmt.Errorf("redis: experiment %s: %w", member(e.Namespace, e.Name), err)
	}
	return nil
}

// position is the first number of a declared variant's field.
func position(field string) int {
	number, _, _ := strings.Cut(field, " ")
	index, _ := strconv.Atoi(number)
	return index
}

// readOriginal takes the counts from the original's keys.
func (s *Store) readOriginal(ctx context.Context, e *Experiment) error {
	keys, err := s.client.SMembers(ctx, originalExperimentCounters(e.Namespace, e.Name)).Result()
	if err != nil {
		return fmt.Errorf("redis: read experiment: %w", err)
	}
	pipe := s.client.Pipeline()
	counts := make([]*redis.IntCmd, len(keys))
	for i, key := range keys {
		counts[i] = pipe.PFCount(ctx, key)
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return fmt.Errorf("redis: read counters: %w", err)
	}
	e.Counters = nil
	for i, key := range keys {
		if event, variant, ok := splitOriginal(key); ok {
			e.Counters = append(e.Counters, Counter{Event: event, Variant: variant, Count: counts[i].Val()})
		}
	}
	return nil
}

// splitOriginal finds event and variant as the original does: they are the
// last two parts.
func splitOriginal(key string) (event, variant string, ok bool) {
	parts := strings.Split(key, ":")
	if len(parts) < 4 {
		return "", "", false
	}
	return parts[len(parts)-2], parts[len(parts)-1], true
}

// Day is what a counter counted on one day (UTC).
type Day struct {
	Day   string // 2006-01-02
	Count int64
}

// Days reads the counts per day of all counters of an experiment, each sorted
// by day. There are none where the counting is HLL, or imported.
func (s *Store) Days(ctx context.Context, e *Experiment) (map[Counter][]Day, error) {
	key := experimentKey(e.Namespace, e.Name)
	pipe := s.client.Pipeline()
	replies := make([]*redis.MapStringStringCmd, len(e.Counters))
	for i, counter := range e.Counters {
		replies[i] = pipe.HGetAll(ctx, daysKey(key, e.id, counterName(counter.Event, counter.Variant)))
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, fmt.Errorf("redis: read days: %w", err)
	}
	all := map[Counter][]Day{}
	for i, counter := range e.Counters {
		var days []Day
		for day, text := range replies[i].Val() {
			count, err := strconv.ParseInt(text, 10, 64)
			if err != nil {
				return nil, fmt.Errorf("redis: day %s: %w", day, err)
			}
			days = append(days, Day{Day: day, Count: count})
		}
		slices.SortFunc(days, func(a, b Day) int { return cmp.Compare(a.Day, b.Day) })
		all[counter] = days
	}
	return all, nil
}
