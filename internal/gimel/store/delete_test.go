package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/redis/go-redis/v9"

	"provision/internal/gimel/event"
	"provision/internal/gimel/redistest"
)

// An experiment that is deleted while its page goes on sending is a new one from then on, and in
// the list: one that counts and that nobody can see, nobody can delete either.
func TestDeletedUnderTrafficIsListed(t *testing.T) {
	server := redistest.Start(t)
	settings := exactSettings
	settings.UndeclaredCap = 1000
	s := New(connect(t, server.URL()), settings)
	const experiments, writers = 200, 2
	stop := make(chan struct{})
	var sending sync.WaitGroup
	for writer := range writers {
		other := New(connect(t, server.URL()), settings)
		sending.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				var events []event.Event
				for e := range experiments {
					events = append(events, participants(fmt.Sprintf("e%d", e), "blue", i*writers+writer, i*writers+writer+1)...)
				}
				other.Commit(t.Context(), events)
			}
		})
	}
	for e := range experiments {
		name := fmt.Sprintf("e%d", e)
		commitAll(t, s, participants(name, "blue", 0, 1))
		if err := s.Delete(t.Context(), "alephbet", name); err != nil {
			t.Fatal(err)
		}
	}
	close(stop)
	sending.Wait()
	for e := range experiments {
		commitAll(t, s, participants(fmt.Sprintf("e%d", e), "blue", -1, 0))
	}
	listed, err := s.Names(t.Context(), "alephbet")
	if err != nil {
		t.Fatal(err)
	}
	hidden := 0
	for e := range experiments {
		if !slices.Contains(listed, fmt.Sprintf("e%d", e)) {
			hidden++
		}
	}
	if hidden > 0 {
		t.Errorf("%d of %d deleted experiments count on, and are in no list", hidden, experiments)
	}
}

// dying is a gimel that dies before one of its calls of Redis; those after it fail too.
type dying struct{ calls int }

var errDead = errors.New("it died")

func (d *dying) die() error {
	if d.calls--; d.calls < 0 {
		return errDead
	}
	return nil
}

func (d *dying) DialHook(next redis.DialHook) redis.DialHook { return next }

func (d *dying) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, command redis.Cmder) error {
		if err := d.die(); err != nil {
			return err
		}
		return next(ctx, command)
	}
}

func (d *dying) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, commands []redis.Cmder) error {
		if err := d.die(); err != nil {
			return err
		}
		return next(ctx, commands)
	}
}

// Wherever a gimel dies that declares, counts or deletes: what counts is in the list, and what is
// half deleted goes at the next start.
func TestWhereverGimelDiesWhatCountsIsListed(t *testing.T) {
	server := redistest.Start(t)
	living := newStore(t, server.URL(), exactSettings)
	if err := living.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	for what, act := range map[string]func(*Store) error{
		"declare": func(s *Store) error {
			_, err := s.Declare(t.Context(), Declaration{Namespace: "alephbet", Experiment: "e"})
			return err
		},
		"count": func(s *Store) error { return s.Commit(t.Context(), participants("e", "blue", 0, 1))[0].Err },
		"delete": func(s *Store) error {
			commitAll(t, living, participants("e", "blue", 0, 1))
			return s.Delete(t.Context(), "alephbet", "e")
		},
	} {
		for calls := 0; ; calls++ {
			if err := living.client.FlushDB(t.Context()).Err(); err != nil {
				t.Fatal(err)
			}
			s := newStore(t, server.URL(), exactSettings)
			s.client.AddHook(&dying{calls})
			err := act(s)
			if err == nil {
				if calls < 3 {
					t.Errorf("%s: it takes %d calls only: is the hook in the way?", what, calls)
				}
				break
			}
			begun := len(living.client.Keys(t.Context(), "gimel:{alephbet:e}:*:discarded").Val()) == 1
			if err := living.Sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
			counts := living.client.Exists(t.Context(), experimentKey("alephbet", "e")).Val() == 1
			names, err := living.Names(t.Context(), "alephbet")
			if err != nil {
				t.Fatal(err)
			}
			if counts && !slices.Contains(names, "e") {
				t.Errorf("%s, dead after %d calls: it counts, and is in no list", what, calls)
			}
			if begun && (counts || len(names) > 0) {
				t.Errorf("a deletion that was begun, dead after %d calls: counts %v, listed %v", calls, counts, names)
			}
		}
	}
}

