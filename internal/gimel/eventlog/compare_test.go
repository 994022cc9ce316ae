package eventlog

import (
	"context"
	"strings"
	"testing"
	"time"

	"provision/internal/gimel/redistest"
	"provision/internal/gimel/store"
)

// forgetting is a Redis that has counted and forgotten thirty visitors of a hundred and thirty, whose
// rows are there, and has then missed so many in its log.
func forgetting(t *testing.T, missed int) (*store.Store, *memory) {
	t.Helper()
	server := redistest.Start(t, "--appendonly", "yes", "--appendfsync", "always")
	s, sink := counting(t, server, 1<<20), newMemory(t)
	visit(t, s, "a", 0, 100)
	copied := server.CopyData()
	visit(t, s, "a", 100, 130)
	drain(t, newConsumer(t, s, sink))
	server.Kill()
	server.PutData(copied)
	server.Restart()
	drain(t, newConsumer(t, s, sink))
	visit(t, counting(t, server, 1), "a", 1000, 1000+missed) // for want of room
	return s, sink
}

// Rows that Redis has forgotten hide none that are missing, by whatever numbers: those are told, and
// get their rows; and what the log had no room for is forgotten only then.
func TestWhatIsMissingIsNotHiddenByWhatIsForgotten(t *testing.T) {
	for missed, want := range map[int]string{
		5:  "counted 105, rows 130, waiting 0; MISSING 5: the log had no room for 5 of the experiment",
		30: "counted 130, rows 130, waiting 0; MISSING 30: the log had no room for 30 of the experiment",
		50: "counted 150, rows 130, waiting 0; MISSING 20: the log had no room for 50 of the experiment", // at the least
	} {
		s, sink := forgetting(t, missed)
		c := newConsumer(t, s, sink)
		drain(t, c)
		if said := balances(t, c); len(said) != 1 || !strings.Contains(said[0], want) || missed <= 30 != strings.Contains(said[0], "30 MORE than counted") {
			t.Errorf("%d missed: %q, want %q", missed, said, want)
		}
		all, err := c.RecountRows(t.Context())
		if err != nil || len(all) != 1 || all[0].Missing() != int64(missed) || all[0].More() != 30 {
			t.Errorf("%d missed, by rows: %+v, %v", missed, all, err)
		}
		for range 2 {
			c.balanced = time.Time{} // as if an hour were over
			if err := c.fill(t.Context()); err != nil {
				t.Fatal(err)
			}
			if all, err = c.Recount(t.Context()); err != nil || all[0].Missing() != 0 || all[0].More() != 30 || all[0].Rows != int64(130+missed) || all[0].Life.Missed != 0 {
				t.Errorf("%d missed, after they got their rows: %+v, %v", missed, all, err)
			}
		}
	}
}

// Counters that Redis has forgotten as a whole are told too.
func TestACounterThatIsForgotten(t *testing.T) {
	server := redistest.Start(t)
	s, sink := counting(t, server, 1<<20), newMemory(t)
	visit(t, s, "a", 0, 10)
	drain(t, newConsumer(t, s, sink))
	client := server.Client()
	client.HDel(t.Context(), "gimel:{n:a}", "c:participate:blue")
	said := balances(t, newConsumer(t, s, sink))
	if len(said) != 1 || !strings.Contains(said[0], "participate:blue  counted 0, rows 10, waiting 0; 10 MORE than counted") {
		t.Errorf("%q", said)
	}
}

// partial is a sink of which some rows were moved away.
type partial struct{ *memory }

func (p partial) Fingerprints(ctx context.Context, life store.Life, name store.CounterName, see func(int64)) error {
	left := 40
	return p.memory.Fingerprints(ctx, life, name, func(fingerprint int64) {
		if left--; left >= 0 {
			see(fingerprint)
		}
	})
}

// Where not all rows are there any more nothing is said of which are missing; and what the log is
// known to have missed gets its rows all the same.
func TestRowsThatWereMovedAwayAreNotCompared(t *testing.T) {
	s, sink := forgetting(t, 5)
	c := newConsumer(t, s, partial{sink})
	drain(t, c)
	if said := balances(t, c); len(said) != 1 || !strings.Contains(said[0], "25 MORE than counted") || strings.Contains(said[0], "MISSING") ||
		!strings.HasSuffix(said[0], "by numbers alone, for not all rows are there to be compared") {
		t.Errorf("%q", said)
	}
	if err := c.fill(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(sink.rows) != 135 {
		t.Errorf("%d rows, want 135", len(sink.rows))
	}
}
