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

	"provision/internal/gimel/event"
)

// Experiment reads one experiment. It returns ErrNotFound for one that there
// is not, and an ErrUnreadable for one that cannot be read.
func (s *Store) Experiment(ctx context.Context, namespace, name string) (*Experiment, error) {
	found, err := s.find(ctx, namespace, name)
	if err == nil && found.Problem != nil {
		return nil, found.Problem
	}
	return found, err
}

// find is Experiment, of those too that cannot be read.
func (s *Store) find(ctx context.Context, namespace, name string) (*Experiment, error) {
	found, err := s.read(ctx, []string{member(namespace, name)})
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, ErrNotFound
	}
	return found[0], nil
}

// Experiments reads all experiments of a namespace, by name, in as many round
// trips as one takes.
func (s *Store) Experiments(ctx context.Context, namespace string) ([]*Experiment, error) {
	names, err := s.Names(ctx, namespace)
	if err != nil {
		return nil, err
	}
	return s.Named(ctx, namespace, names)
}

// Named reads some experiments of a namespace, in their order, and leaves out
// those that there are not.
func (s *Store) Named(ctx context.Context, namespace string, names []string) ([]*Experiment, error) {
	members := make([]string, len(names))
	for i, name := range names {
		members[i] = member(namespace, name)
	}
	return s.read(ctx, members)
}

// read reads experiments, given as namespace:experiment, and leaves out those
// that there are not. What cannot be read of one is its Problem, and no other's.
func (s *Store) read(ctx context.Context, members []string) ([]*Experiment, error) {
	pipe := s.client.Pipeline()
	fields := make([]*redis.MapStringStringCmd, len(members))
	declared := make([]*redis.BoolCmd, len(members))
	all := make([]*Experiment, len(members))
	for i, member := range members {
		namespace, name, _ := strings.Cut(member, ":")
		all[i] = &Experiment{Namespace: namespace, Name: name, State: Running}
		fields[i] = pipe.HGetAll(ctx, experimentKey(namespace, name))
		declared[i] = pipe.SIsMember(ctx, declaredKey, member)
	}
	if _, err := pipe.Exec(ctx); err != nil && !isWrongType(err) {
		return nil, fmt.Errorf("redis: read experiment: %w", err)
	}
	for i, one := range all {
		one.Declared = declared[i].Val()
		err := errors.Join(fields[i].Err(), declared[i].Err())
		switch {
		case isWrongType(fields[i].Err()):
			one.spoiled(fields[i].Err())
		case err != nil:
			return nil, fmt.Errorf("redis: read experiment: %w", err)
		default:
			if err := one.read(fields[i].Val()); err != nil {
				one.spoiled(err)
			}
		}
	}
	if s.settings.Counting == HLL {
		if err := s.readOriginal(ctx, all); err != nil {
			return nil, err
		}
	}
	all = slices.DeleteFunc(all, func(e *Experiment) bool {
		return e.id == "" && len(e.Counters) == 0 && !e.Declared && e.Problem == nil
	})
	for _, one := range all {
		slices.SortFunc(one.Counters, func(a, b Counter) int {
			return cmp.Or(cmp.Compare(a.Event, b.Event), cmp.Compare(a.Variant, b.Variant))
		})
	}
	return all, nil
}

// spoiled leaves of an experiment what it is called, and why there is no more: by
// half of its numbers nobody should judge.
func (e *Experiment) spoiled(why error) {
	*e = Experiment{Namespace: e.Namespace, Name: e.Name, Declared: e.Declared, State: Running, id: e.id,
		Problem: fmt.Errorf("redis: experiment %s: %w: %w", member(e.Namespace, e.Name), ErrUnreadable, why)}
}

// read takes over the fields of an experiment's hash; see keys.go.
func (e *Experiment) read(fields map[string]string) error {
	counts, values := map[string]int64{}, map[string]*Values{}
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
		case field == "ramped":
			e.Ramped = true
		case field == "replanned":
			problems = append(problems, e.readBefore(value, fields))
		case !hasName: // a count of fields
		case kind == "v":
			variant := Variant{Label: name}
			if _, err := fmt.Sscanf(value, "%d %g", new(int), &variant.Weight); err != nil {
				problems = append(problems, fmt.Errorf("field %q: %w", field, err))
			}
			e.Variants = append(e.Variants, variant)
		case kind == "g":
			problems = append(problems, e.readGoal(name, value))
		case kind == "m", kind == "s", kind == "q":
			if values[name] == nil {
				values[name] = &Values{}
			}
			problems = append(problems, values[name].read(kind, value))
		case kind == "c", kind == "b":
			counts[name] += number(field, value)
		case kind == "k":
			set(&e.Was, name, event.Kind(value))
		case kind == "o":
			set(&e.Over, name, number(field, value))
		case kind == "n":
			e.buckets[name] = number(field, value)
		}
	}
	slices.Sort(e.Goals)
	slices.SortFunc(e.Variants, func(a, b Variant) int {
		return cmp.Compare(position(fields["v:"+a.Label]), position(fields["v:"+b.Label]))
	})
	e.addCounters(counts, values)
	return errors.Join(problems...)
}

