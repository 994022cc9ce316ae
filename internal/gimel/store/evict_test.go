package store

import (
	"errors"
	"testing"

	"provision/internal/gimel/redistest"
)

// What is declared, or has begun anew, after it was chosen to make room stays, whoever notes it as
// taken away.
func TestWhatIsDeclaredMeanwhileMakesNoRoom(t *testing.T) {
	s := newStore(t, redistest.Start(t).URL(), logging(Exact, 1<<20))
	chosen := func() *Experiment {
		t.Helper()
		takenLog(t, s, s.EventLog("reader")) // so that it would be noted
		found, err := s.Experiment(t.Context(), "alephbet", "e")
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	stays := func(what string, want int64) {
		t.Helper()
		found, err := s.Experiment(t.Context(), "alephbet", "e")
		if err != nil || found.participants() != want {
			t.Errorf("%s: %+v, %v", what, found, err)
		}
	}
	commitAll(t, s, participants("e", "blue", 0, 5))
	old := chosen()
	if err := s.Delete(t.Context(), "alephbet", "e"); err != nil {
		t.Fatal(err)
	}
	commitAll(t, s, participants("e", "blue", 0, 7))
	if err := s.evict(t.Context(), old); err != nil {
		t.Fatal(err)
	}
	stays("begun anew", 7)

	undeclared := chosen()
	if _, err := s.Declare(t.Context(), Declaration{Namespace: "alephbet", Experiment: "e", Planned: 9}); err != nil {
		t.Fatal(err)
	}
	if err := s.evict(t.Context(), undeclared); err != nil {
		t.Fatal(err)
	}
	if err := s.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	stays("declared", 7)
	if noted := s.client.SMembers(t.Context(), evictedKey).Val(); len(noted) > 0 {
		t.Errorf("its rows would go: %v", noted)
	}
}

// Wherever a gimel dies that lets an experiment make room: its rows go when it has, and stay when a
// person deletes it after that.
func TestRowsGoWithWhatHasMadeRoomAlone(t *testing.T) {
	server := redistest.Start(t)
	living := newStore(t, server.URL(), logging(Exact, 1<<20))
	for calls := 0; ; calls++ {
		if err := living.client.FlushDB(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
		commitAll(t, living, participants("e", "blue", 0, 5))
		takenLog(t, living, living.EventLog("reader")) // it has rows
		chosen, err := living.Experiment(t.Context(), "alephbet", "e")
		if err != nil {
			t.Fatal(err)
		}
		dead := newStore(t, server.URL(), logging(Exact, 1<<20))
		dead.client.AddHook(&dying{calls})
		ended := dead.evict(t.Context(), chosen) == nil
		_, err = living.Experiment(t.Context(), "alephbet", "e")
		gone := errors.Is(err, ErrNotFound)
		if err := living.Delete(t.Context(), "alephbet", "e"); err != nil {
			t.Fatal(err)
		}
		if err := living.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if noted := len(living.client.SMembers(t.Context(), evictedKey).Val()); noted == 1 != gone {
			t.Errorf("dead after %d calls: gone %t, and %d lives are noted whose rows go", calls, gone, noted)
		}
		if left := living.client.Keys(t.Context(), "*"+chosen.id+"*").Val(); len(left) > 0 {
			t.Errorf("dead after %d calls: left %v", calls, left)
		}
		if ended {
			if calls < 3 {
				t.Errorf("it takes %d calls only: is the hook in the way?", calls)
			}
			return
		}
	}
}
