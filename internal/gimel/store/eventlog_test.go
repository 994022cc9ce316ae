package store

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"provision/internal/gimel/event"
	"provision/internal/gimel/redistest"
)

func logging(counting Counting, budget int64) Settings {
	settings := exactSettings
	settings.Counting, settings.LogBudget = counting, budget
	return settings
}

// takenLog reads all that waits in the logs, by counter.
func takenLog(t *testing.T, s *Store, log *EventLog) (map[string][]int64, []Life, [][]Counted) {
	t.Helper()
	lives, err := s.Lives(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	found, err := log.Next(t.Context(), lives, 10_000)
	if err != nil {
		t.Fatal(err)
	}
	return byCounter(lives, found), lives, found
}

func byCounter(lives []Life, found [][]Counted) map[string][]int64 {
	all := map[string][]int64{}
	for i, entries := range found {
		for _, entry := range entries {
			counter := lives[i].Experiment + " " + counterName(entry.Event, entry.Variant)
			all[counter] = append(all[counter], entry.Fingerprints...)
		}
	}
	return all
}

// What the log has are the fingerprints that the buckets have, each once, and the time.
func TestTheLogHoldsWhatWasNew(t *testing.T) {
	s := newStore(t, redistest.Start(t).URL(), logging(Exact, 1<<20))
	begin := time.Now().Add(-time.Millisecond)
	commitAll(t, s, participants("e", "blue", 0, 1000))
	commitAll(t, s, participants("e", "blue", 500, 1500))
	commitAll(t, s, participants("e", "blue", 0, 1500))
	commitAll(t, s, participants("other", "red", 0, 3))
	got, lives, found := takenLog(t, s, s.EventLog("a"))
	want := map[string][]int64{}
	for name, n := range map[string]int{"e participate:blue": 1500, "other participate:red": 3} {
		experiment, _, _ := strings.Cut(name, " ")
		for _, e := range participants(experiment, "", 0, n) {
			want[name] = append(want[name], s.fingerprints.of(e))
		}
	}
	for name, fingerprints := range want {
		slices.Sort(fingerprints)
		slices.Sort(got[name])
		if !slices.Equal(got[name], fingerprints) {
			t.Errorf("%s: %d fingerprints, want %d", name, len(got[name]), len(fingerprints))
		}
	}
	for i, entries := range found {
		for _, entry := range entries {
			if entry.At.Before(begin) || entry.At.After(time.Now()) {
				t.Errorf("%+v: an entry of %s", lives[i], entry.At)
			}
			if len(entry.Fingerprints) == 0 {
				t.Error("an entry of nothing")
			}
		}
	}
}

func TestAReaderGetsAgainWhatItHasNotDone(t *testing.T) {
	s := newStore(t, redistest.Start(t).URL(), logging(Exact, 1<<20))
	commitAll(t, s, participants("e", "blue", 0, 600))
	_, lives, first := takenLog(t, s, s.EventLog("a"))
	commitAll(t, s, participants("e", "blue", 600, 700))

	log := s.EventLog("a") // after a restart
	again, err := log.Begun(t.Context(), lives)
	if err != nil || fmt.Sprint(again) != fmt.Sprint(first) || len(first[0]) == 0 {
		t.Fatalf("given again: %v, %v, want %v", again, err, first)
	}
	if err := log.Done(t.Context(), lives, again); err != nil {
		t.Fatal(err)
	}
	if left, err := log.Begun(t.Context(), lives); err != nil || len(left[0]) != 0 {
		t.Errorf("done, and given again: %v, %v", left, err)
	}
	rest, _, found := takenLog(t, s, log)
	if got := len(rest["e participate:blue"]); got != 100 {
		t.Errorf("%d new, want 100", got)
	}
	if err := log.Done(t.Context(), lives, found); err != nil {
		t.Fatal(err)
	}
	if n := s.client.XLen(t.Context(), lives[0].events()).Val(); n != 0 {
		t.Errorf("%d entries are left of a log that is done", n)
	}
}

// Another reader's entries are taken over when they have been with it for long: here XCLAIM makes
// them so.
func TestAReaderTakesOverFromOneThatIsGone(t *testing.T) {
	s := newStore(t, redistest.Start(t).URL(), logging(Exact, 1<<20))
	commitAll(t, s, participants("e", "blue", 0, 10))
	_, lives, given := takenLog(t, s, s.EventLog("gone"))
	log := s.EventLog("a")
	takenOver := func() int {
		t.Helper()
		if err := log.TakeOver(t.Context(), lives); err != nil {
			t.Fatal(err)
		}
		found, err := log.Begun(t.Context(), lives)
		if err != nil {
			t.Fatal(err)
		}
		return len(found[0])
	}
	if n := takenOver(); n != 0 {
		t.Errorf("%d taken from a reader that has just been given them", n)
	}
	err := s.client.Do(t.Context(), "XCLAIM", lives[0].events(), logGroup, "gone", 0, given[0][0].ID,
		"IDLE", (abandoned + time.Second).Milliseconds()).Err()
	if err != nil {
		t.Fatal(err)
	}
	if n := takenOver(); n != 1 {
		t.Errorf("%d taken over, want 1", n)
	}
}

// Beyond its budget nothing is logged, and everything counted, and it is noted. When the log is
// read it goes on.
func TestALogThatIsFullIsAGap(t *testing.T) {
	for _, counting := range []Counting{Exact, HLL} {
		t.Run(string(counting), func(t *testing.T) {
			const n, budget = 20_000, 64 << 10
			s := newStore(t, redistest.Start(t).URL(), logging(counting, budget))
			unlogged := 0
			for batch := range slices.Chunk(participants("e", "blue", 0, n), 256) {
				for _, outcome := range s.Commit(t.Context(), batch) {
					if outcome.Err != nil || outcome.Reason != "" {
						t.Fatalf("%+v", outcome)
					}
					if outcome.Unlogged {
						unlogged++
					}
				}
			}
			if got := count(t, s, "e", "participate", "blue"); got < n*97/100 {
				t.Errorf("count = %d, want %d", got, n)
			}
			if used := s.client.MemoryUsage(t.Context(), lives(t, s)[0].events()).Val(); used > budget+8<<10 {
				t.Errorf("the log takes %d bytes, with a budget of %d", used, budget)
			}
			log := s.EventLog("a")
			got, all, found := takenLog(t, s, log)
			logged := len(got["e participate:blue"])
			missed := all[0].Missed
			if logged == 0 || missed == 0 || int64(logged)+missed != n || int64(unlogged) != missed {
				t.Errorf("%d logged, %d missed, %d told, want %d in all", logged, missed, unlogged, n)
			}
			if age := time.Since(all[0].Gap); age < 0 || age > time.Minute {
				t.Errorf("the gap is of %s", all[0].Gap)
			}
			if err := log.Done(t.Context(), all, found); err != nil {
				t.Fatal(err)
			}
			commitAll(t, s, participants("e", "blue", n, n+10))
			if got, _, _ := takenLog(t, s, log); len(got["e participate:blue"]) != 10 {
				t.Errorf("after that %d are logged, want 10", len(got["e participate:blue"]))
			}
		})
	}
}

func lives(t *testing.T, s *Store) []Life {
	t.Helper()
	found, err := s.Lives(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// A log that cannot be written, here for its key is something else, holds up no counting.
func TestABrokenLogHoldsUpNoCounting(t *testing.T) {
	s := newStore(t, redistest.Start(t).URL(), logging(Exact, 1<<20))
	commitAll(t, s, participants("e", "blue", 0, 10))
	key := lives(t, s)[0].events()
	s.client.Del(t.Context(), key)
	s.client.Set(t.Context(), key, "no stream", 0)
	if added := commitAll(t, s, participants("e", "blue", 0, 30)); added != 20 {
		t.Errorf("added %d, want 20", added)
	}
	if got := count(t, s, "e", "participate", "blue"); got != 30 {
		t.Errorf("count = %d, want 30", got)
	}
	if missed := lives(t, s)[0].Missed; missed != 20 {
		t.Errorf("missed %d, want 20", missed)
	}
}

func TestNoLogUnlessAsked(t *testing.T) {
	for _, counting := range []Counting{Exact, HLL} {
		s := newStore(t, redistest.Start(t).URL(), logging(counting, 0))
		commitAll(t, s, participants("e", "blue", 0, 10))
		if keys := s.client.Keys(t.Context(), "*:events").Val(); len(keys) != 0 || lives(t, s)[0].Missed != 0 {
			t.Errorf("%s: %v, %+v", counting, keys, lives(t, s))
		}
	}
}

// HLL does not know who is new: all that come are in the log, with fingerprints, not uuids.
func TestTheLogOfHLL(t *testing.T) {
	s := newStore(t, redistest.Start(t).URL(), logging(HLL, 1<<20))
	e := event.Event{Namespace: "alephbet", Experiment: "e", Name: "buy", Variant: "blue", UUID: "uuid-1"}
	for range 2 {
		if outcome := s.Commit(t.Context(), []event.Event{e})[0]; outcome.Err != nil || outcome.Unlogged {
			t.Fatalf("%+v", outcome)
		}
	}
	got, _, _ := takenLog(t, s, s.EventLog("a"))
	if want := s.fingerprints.of(e); !slices.Equal(got["e buy:blue"], []int64{want, want}) {
		t.Errorf("logged %v, want %d twice", got, want)
	}
}

// A reader that believes in a stream which is gone, as after a Redis that lost its last writes,
// finds the one that came after it.
func TestALogThatWasLostIsReadAgain(t *testing.T) {
	s := newStore(t, redistest.Start(t).URL(), logging(Exact, 1<<20))
	log := s.EventLog("a")
	commitAll(t, s, participants("e", "blue", 0, 10))
	takenLog(t, s, log)
	s.client.Del(t.Context(), lives(t, s)[0].events())
	commitAll(t, s, participants("e", "blue", 10, 13))
	if _, err := log.Next(t.Context(), lives(t, s), 10); err == nil {
		t.Error("that the log was lost is not told")
	}
	if got, _, _ := takenLog(t, s, log); len(got["e participate:blue"]) != 3 {
		t.Errorf("%d, want 3", len(got["e participate:blue"]))
	}
}

// The values of a goal that has them are beside their fingerprints, those of the new ones alone.
func TestTheLogHoldsValues(t *testing.T) {
	s := newStore(t, redistest.Start(t).URL(), logging(Exact, 1<<20))
	declareShop(t, s)
	for _, events := range [][]event.Event{{purchase(1, "2.5")}, {purchase(1, "7"), purchase(2, "-0.125"), purchase(3, ""), purchase(4, "1e3")}} {
		for _, outcome := range s.Commit(t.Context(), events) {
			if outcome.Err != nil {
				t.Fatal(outcome.Err)
			}
		}
	}
	_, _, found := takenLog(t, s, s.EventLog("a"))
	got := map[int64]float64{}
	for _, entry := range found[0] {
		for i, fingerprint := range entry.Fingerprints {
			got[fingerprint] = entry.Values[i]
		}
	}
	want := map[int64]float64{s.fingerprints.of(purchase(1, "")): 2.5, s.fingerprints.of(purchase(2, "")): -0.125, s.fingerprints.of(purchase(4, "")): 1000}
	if !maps.Equal(got, want) {
		t.Errorf("logged %v, want %v", got, want)
	}
}

// What is missed while rows are filled in is missed still, since then.
func TestWhatIsFilledIsMissedNoMore(t *testing.T) {
	s := newStore(t, redistest.Start(t).URL(), logging(Exact, 1))
	commitAll(t, s, participants("e", "blue", 0, 1)) // an empty log has room for it
	commitAll(t, s, participants("e", "blue", 1, 10))
	read := lives(t, s)[0]
	commitAll(t, s, participants("e", "blue", 10, 12))
	later := time.Now().Add(time.Hour).Truncate(time.Second)
	if err := s.Filled(t.Context(), read, later); err != nil {
		t.Fatal(err)
	}
	if life := lives(t, s)[0]; life.Missed != 2 || !life.Gap.Equal(later) {
		t.Errorf("%+v", life)
	}
	if err := s.Filled(t.Context(), lives(t, s)[0], later); err != nil {
		t.Fatal(err)
	}
	if life := lives(t, s)[0]; life.Missed != 0 || !life.Gap.IsZero() {
		t.Errorf("%+v", life)
	}
	// Another life of that name has not been filled.
	other := lives(t, s)[0]
	other.ID, other.Missed = "another", 5
	if err := s.Filled(t.Context(), other, later); err != nil || lives(t, s)[0].Missed != 0 {
		t.Errorf("%+v, %v", lives(t, s)[0], err)
	}
}