func (e *Experiment) addCounters(counts map[string]int64, values map[string]*Values) {
	for name, count := range counts {
		event, variant, _ := strings.Cut(name, ":")
		counter := Counter{Event: event, Variant: variant, Count: count}
		if found := values[name]; found != nil {
			counter.Values = *found
		}
		e.Counters = append(e.Counters, counter)
		e.buckets[name] = max(1, e.buckets[name])
	}
}

// readGoal takes over a declared goal: its place, its kind, the most of its
// values, and whether it wants a key.
func (e *Experiment) readGoal(name, declared string) (err error) {
	e.Goals = append(e.Goals, name)
	for i, word := range strings.Fields(declared) {
		switch {
		case i == 0 && word == "0":
			e.Primary = name
		case i == 1 && word != string(event.Unique):
			set(&e.Kinds, name, event.Kind(word))
		case i == 2 && word != "-":
			var most float64
			most, err = strconv.ParseFloat(word, 64)
			set(&e.Max, name, most)
		case i == 3:
			set(&e.Keyed, name, true)
		}
	}
	return err
}

// readBefore takes over what was declared when participants came: "TIME PLANNED
// CONTROL", and the goals, as f:GOAL.
func (e *Experiment) readBefore(noted string, fields map[string]string) error {
	at, rest, _ := strings.Cut(noted, " ")
	planned, control, _ := strings.Cut(rest, " ")
	seconds, err := strconv.ParseInt(at, 10, 64)
	size, errPlanned := strconv.ParseInt(planned, 10, 64)
	e.Before = &Before{At: time.Unix(seconds, 0).UTC(), Planned: size, Control: control}
	for field, place := range fields {
		goal, isGoal := strings.CutPrefix(field, "f:")
		if isGoal {
			e.Before.Goals = append(e.Before.Goals, goal)
		}
		if isGoal && place == "0" {
			e.Before.Primary = goal
		}
	}
	slices.Sort(e.Before.Goals)
	return errors.Join(err, errPlanned)
}

// set makes a map that there is not yet.
func set[V any](into *map[string]V, name string, value V) {
	if *into == nil {
		*into = map[string]V{}
	}
	(*into)[name] = value
}

func (v *Values) read(field, text string) (err error) {
	switch field {
	case "m":
		v.Of, err = strconv.ParseInt(text, 10, 64)
	case "s":
		v.Sum, err = strconv.ParseFloat(text, 64)
	case "q":
		v.Squares, err = strconv.ParseFloat(text, 64)
	}
	return err
}

// position is the first number of a declared variant's field.
func position(field string) int {
	number, _, _ := strings.Cut(field, " ")
	index, _ := strconv.Atoi(number)
	return index
}

// readOriginal takes the counts from the original's keys.
func (s *Store) readOriginal(ctx context.Context, all []*Experiment) error {
	pipe := s.client.Pipeline()
	keys := make([]*redis.StringSliceCmd, len(all))
	for i, e := range all {
		keys[i] = pipe.SMembers(ctx, originalExperimentCounters(e.Namespace, e.Name))
	}
	if _, err := pipe.Exec(ctx); err != nil && !isWrongType(err) {
		return fmt.Errorf("redis: read experiment: %w", err)
	}
	pipe = s.client.Pipeline()
	counts := map[string]*redis.IntCmd{}
	for _, of := range keys {
		for _, key := range of.Val() {
			counts[key] = pipe.PFCount(ctx, key)
		}
	}
	if _, err := pipe.Exec(ctx); err != nil && !isWrongType(err) {
		return fmt.Errorf("redis: read counters: %w", err)
	}
	for i, e := range all {
		err := keys[i].Err()
		e.Counters = nil
		for _, key := range keys[i].Val() {
			if err == nil {
				err = counts[key].Err()
			}
			if event, variant, ok := splitOriginal(key); ok {
				e.Counters = append(e.Counters, Counter{Event: event, Variant: variant, Count: counts[key].Val()})
			}
		}
		switch {
		case isWrongType(err):
			e.spoiled(err)
		case err != nil:
			return fmt.Errorf("redis: read counters: %w", err)
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
