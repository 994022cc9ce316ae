package store

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"provision/internal/gimel/event"
)

// Experiments that nobody declared are let in as far as a cap allows, which is
// of each namespace, and ten times that of all together: whoever can reach
// /track can invent names. Where the cap is reached, one that nobody visits
// makes room.

// newcomer is an experiment that Redis does not know, and its events.
type newcomer struct {
	namespace, experiment string
	indices               []int
}

// What register.lua answers.
const (
	admitted      = 1
	namespaceFull = 0
	allFull       = -1
)

func newcomers(events []event.Event, unknown []int) []*newcomer {
	known := map[string]*newcomer{}
	var all []*newcomer
	for _, i := range unknown {
		of := member(events[i].Namespace, events[i].Experiment)
		n := known[of]
		if n == nil {
			n = &newcomer{namespace: events[i].Namespace, experiment: events[i].Experiment}
			known[of] = n
			all = append(all, n)
		}
		n.indices = append(n.indices, i)
	}
	return all
}

// register lets undeclared experiments in, all of a batch at once, and returns
// the events to count again; those of the others get their reason. With an
// error it returns those that are still open.
func (s *Store) register(ctx context.Context, events []event.Event, unknown []int, outcomes []Outcome) (open []int, err error) {
	var asking []*newcomer
	for _, n := range newcomers(events, unknown) {
		if s.refusals.recent(member(n.namespace, n.experiment)) {
			s.turnAway(n, outcomes)
			continue
		}
		asking = append(asking, n)
	}
	answers, err := s.enlist(ctx, asking, s.settings.UndeclaredCap)
	if err != nil {
		return indicesOf(asking), err
	}
	for at, n := range asking {
		if answers[at] == admitted {
			open = append(open, n.indices...)
			continue
		}
		among := ""
		if answers[at] == namespaceFull {
			among = n.namespace + ":"
		}
		made, err := s.makeRoom(ctx, among)
		if err != nil {
			return indicesOf(asking), err
		}
		if made {
			open = append(open, n.indices...) // Redis does not know it yet: it asks again
			continue
		}
		s.refusals.remember(member(n.namespace, n.experiment))
		s.turnAway(n, outcomes)
	}
	return open, nil
}

func indicesOf(all []*newcomer) (indices []int) {
	for _, n := range all {
		indices = append(indices, n.indices...)
	}
	return indices
}

func (s *Store) turnAway(n *newcomer, outcomes []Outcome) {
	reason := event.TooManyExperiments
	if s.settings.UndeclaredCap == 0 {
		reason = event.UndeclaredExperiment
	}
	s.refusals.count(n.namespace, len(n.indices))
	for _, i := range n.indices {
		outcomes[i] = Outcome{Reason: reason}
	}
}

// enlist enters undeclared experiments in the list and makes their hashes, as
// far as the cap allows, and says of each whether it did.
func (s *Store) enlist(ctx context.Context, all []*newcomer, limit int) ([]int, error) {
	if len(all) == 0 {
		return nil, nil
	}
	answers := make([]int, len(all))
	asked := make([]*redis.Cmd, len(all))
	pipe := s.client.Pipeline()
	for at, n := range all {
		asked[at] = s.scripts.register.EvalSha(ctx, pipe, []string{declaredKey, undeclaredKey},
			member(n.namespace, n.experiment), n.namespace+":", limit)
	}
	_, _ = pipe.Exec(ctx) // each command has its own error
	create, list := s.client.Pipeline(), s.client.Pipeline()
	for at, n := range all {
		var err error
		if answers[at], err = asked[at].Int(); err != nil {
			return nil, redisError(err)
		}
		if answers[at] != admitted {
			continue
		}
		s.scripts.create.EvalSha(ctx, create, []string{experimentKey(n.namespace, n.experiment)}, newID(), time.Now().Unix())
		// Once more behind that: a deletion may have come between; see unlist.
		s.scripts.list.EvalSha(ctx, list, []string{declaredKey, undeclaredKey}, member(n.namespace, n.experiment), 0)
	}
	for _, pipe := range []redis.Pipeliner{create, list} {
		if _, err := pipe.Exec(ctx); err != nil {
			return nil, redisError(err)
		}
	}
	return answers, nil
}

