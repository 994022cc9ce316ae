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

// MinWeight and MaxWeight bound a weight, so that sums and shares of them can be
// calculated.
const (
	MinWeight = 1e-6
	MaxWeight = 1e6
)

// Possible says whether the weight can be one.
func (v Variant) Possible() bool { return v.Weight >= MinWeight && v.Weight <= MaxWeight }

// Declaration says beforehand what an experiment is.
type Declaration struct {
	Namespace  string
	Experiment string
	// Variants in order, the control first. When there are any, no others are
	// counted.
	Variants []Variant
	// Goals, likewise; participate is always counted. The first is the primary
	// one: it decides.
	Goals []string
	// Kinds of goals that are not event.Unique.
	Kinds map[string]event.Kind
	// Max of a value to either side, or of how often one visitor is counted;
	// what is above is dropped. A goal without one has none.
	Max map[string]float64
	// Keyed goals are reached by events that came with a key alone.
	Keyed map[string]bool
	// Planned participants a variant, 0 when nothing is planned.
	Planned int64
}

// Counter is one (event, variant) and its count.
type Counter struct {
	Event, Variant string
	Count          int64
	Values         Values
}

// Values are those that the uuids of a counter have brought, where its goal
// counts them; or how often each visitor has reached it, where it is a count.
type Values struct {
	Of           int64 // how many uuids: others came before the goal was declared so, or without a visitor
	Sum, Squares float64
}

// Experiment is all that is known of one.
type Experiment struct {
	Namespace string
	Name      string
	Declared  bool
	State     string
	Created   time.Time             // zero where only the original knows of it
	Variants  []Variant             // as declared
	Goals     []string              // as declared, sorted
	Kinds     map[string]event.Kind // of those that are not event.Unique
	Primary   string                // the goal that was declared first
	Max       map[string]float64    // as declared
	Keyed     map[string]bool       // as declared
	Ramped    bool                  // the weights were changed after the first participants
	Planned   int64
	Before    *Before               // nil where all is declared as it was before participants came
	Was       map[string]event.Kind // of each goal, the kind that participants met
	Over      map[string]int64      // events of a goal that were dropped for being above Max
	Counters  []Counter             // sorted by event, then variant
	// Problem is an ErrUnreadable where it cannot be read, as where somebody else
	// has written into it: then there is its name alone, and it can be deleted.
	Problem error

	id      string
	buckets map[string]int64
}

// Before is what was declared when participants came, of an experiment that is
// declared otherwise since.
type Before struct {
	At      time.Time // of the first such change
	Planned int64
	Control string   // the first variant; "" where none was declared
	Goals   []string // sorted
	Primary string
}

// Counter is that of one event of one variant; nothing is counted where it is
// not known.
func (e *Experiment) Counter(event, variant string) Counter {
	for _, counter := range e.Counters {
		if counter.Event == event && counter.Variant == variant {
			return counter
		}
	}
	return Counter{Event: event, Variant: variant}
}

// Kind is what a goal counts; of one that is not declared any more, what it did.
func (e *Experiment) Kind(goal string) event.Kind {
	if kind := e.Kinds[goal]; kind != "" {
		return kind
	}
	if was := e.Was[goal]; was != "" && !slices.Contains(e.Goals, goal) {
		return was
	}
	return event.Unique
}

// Count is the count of one event of one variant.
func (e *Experiment) Count(event, variant string) int64 { return e.Counter(event, variant).Count }

// Life tells the lives of an experiment apart: one that is deleted and comes
// again has another. It is empty where only the original knows of it.
func (e *Experiment) Life() string { return e.id }

// Declaration is what the experiment was declared to be.
func (e *Experiment) Declaration() Declaration {
	d := Declaration{Namespace: e.Namespace, Experiment: e.Name, Variants: e.Variants, Kinds: e.Kinds, Max: e.Max, Keyed: e.Keyed, Planned: e.Planned}
	d.Goals = slices.Clone(e.Goals)
	slices.SortStableFunc(d.Goals, func(a, b string) int {
		switch e.Primary {
		case a:
			return -1
		case b:
			return 1
		}
		return 0
	})
	return d
}

// participants are those of all variants.
func (e *Experiment) participants() (total int64) {
	for _, counter := range e.Counters {
		if counter.Event == event.Participate {
			total += counter.Count
		}
	}
	return total
}

