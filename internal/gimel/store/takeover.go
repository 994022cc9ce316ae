package store

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"

	"provision/internal/gimel/event"
)

// Taken is what became of one counter of another Redis.
type Taken struct {
	Key     string
	Count   int64
	Skipped string // why it was not taken over, or ""
}

// TakeOver takes the counters of the original gimel (HyperLogLogs) or of lamed
// (numbers) from another Redis, for one namespace or, with "", for all. Doing
// it again takes them over again, and counts nothing twice.
//
// Where the counting is exact, the counts become a base that is added to what
// is counted here. What was counted there is not known by uuid: a visitor of
// both counts twice, so the page should be switched first, and the import
// follow. Where the counting is HLL, the HyperLogLogs are merged, and nobody
// counts twice; lamed's numbers cannot become HyperLogLogs and are skipped.
func (s *Store) TakeOver(ctx context.Context, source redis.UniversalClient, namespace string) ([]Taken, error) {
	if err := s.scripts.load(ctx, s.client); err != nil {
		return nil, fmt.Errorf("import: %w", err)
	}
	namespaces := []string{namespace}
	if namespace == "" {
		var err error
		if namespaces, err = originalNamespaces(ctx, source); err != nil {
			return nil, err
		}
	}
	var all []Taken
	for _, namespace := range namespaces {
		experiments, err := source.SMembers(ctx, originalExperiments(namespace)).Result()
		if err != nil {
			return all, fmt.Errorf("import: experiments of %s: %w", namespace, err)
		}
		slices.Sort(experiments)
		for _, experiment := range experiments {
			taken, err := s.takeExperiment(ctx, source, namespace, experiment)
			all = append(all, taken...)
			if err != nil {
				return all, fmt.Errorf("import: %s of %s: %w", experiment, namespace, err)
			}
		}
	}
	return all, nil
}

// originalNamespaces finds the sets NAMESPACE:experiments.
func originalNamespaces(ctx context.Context, source redis.UniversalClient) ([]string, error) {
	found := make(chan string)
	failed := make(chan error, 1)
	go func() {
		defer close(found)
		failed <- onEachMaster(ctx, source, func(ctx context.Context, node redis.UniversalClient) error {
			keys := node.ScanType(ctx, 0, "*:experiments", 1000, "set").Iterator()
			for keys.Next(ctx) {
				found <- strings.TrimSuffix(keys.Val(), ":experiments")
			}
			return keys.Err()
		})
	}()
	var namespaces []string
	for namespace := range found {
		namespaces = append(namespaces, namespace)
	}
	if err := <-failed; err != nil {
		return nil, fmt.Errorf("import: find namespaces: %w", err)
	}
	slices.Sort(namespaces)
	return slices.Compact(namespaces), nil
}

func (s *Store) takeExperiment(ctx context.Context, source redis.UniversalClient, namespace, experiment string) ([]Taken, error) {
	keys, err := source.SMembers(ctx, originalExperimentCounters(namespace, experiment)).Result()
	if err != nil {
		return nil, err
	}
	slices.Sort(keys)
	var all []Taken
	for _, key := range keys {
		one := Taken{Key: key}
		e, problem := originalEvent(namespace, experiment, key)
		if one.Skipped = problem; problem == "" {
			if one, err = s.takeCounter(ctx, source, e, key); err != nil {
				return all, fmt.Errorf("%s: %w", key, err)
			}
		}
		all = append(all, one)
	}
	return all, nil
}

// originalEvent reads an event out of a counter's key, or says why not.
func originalEvent(namespace, experiment, key string) (event.Event, string) {
	rest, ok := strings.CutPrefix(key, namespace+":counters:"+experiment+":")
	name, variant, isPair := strings.Cut(rest, ":")
	if !ok || !isPair {
		return event.Event{}, "is no counter of this experiment"
	}
	for _, text := range []string{namespace, experiment, name, variant} {
		if reason := event.CheckName(text, event.DefaultLimits.Name); reason != "" {
			return event.Event{}, "a name in it is not valid: " + string(reason)
		}
	}
	return event.Event{Namespace: namespace, Experiment: experiment, Name: name, Variant: variant}, ""
}

// hyperLogLogMagic begins every HyperLogLog (redis, src/hyperloglog.c).
const hyperLogLogMagic = "HYLL"

func (s *Store) takeCounter(ctx context.Context, source redis.UniversalClient, e event.Event, key string) (Taken, error) {
	taken := Taken{Key: key}
	content, err := source.Get(ctx, key).Result()
	if err == redis.Nil {
		taken.Skipped = "is listed, but not there"
		return taken, nil
	}
	if err != nil {
		return taken, err
	}
	isHLL := strings.HasPrefix(content, hyperLogLogMagic)
	if isHLL {
		taken.Count, err = source.PFCount(ctx, key).Result()
	} else {
		taken.Count, err = strconv.ParseInt(content, 10, 64)
	}
	if err != nil {
		taken.Skipped = "is neither a HyperLogLog nor a number"
		return taken, nil
	}
	if s.settings.Counting == HLL && !isHLL {
		taken.Skipped = "a number cannot become a HyperLogLog; import with --counting exact"
		return taken, nil
	}
	one := []*newcomer{{namespace: e.Namespace, experiment: e.Experiment}}
	if _, err := s.enlist(ctx, one, 1<<30); err != nil {
		return taken, err
	}
	if s.settings.Counting == HLL {
		return taken, s.mergeOriginal(ctx, e, content)
	}
	return taken, s.client.HSet(ctx, experimentKey(e.Namespace, e.Experiment),
		"b:"+counterName(e.Name, e.Variant), taken.Count).Err()
}

// mergeOriginal adds a HyperLogLog's bytes to the counter of that name here.
func (s *Store) mergeOriginal(ctx context.Context, e event.Event, content string) error {
	key := originalCounter(e)
	fresh, err := s.client.SetNX(ctx, key, content, 0).Result()
	if err != nil {
		return err
	}
	pipe := s.client.Pipeline()
	if !fresh {
		// The braces put it on the shard of the counter.
		beside := "{" + key + "}:gimel-import"
		pipe.Set(ctx, beside, content, 0)
		pipe.PFMerge(ctx, key, beside)
		pipe.Del(ctx, beside)
	}
	pipe.SAdd(ctx, originalExperiments(e.Namespace), e.Experiment)
	pipe.SAdd(ctx, originalCounters(e.Namespace), key)
	pipe.SAdd(ctx, originalExperimentCounters(e.Namespace, e.Experiment), key)
	_, err = pipe.Exec(ctx)
	return err
}
