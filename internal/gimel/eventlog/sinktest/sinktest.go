// Package sinktest is what every sink has to do.
package sinktest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"provision/internal/gimel/eventlog"
	"provision/internal/gimel/store"
)

// Run tries sinks. open makes one on what the sinks before it have kept in this
// test, and begins with nothing in a new test.
func Run(t *testing.T, begin func(t *testing.T) (open func() eventlog.Sink)) {
	for name, test := range map[string]func(t *testing.T, s *subject){
		"keeps each event once":              keepsOnce,
		"keeps names as they are":            keepsNames,
		"tells the lives of a name apart":    tellsLivesApart,
		"fills in without a time":            fillsIn,
		"takes away":                         takesAway,
		"takes a life away":                  takesALifeAway,
		"counts one by one":                  countsOneByOne,
		"shows its fingerprints":             showsFingerprints,
		"keeps all and each once in a storm": storm,
	} {
		t.Run(name, func(t *testing.T) {
			s := &subject{t: t, open: begin(t)}
			s.reopen()
			t.Cleanup(func() { s.sink.Close() })
			test(t, s)
		})
	}
}

type subject struct {
	t    *testing.T
	open func() eventlog.Sink
	sink eventlog.Sink
}

// reopen is what a new process does.
func (s *subject) reopen() {
	if s.sink != nil {
		s.sink.Close()
	}
	s.sink = s.open()
}

func (s *subject) commit(batch eventlog.Batch) {
	s.t.Helper()
	if err := s.sink.Commit(s.t.Context(), batch); err != nil {
		s.t.Fatal(err)
	}
}

func (s *subject) counts(life store.Life, want string) {
	s.t.Helper()
	found, err := s.sink.Count(s.t.Context(), life)
	if err != nil {
		s.t.Fatal(err)
	}
	if got := fmt.Sprint(found); got != want {
		s.t.Errorf("%s %s: there is %s, want %s", life.Experiment, life.ID, got, want)
	}
}

func (s *subject) remove(experiment, life string) {
	s.t.Helper()
	if err := s.sink.Remove(s.t.Context(), "alephbet", experiment, life); err != nil {
		s.t.Fatal(err)
	}
}

// Began is when the life of NewLife began: at the end of a month.
var Began = time.Date(2026, 11, 30, 23, 59, 59, 0, time.UTC)

// NewLife is one of an experiment.
func NewLife(experiment, id string) store.Life {
	return store.Life{Namespace: "alephbet", Experiment: experiment, ID: id, Began: Began}
}

// Rows makes rows of participants from one number to another, a second apart.
func Rows(from, to int) (rows []eventlog.Row) {
	for i := from; i < to; i++ {
		rows = append(rows, eventlog.Row{CounterName: store.CounterName{Event: "participate", Variant: "blue"},
			Fingerprint: int64(i)<<32 + 7, At: Began.Add(time.Duration(i) * time.Second)})
	}
	return rows
}

func one(life store.Life, rows []eventlog.Row, again bool) eventlog.Batch {
	return eventlog.Batch{Parts: []eventlog.Part{{Life: life, Rows: rows}}, Again: again}
}

func kept(rows, untimed int) string {
	return fmt.Sprintf("map[{participate blue}:{%d %d}]", rows, untimed)
}

// The same batch, another grouping of the same, by this process and by the next; and over the end
// of an hour, a day and a month.
func keepsOnce(t *testing.T, s *subject) {
	life := NewLife("button color", "0a")
	s.counts(life, "map[]")
	s.commit(one(life, Rows(0, 100), false))
	s.counts(life, kept(100, 0))
	for range 2 {
		s.commit(one(life, Rows(0, 100), true))
		s.commit(one(life, Rows(50, 150), true))
		s.commit(one(life, append(Rows(10, 20), Rows(10, 20)...), true))
		s.counts(life, kept(150, 0))
		s.reopen()
	}
	s.commit(one(life, Rows(150, 4000), false))
	s.counts(life, kept(4000, 0))
	s.commit(eventlog.Batch{})
}