// Declare makes an experiment known, or replaces its declaration; what was
// counted stays. It says whether the experiment is new. One that cannot be read it
// leaves alone.
func (s *Store) Declare(ctx context.Context, d Declaration) (created bool, err error) {
	if _, err := s.Experiment(ctx, d.Namespace, d.Experiment); err != nil && !errors.Is(err, ErrNotFound) {
		return false, err
	}
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
	for place, goal := range d.Goals {
		arguments = append(arguments, "g:"+goal, d.goal(place, goal))
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

// goal is a declared goal as its field has it; see keys.go.
func (d Declaration) goal(place int, goal string) string {
	kind, most, key := cmp.Or(d.Kinds[goal], event.Unique), "-", ""
	if bound, bounded := d.Max[goal]; bounded {
		most = strconv.FormatFloat(bound, 'g', -1, 64)
	}
	if d.Keyed[goal] {
		key = "key"
	}
	return strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%d %s %s %s", place, kind, most, key), "- "), " unique")
}

// SetState archives an experiment or lets it run again. It returns ErrNotFound
// for one that there is not.
func (s *Store) SetState(ctx context.Context, namespace, experiment, state string) error {
	if _, err := s.Experiment(ctx, namespace, experiment); err != nil {
		return err
	}
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
	members, err := s.client.SUnion(ctx, declaredKey, undeclaredKey).Result() // one hash tag
	if err != nil {
		return nil, fmt.Errorf("redis: list namespaces: %w", err)
	}
	var namespaces []string
	for _, member := range members {
		namespace, _, _ := strings.Cut(member, ":")
		namespaces = append(namespaces, namespace)
	}
	slices.Sort(namespaces)
	return slices.Compact(namespaces), nil
}

// Day is what a counter counted on one day (UTC).
type Day struct {
	Day          string // 2006-01-02
	Count        int64
	Sum, Squares float64 // of the values, where the goal counts them
}

// Days reads the counts per day of all counters of some experiments, in one
// round trip, each sorted by day. There are none where the counting is HLL, or
// imported. An experiment whose days cannot be read has a Problem from then on.
func (s *Store) Days(ctx context.Context, of ...*Experiment) ([]map[Counter][]Day, error) {
	pipe := s.client.Pipeline()
	replies := make([][]*redis.MapStringStringCmd, len(of))
	for i, e := range of {
		key := experimentKey(e.Namespace, e.Name)
		for _, counter := range e.Counters {
			replies[i] = append(replies[i], pipe.HGetAll(ctx, daysKey(key, e.id, counterName(counter.Event, counter.Variant))))
		}
	}
	if _, err := pipe.Exec(ctx); err != nil && !isWrongType(err) {
		return nil, fmt.Errorf("redis: read days: %w", err)
	}
	all := make([]map[Counter][]Day, len(of))
	for i, e := range of {
		all[i] = map[Counter][]Day{}
		for k, counter := range e.Counters {
			err := replies[i][k].Err()
			if err != nil && !isWrongType(err) {
				return nil, fmt.Errorf("redis: read days: %w", err)
			}
			if err == nil {
				all[i][counter], err = readDays(replies[i][k].Val())
			}
			if err != nil {
				e.spoiled(fmt.Errorf("days of %s: %w", counter.Event, err))
				all[i] = nil
				break
			}
		}
	}
	return all, nil
}

// readDays takes over the fields of a counter's days; see keys.go.
func readDays(fields map[string]string) ([]Day, error) {
	var days []Day
	for field, text := range fields {
		if strings.Contains(field, ":") {
			continue
		}
		_, errDay := time.Parse(time.DateOnly, field)
		count, err := strconv.ParseInt(text, 10, 64)
		sum, errSum := amount(fields[field+":s"])
		squares, errSquares := amount(fields[field+":q"])
		if err := errors.Join(errDay, err, errSum, errSquares); err != nil {
			return nil, fmt.Errorf("%s: %w", field, err)
		}
		days = append(days, Day{Day: field, Count: count, Sum: sum, Squares: squares})
	}
	slices.SortFunc(days, func(a, b Day) int { return cmp.Compare(a.Day, b.Day) })
	return days, nil
}

// amount reads a number; "", no such field, is 0.
func amount(text string) (float64, error) {
	if text == "" {
		return 0, nil
	}
	return strconv.ParseFloat(text, 64)
}
