package store

import (
	"math"
	"testing"

	"provision/internal/gimel/redistest"
)

func crossing(t *testing.T, s *Store, experiment string) Crossing {
	t.Helper()
	e, err := s.Experiment(t.Context(), "alephbet", experiment)
	if err != nil {
		t.Fatal(err)
	}
	found, err := s.Crossed(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestVisitorsInTwoVariantsAreFound(t *testing.T) {
	s := newStore(t, redistest.Start(t).URL(), exactSettings)
	commitAll(t, s, participants("small", "a", 0, 100))
	if got := crossing(t, s, "small"); got.Several != 0 {
		t.Errorf("one variant: %+v", got)
	}
	commitAll(t, s, participants("small", "b", 100, 200))
	if got := crossing(t, s, "small"); got != (Crossing{Looked: 200}) {
		t.Errorf("nobody crossed: %+v", got)
	}
	commitAll(t, s, participants("small", "c", 95, 105))
	if got := crossing(t, s, "small"); got != (Crossing{Looked: 200, Several: 10}) {
		t.Errorf("ten did: %+v", got)
	}
}

// Of a large experiment a sample is read: bounded, and without a lean, whatever the counters' own
// numbers of buckets.
func TestOfManyVisitorsASampleIsRead(t *testing.T) {
	s := New(connect(t, redistest.Start(t).URL()), exactSettings)
	const n, crossed = 60_000, 3000
	commitAll(t, s, participants("large", "a", 0, n))
	commitAll(t, s, participants("large", "b", n-crossed, n+n/8))
	got := crossing(t, s, "large")
	if got.Looked < 3000 || got.Looked > bucketsRead*512 {
		t.Errorf("looked at %d", got.Looked)
	}
	share, want := float64(got.Several)/float64(got.Looked), float64(crossed)/(n+n/8)
	if spread := 4 * math.Sqrt(want*(1-want)/float64(got.Looked)); math.Abs(share-want) > spread {
		t.Errorf("%+v is %.4f, want %.4f ± %.4f", got, share, want, spread)
	}
}