const (
	// visited is how many participants keep an undeclared experiment, whatever
	// names are invented beside it.
	visited = 50
	// sample is how many are looked at for one that makes room.
	sample = 100
)

// makeRoom takes away the undeclared experiment that the fewest have visited,
// one a second at the most, among those whose namespace:experiment begins so,
// and says whether it did.
func (s *Store) makeRoom(ctx context.Context, among string) (bool, error) {
	if s.settings.UndeclaredCap == 0 || !s.refusals.mayMakeRoom() {
		return false, nil
	}
	members, err := s.client.SMembers(ctx, undeclaredKey).Result()
	if err != nil {
		return false, fmt.Errorf("redis: make room: %w", err)
	}
	members = slices.DeleteFunc(members, func(m string) bool { return !strings.HasPrefix(m, among) })
	rand.Shuffle(len(members), func(i, j int) { members[i], members[j] = members[j], members[i] })
	members = members[:min(sample, len(members))]
	emptiest, err := s.emptiest(ctx, members)
	if err != nil || emptiest == nil {
		return false, err
	}
	return true, s.evict(ctx, emptiest)
}

// evict takes that life of an undeclared experiment away, unless somebody has
// declared it since it was read.
func (s *Store) evict(ctx context.Context, e *Experiment) error {
	if e.id == "" {
		return s.unlist(ctx, e.Namespace, e.Name)
	}
	answer, err := s.take(ctx, e, onlyUndeclared)
	if err != nil {
		return fmt.Errorf("redis: make room: %w", err)
	}
	if answer != isDiscarded { // it is somebody's by now, or has gone
		return nil
	}
	if s.settings.Counting == HLL {
		if err := s.deleteOriginal(ctx, e.Namespace, e.Name); err != nil {
			return err
		}
	}
	return s.finish(ctx, e.Namespace, e.Name, e.id)
}

// emptiest is the experiment with the fewest participants, the oldest of
// those; nil where each has its visitors.
func (s *Store) emptiest(ctx context.Context, members []string) (*Experiment, error) {
	all, err := s.read(ctx, members)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(e *Experiment) bool {
		return e.Declared || e.Problem != nil || e.participants() >= visited
	})
	if len(all) == 0 {
		return nil, nil
	}
	return slices.MinFunc(all, func(a, b *Experiment) int {
		return cmp.Or(cmp.Compare(a.participants(), b.participants()), a.Created.Compare(b.Created))
	}), nil
}

// refusals remembers for a moment who was turned away, so that a flood of the
// same names costs no question each, and for the dashboard how many events.
type refusals struct {
	mu      sync.Mutex
	until   map[string]time.Time // by namespace:experiment
	dropped map[string]int64     // events, by namespace
	room    time.Time            // when the next may be taken away
}

const (
	refusalHolds    = time.Second
	refusalsAreKept = 1000 // names
)

func newRefusals() *refusals {
	return &refusals{until: map[string]time.Time{}, dropped: map[string]int64{}}
}

func (r *refusals) recent(member string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return time.Now().Before(r.until[member])
}

func (r *refusals) remember(member string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.until) >= refusalsAreKept {
		clear(r.until)
	}
	r.until[member] = time.Now().Add(refusalHolds)
}

func (r *refusals) count(namespace string, events int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, known := r.dropped[namespace]; known || len(r.dropped) < refusalsAreKept {
		r.dropped[namespace] += int64(events)
	}
}

// TurnedAway is how many events of a namespace this process has dropped because
// there were too many experiments that nobody declared.
func (s *Store) TurnedAway(namespace string) int64 {
	s.refusals.mu.Lock()
	defer s.refusals.mu.Unlock()
	return s.refusals.dropped[namespace]
}

func (r *refusals) mayMakeRoom() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if time.Now().Before(r.room) {
		return false
	}
	r.room = time.Now().Add(refusalHolds)
	return true
}
