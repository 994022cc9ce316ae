package bigquery

import (
	"context"
	"errors"
	"maps"

	"cloud.google.com/go/bigquery"
	"google.golang.org/api/iterator"

	"provision/internal/gimel/eventlog"
	"provision/internal/gimel/store"
)

// counts are how many events the table has of a life.
type counts map[store.CounterName]eventlog.Kept

type experimentName struct{ namespace, experiment string }

type lifeName struct{ namespace, experiment, id string }

func nameOf(life store.Life) lifeName { return lifeName{life.Namespace, life.Experiment, life.ID} }

// note counts what a job has appended, where its life was counted. What may have
// been there before is not known by that: the next Count asks.
func (s *Sink) note(batch eventlog.Batch, appended bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, part := range batch.Parts {
		counted := s.counts[nameOf(part.Life)]
		if batch.Again || !appended {
			delete(s.counts, nameOf(part.Life))
			continue
		}
		if counted == nil {
			continue
		}
		for _, row := range part.Rows {
			kept := counted[row.CounterName]
			kept.Rows++
			if row.At.IsZero() {
				kept.Untimed++
			}
			counted[row.CounterName] = kept
		}
	}
}

// Count implements eventlog.Sink. A life's rows are counted by a query, which
// costs money, when it is asked for first, and after a batch that came again;
// what jobs append then is counted as they do.
func (s *Sink) Count(ctx context.Context, life store.Life) (map[store.CounterName]eventlog.Kept, error) {
	s.mu.Lock()
	counted := s.counts[nameOf(life)]
	s.mu.Unlock()
	if counted == nil {
		var err error
		if counted, err = s.ask(ctx, life); err != nil {
			return nil, err
		}
		s.mu.Lock()
		s.counts[nameOf(life)] = counted
		s.mu.Unlock()
	}
	return maps.Clone(counted), nil
}

func (s *Sink) ask(ctx context.Context, life store.Life) (counts, error) {
	counted := counts{}
	err := s.query(ctx, countStatement, parametersOf(life), func(rows *bigquery.RowIterator) error {
		for {
			var row struct {
				Event, Variant  string
				Events, Untimed int64
			}
			if err := rows.Next(&row); errors.Is(err, iterator.Done) {
				return nil
			} else if err != nil {
				return err
			}
			counted[store.CounterName{Event: row.Event, Variant: row.Variant}] = eventlog.Kept{Rows: row.Events, Untimed: row.Untimed}
		}
	})
	return counted, err
}

// Fingerprints implements eventlog.Sink, by a query.
func (s *Sink) Fingerprints(ctx context.Context, life store.Life, name store.CounterName, see func(int64)) error {
	parameters := append(parametersOf(life), bigquery.QueryParameter{Name: "event", Value: name.Event}, bigquery.QueryParameter{Name: "variant", Value: name.Variant})
	return s.query(ctx, fingerprintsStatement, parameters, func(rows *bigquery.RowIterator) error {
		for {
			var row struct{ Fingerprint int64 }
			if err := rows.Next(&row); errors.Is(err, iterator.Done) {
				return nil
			} else if err != nil {
				return err
			}
			see(row.Fingerprint)
		}
	})
}

// parametersOf name a life's rows.
func parametersOf(life store.Life) []bigquery.QueryParameter {
	return []bigquery.QueryParameter{
		{Name: "namespace", Value: life.Namespace}, {Name: "experiment", Value: life.Experiment}, {Name: "life", Value: life.ID},
		{Name: "began", Value: life.Began.UTC()},
	}
}

// Check implements eventlog.Sink: the next Count asks.
func (s *Sink) Check(_ context.Context, life store.Life) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.counts, nameOf(life))
	return nil
}

// removedKnown bounds what is remembered of a long life.
const removedKnown = 10_000

// Remove implements eventlog.Sink.
func (s *Sink) Remove(ctx context.Context, namespace, experiment, life string) error {
	s.mu.Lock()
	maps.DeleteFunc(s.counts, func(name lifeName, _ counts) bool {
		return name.namespace == namespace && name.experiment == experiment
	})
	s.mu.Unlock()
	if len(s.removed) == removedKnown { // as after many invented names, which do not come again
		clear(s.removed)
	}
	s.removed[experimentName{namespace, experiment}] = true
	statement := removeStatement
	parameters := []bigquery.QueryParameter{{Name: "namespace", Value: namespace}, {Name: "experiment", Value: experiment}}
	if life != "" {
		statement += ofLife
		parameters = append(parameters, bigquery.QueryParameter{Name: "life", Value: life})
	}
	return s.query(ctx, statement, parameters, func(*bigquery.RowIterator) error { return nil })
}
