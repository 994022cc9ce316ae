package store

import (
	"strings"
	"testing"

	"provision/internal/gimel/redistest"
)

func TestClusterOfThreeMasters(t *testing.T) {
	url := "redis+cluster://" + strings.Join(redistest.StartCluster(t), ",")
	for _, counting := range []Counting{Exact, HLL} {
		t.Run(string(counting), func(t *testing.T) {
			s := newStore(t, url, logging(counting, 1<<20))
			if err := s.Ready(t.Context()); err != nil {
				t.Fatal(err)
			}
			// Enough experiments that all three shards have some.
			names := []string{"a", "b", "c", "d", "e", "f", "g{", "}h"}
			for round := range 2 {
				for _, name := range names {
					added := commitAll(t, s, participants(name+string(counting), "blue", 0, 1000))
					if counting == Exact && added != 1000*(1-round) {
						t.Errorf("%s: round %d added %d", name, round, added)
					}
				}
			}
			for _, name := range names {
				got := count(t, s, name+string(counting), "participate", "blue")
				if got < 970 || got > 1030 || counting == Exact && got != 1000 {
					t.Errorf("%s = %d", name, got)
				}
			}
			if counting == Exact {
				checkBuckets(t, s, "}hexact", 1000)
			}
			log := s.EventLog("a")
			logged, all, found := takenLog(t, s, log)
			for _, name := range names {
				if got := len(logged[name+string(counting)+" participate:blue"]); got < 1000 {
					t.Errorf("%s: %d in its log", name, got)
				}
			}
			if err := log.Done(t.Context(), all, found); err != nil {
				t.Error(err)
			}
			for _, name := range names {
				if err := s.Delete(t.Context(), "alephbet", name+string(counting)); err != nil {
					t.Error(err)
				}
			}
			if left, err := s.Names(t.Context(), "alephbet"); err != nil || len(left) != 0 {
				t.Errorf("left: %v, %v", left, err)
			}
		})
	}
}
