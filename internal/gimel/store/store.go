// Package store keeps experiments and their counters in Redis.
package store

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"

	"github.com/redis/go-redis/v9"

	"provision/internal/gimel/event"
)

// Counting says how uuids are counted.
type Counting string

const (
	// Exact counts every uuid once, for as long as the experiment lives.
	Exact Counting = "exact"
	// HLL writes the keys of the original gimel, HyperLogLogs that the
	// original can read. They are off by 0.81 % (standard error).
	HLL Counting = "hll"
)

// Settings are what a store needs beside its Redis.
type Settings struct {
	Counting Counting
	// HashKey keys the HMAC of the uuids. Another key counts every uuid anew.
	HashKey []byte
	// UndeclaredCap is how many undeclared experiments of a namespace are
	// accepted; 0 refuses them.
	UndeclaredCap int
	// CounterCap is how many counters (event times variant) an experiment has.
	CounterCap int
	// LogBudget is how many bytes of Redis the log of an experiment's events may
	// take before it is read; 0: there is no log.
	LogBudget int64
}

// ErrNotFound is returned for an experiment that there is not.
var ErrNotFound = errors.New("no such experiment")

// Store counts events and answers for experiments. It is safe for concurrent
// use.
type Store struct {
	client       redis.UniversalClient
	settings     Settings
	scripts      scripts
	fingerprints *fingerprinter
	refusals     *refusals

	mu      sync.Mutex
	layouts map[string]*layout // by experiment key
	full    map[growth]int64   // counters to be split, and their counts
}

// layout is what this process believes of an experiment's buckets. Redis
// checks it with every event, so that a wrong belief costs one more round.
type layout struct {
	id      string
	buckets map[string]int64 // by counter
}

// New makes a store over a connected client.
func New(client redis.UniversalClient, settings Settings) *Store {
	return &Store{
		client:       client,
		settings:     settings,
		scripts:      newScripts(),
		fingerprints: newFingerprinter(settings.HashKey),
		refusals:     newRefusals(),
		layouts:      map[string]*layout{},
	}
}

// Counting tells how this store counts.
func (s *Store) Counting() Counting { return s.settings.Counting }

// Outcome is what became of one event. With an Err it was not committed, or
// not known to be, and should be sent again.
type Outcome struct {
	Added    bool         // false: it had been counted before
	Unlogged bool         // counted, but there was no room for it in the log
	Reason   event.Reason // why it was dropped, or ""
	Err      error
}

// Commit counts events in one go and answers for each, in their order, after
// Redis has answered. An event committed twice counts once.
func (s *Store) Commit(ctx context.Context, events []event.Event) []Outcome {
	if s.settings.Counting == HLL {
		return s.commitHLL(ctx, events)
	}
	return s.commitExact(ctx, events)
}

// rounds bounds how often one commit may ask again: for missing scripts, an
// unknown experiment, and buckets that another process has split.
const rounds = 8

var errUnsettled = errors.New("redis: experiment kept changing")

// settle calls attempt with the outcomes that are still open until there are
// none. attempt sets outcomes and returns those to try again, and the events
// whose experiment is unknown.
func (s *Store) settle(ctx context.Context, events []event.Event, outcomes []Outcome,
	attempt func(open []int) (again, unknown []int, err error)) {
	open := make([]int, len(events))
	for i := range open {
		open[i] = i
	}
	for range rounds {
		again, unknown, err := attempt(open)
		if len(unknown) > 0 {
			stillOpen, problem := s.register(ctx, events, unknown, outcomes)
			again = append(again, stillOpen...)
			if problem != nil {
				err = problem
			}
		}
		if errors.Is(err, errScriptsMissing) {
			err = s.scripts.load(ctx, s.client)
		}
		open = again
		if len(open) == 0 {
			return
		}
		if err != nil {
			fail(outcomes, open, err)
			return
		}
	}
	fail(outcomes, open, errUnsettled)
}

func fail(outcomes []Outcome, open []int, err error) {
	for _, i := range open {
		outcomes[i] = Outcome{Err: err}
	}
}

// list enters an experiment, one that is declared nowhere else.
func (s *Store) list(ctx context.Context, namespace, experiment string, declared bool) error {
	flag := 0
	if declared {
		flag = 1
	}
	err := s.scripts.list.Run(ctx, s.client, []string{declaredKey, undeclaredKey}, member(namespace, experiment), flag).Err()
	if err != nil {
		return fmt.Errorf("redis: list experiment: %w", err)
	}
	return nil
}

// newID is eight random characters, enough to tell the lives of one experiment
// apart.
func newID() string {
	var random [4]byte
	rand.Read(random[:]) // never fails (crypto/rand since Go 1.24)
	return hex.EncodeToString(random[:])
}