func TestDeleteLeavesNothingAndTheNameCountsAnew(t *testing.T) {
	for _, counting := range []Counting{Exact, HLL} {
		t.Run(string(counting), func(t *testing.T) {
			s := newStore(t, redistest.Start(t).URL(), logging(counting, 1<<20))
			commitAll(t, s, participants("kept", "blue", 0, 10))
			before := s.client.Keys(t.Context(), "*").Val()
			commitAll(t, s, participants("e", "blue", 0, 2000))
			if err := s.Delete(t.Context(), "alephbet", "e"); err != nil {
				t.Fatal(err)
			}
			after := s.client.Keys(t.Context(), "*").Val()
			slices.Sort(before)
			slices.Sort(after)
			if !slices.Equal(before, after) {
				t.Errorf("keys left: %v", after)
			}
			if names, err := s.Names(t.Context(), "alephbet"); err != nil || !slices.Equal(names, []string{"kept"}) {
				t.Errorf("names = %v, %v", names, err)
			}
			if err := s.Delete(t.Context(), "alephbet", "e"); err != nil {
				t.Errorf("second delete: %v", err)
			}
			if added := commitAll(t, s, participants("e", "blue", 0, 1)); added != 1 {
				t.Errorf("added %d after delete, want 1", added)
			}
		})
	}
}

func TestSweepFinishesACrashedDelete(t *testing.T) {
	s := newStore(t, redistest.Start(t).URL(), exactSettings)
	commitAll(t, s, participants("e", "blue", 0, 1000))
	found, err := s.Experiment(t.Context(), "alephbet", "e")
	if err != nil {
		t.Fatal(err)
	}
	key := experimentKey("alephbet", "e")
	s.client.SAdd(t.Context(), discardedKey, "alephbet:e:"+found.id, "a", "of:somebody", "z") // and what is none
	s.client.Rename(t.Context(), key, discardKey(key, found.id))
	commitAll(t, s, participants("e", "blue", 0, 3)) // a new life before the sweep
	for range 2 {
		if err := s.Sweep(t.Context()); err == nil || !strings.Contains(err.Error(), "somebody") {
			t.Errorf("what is none is not told: %v", err)
		}
	}
	if left := s.client.Keys(t.Context(), "*"+found.id+"*").Val(); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
	if got := count(t, s, "e", "participate", "blue"); got != 3 {
		t.Errorf("the new life counts %d, want 3", got)
	}
}

// A gimel that dies between the note of a deletion and its end has deleted nothing, and has told
// nobody that it has: what somebody wants by then is not taken away at the next start, however
// often; and a deletion that is told is whole.
func TestADeletionThatHasNotBegunIsForgotten(t *testing.T) {
	server := redistest.Start(t)
	living := newStore(t, server.URL(), exactSettings)
	for what, end := range map[string]func(s *Store, chosen *Experiment) error{
		"deleted":    func(s *Store, _ *Experiment) error { return s.Delete(t.Context(), "alephbet", "e") },
		"makes room": func(s *Store, chosen *Experiment) error { return s.evict(t.Context(), chosen) },
	} {
		for calls := 0; ; calls++ {
			if err := living.client.FlushDB(t.Context()).Err(); err != nil {
				t.Fatal(err)
			}
			commitAll(t, living, participants("e", "blue", 0, 1000))
			chosen, err := living.Experiment(t.Context(), "alephbet", "e")
			if err != nil {
				t.Fatal(err)
			}
			dead := newStore(t, server.URL(), exactSettings)
			dead.client.AddHook(&dying{calls})
			if err := end(dead, chosen); err == nil {
				t.Fatalf("%s: it takes %d calls only", what, calls)
			}
			if begun := living.client.Exists(t.Context(), experimentKey("alephbet", "e")).Val() == 0; begun {
				if calls < 2 {
					t.Errorf("%s: it is gone after %d calls: is the hook in the way?", what, calls)
				}
				break
			}
			if _, err := living.Declare(t.Context(), Declaration{Namespace: "alephbet", Experiment: "e", Planned: 9}); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if err := living.Sweep(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if got := count(t, living, "e", "participate", "blue"); got != 1000 {
				t.Errorf("%s, dead after %d calls: the next start leaves %d", what, calls, got)
			}
			if err := living.Delete(t.Context(), "alephbet", "e"); err != nil {
				t.Fatal(err)
			}
			if left := living.client.Keys(t.Context(), "*").Val(); len(left) > 0 {
				t.Errorf("%s, dead after %d calls, then deleted: left %v", what, calls, left)
			}
		}
	}
}

// What is full has to take what makes room.
func TestAFullRedisTakesDeletions(t *testing.T) {
	server := redistest.Start(t)
	s := newStore(t, server.URL(), exactSettings)
	commitAll(t, s, participants("e", "blue", 0, 3000))
	if err := s.client.ConfigSet(t.Context(), "maxmemory", "1mb").Err(); err != nil {
		t.Fatal(err)
	}
	if outcome := s.Commit(t.Context(), participants("other", "blue", 0, 1))[0]; outcome.Err == nil {
		t.Fatal("it is not full")
	}
	if err := s.Delete(t.Context(), "alephbet", "e"); err != nil {
		t.Fatal(err)
	}
	if left := s.client.Keys(t.Context(), "gimel:{alephbet:e}*").Val(); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}