func keepsNames(t *testing.T, s *subject) {
	names := []string{"a b", "é", "../..", "a/b", "'; drop table x; --", `"\`, "%", ".", "..", strings.Repeat("ß", 64), strings.Repeat("x", 4000), "NULL"}
	value := -2.5
	for i, name := range names {
		life := store.Life{Namespace: name, Experiment: name, ID: fmt.Sprintf("%08x", i), Began: Began}
		row := eventlog.Row{CounterName: store.CounterName{Event: name, Variant: name}, Fingerprint: 1<<63 - 1, At: Began, Value: &value}
		s.commit(one(life, []eventlog.Row{row}, false))
		s.commit(one(life, []eventlog.Row{row}, true))
		s.counts(life, fmt.Sprintf("map[{%s %s}:{1 0}]", name, name))
	}
}

func tellsLivesApart(t *testing.T, s *subject) {
	first, second := NewLife("e", "01"), NewLife("e", "02")
	second.Began = Began.AddDate(0, 3, 0)
	s.commit(eventlog.Batch{Parts: []eventlog.Part{{Life: first, Rows: Rows(0, 10)}, {Life: second, Rows: Rows(5, 20)}}})
	s.counts(first, kept(10, 0))
	s.counts(second, kept(15, 0))
}

// What has a row keeps it with its time; a row without one is not replaced.
func fillsIn(t *testing.T, s *subject) {
	life := NewLife("e", "01")
	untimed := Rows(0, 30)
	for i := range untimed {
		untimed[i].At = time.Time{}
	}
	s.commit(one(life, Rows(10, 20), false))
	for range 2 {
		s.commit(one(life, untimed[:15], true))
		s.commit(one(life, Rows(10, 21), true)) // one with a time, between
		s.commit(one(life, untimed, true))
		s.counts(life, kept(30, 19))
		s.reopen()
	}
}

func takesAway(t *testing.T, s *subject) {
	life, other := NewLife("e", "01"), NewLife("f", "02")
	for range 2 {
		s.commit(one(life, Rows(0, 10), false))
		s.commit(one(other, Rows(0, 3), true))
		s.remove("e", "")
		s.counts(life, "map[]")
		s.counts(other, kept(3, 0))
	}
	s.remove("none", "")
}

// One life goes, and another of that name stays.
func takesALifeAway(t *testing.T, s *subject) {
	first, second, other := NewLife("e", "01"), NewLife("e", "02"), NewLife("f", "03")
	second.Began = Began.AddDate(0, 3, 0)
	for range 2 {
		s.commit(eventlog.Batch{Parts: []eventlog.Part{{Life: first, Rows: Rows(0, 10)}, {Life: second, Rows: Rows(5, 20)}, {Life: other, Rows: Rows(0, 3)}}, Again: true})
		s.remove("e", "01")
		s.counts(first, "map[]")
		s.counts(second, kept(15, 0))
		s.counts(other, kept(3, 0))
	}
	s.reopen()
	s.counts(second, kept(15, 0))
}

// To count one by one changes nothing of what was counted as it came, whatever comes meanwhile.
func countsOneByOne(t *testing.T, s *subject) {
	life := NewLife("e", "01")
	check := func() {
		if err := s.sink.Check(t.Context(), life); err != nil {
			t.Error(err)
		}
	}
	check()
	s.commit(one(life, Rows(0, 100), false))
	s.counts(life, kept(100, 0))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for range 5 {
			check()
		}
	}()
	for from := 100; from < 1000; from += 100 {
		s.commit(one(life, Rows(from-50, from+100), true))
		s.counts(life, kept(from+100, 0))
	}
	<-ended
	s.counts(life, kept(1000, 0))
	check()
	s.counts(life, kept(1000, 0))
}

// Those of one counter of one life, each.
func showsFingerprints(t *testing.T, s *subject) {
	life, other := NewLife("e", "01"), NewLife("e", "02")
	goals := Rows(0, 7)
	for i := range goals {
		goals[i].Event = "buy"
	}
	s.commit(eventlog.Batch{Parts: []eventlog.Part{{Life: life, Rows: Rows(0, 4000)}, {Life: other, Rows: Rows(5000, 5010)}, {Life: life, Rows: goals}}})
	s.commit(one(life, Rows(3990, 4010), true))
	for event, want := range map[string][]eventlog.Row{"participate": Rows(0, 4010), "buy": Rows(0, 7), "look": nil} {
		var seen, wanted []int64
		err := s.sink.Fingerprints(t.Context(), life, store.CounterName{Event: event, Variant: "blue"}, func(fingerprint int64) { seen = append(seen, fingerprint) })
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range want {
			wanted = append(wanted, row.Fingerprint)
		}
		slices.Sort(seen)
		if !slices.Equal(seen, wanted) {
			t.Errorf("%s: %d fingerprints, want %d", event, len(seen), len(wanted))
		}
	}
}

// Batches are cut off at some moment, the process is replaced, and what is not known to be kept
// comes again, in other groups.
func storm(t *testing.T, s *subject) {
	life := NewLife("e", "01")
	const n = 3000
	random := rand.New(rand.NewPCG(1, 2))
	for from := 0; from < n; {
		to := min(n, from+1+random.IntN(300))
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(random.IntN(8))*time.Millisecond)
		err := s.sink.Commit(ctx, one(life, Rows(max(0, from-random.IntN(50)), to), true))
		cancel()
		switch {
		case err == nil:
			from = to
		case random.IntN(2) == 0:
			s.reopen()
		default:
			s.commit(one(life, Rows(from, to), true))
			from = to
		}
	}
	s.counts(life, kept(n, 0))
}
