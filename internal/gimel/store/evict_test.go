package store

import (
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
	if noted := s.client.SMembers(t.Context(), evictedKey).Val(); len(noted) > 1 || len(noted) == 1 && noted[0] != "alephbet:e:"+old.id {
		t.Errorf("its rows would go: %v", noted)
	}
}
