package eventlog

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"provision/internal/gimel/redistest"
	"provision/internal/gimel/store"
)

// picky is a sink that refuses one experiment.
type picky struct {
	*memory
	refuses string
}

func (p *picky) Commit(ctx context.Context, batch Batch) error {
	for _, part := range batch.Parts {
		if part.Life.Experiment == p.refuses {
			return errors.New("invalid byte sequence")
		}
	}
	return p.memory.Commit(ctx, batch)
}

func cycles(t *testing.T, c *Consumer, n int) {
	t.Helper()
	for range n {
		_, _ = c.cycle(t.Context())
	}
}

// What the sink refuses of one experiment stays in its log, and keeps no other from the sink; when
// it is taken again, it goes on.
func TestWhatTheSinkRefusesKeepsNoOtherBack(t *testing.T) {
	s := counting(t, redistest.Start(t), 1<<20)
	sink := &picky{memory: newMemory(t), refuses: "b"}
	c := newConsumer(t, s, sink)
	visit(t, s, "b", 0, 10) // alone at first
	cycles(t, c, 5)
	for round := range 3 {
		for _, experiment := range []string{"a", "b", "c"} {
			visit(t, s, experiment, 10*round, 10*round+10)
		}
		cycles(t, c, 5)
	}
	if len(sink.rows) != 60 {
		t.Errorf("%d rows of the others, want 60", len(sink.rows))
	}
	expect(t, c,
		"n:a participate:blue  counted 30, rows 30, waiting 0",
		"n:b  CANNOT BE TOLD: the sink refuses what the log has of it: invalid byte sequence",
		"n:c participate:blue  counted 30, rows 30, waiting 0")
	if err := c.fill(t.Context()); err != nil {
		t.Error(err)
	}
	if !strings.Contains(metricsOf(c), "gimel_eventlog_refused_experiments 1\n") {
		t.Error("it is not told")
	}
	sink.refuses = ""
	drain(t, c)
	expect(t, c,
		"n:a participate:blue  counted 30, rows 30, waiting 0",
		"n:b participate:blue  counted 30, rows 30, waiting 0",
		"n:c participate:blue  counted 30, rows 30, waiting 0")
	if sink.repeated > 0 || !strings.Contains(metricsOf(c), "gimel_eventlog_refused_experiments 0\n") {
		t.Errorf("%d repeated", sink.repeated)
	}
}

// A sink that takes nothing of anybody is not the matter of an experiment.
func TestASinkThatTakesNothingSetsNobodyAside(t *testing.T) {
	s := counting(t, redistest.Start(t), 1<<20)
	sink := newMemory(t)
	c := newConsumer(t, s, sink)
	sink.fails = func() (before, after bool) { return true, false }
	visit(t, s, "a", 0, 10)
	visit(t, s, "b", 0, 10)
	cycles(t, c, 10)
	sink.fails = nil
	if _, err := c.cycle(t.Context()); err != nil || len(c.aside) > 0 || len(sink.rows) != 20 {
		t.Errorf("%v, %d set aside, %d rows", err, len(c.aside), len(sink.rows))
	}
}

// A foreign writer's entries are taken out and told, and all that is gimel's gets to the sink: what
// stood in an entry that is spoilt, without its time.
func TestWhatCannotBeReadKeepsNothingBack(t *testing.T) {
	server := redistest.Start(t)
	s := counting(t, server, 1<<20)
	sink := newMemory(t)
	c := newConsumer(t, s, sink)
	visit(t, s, "a", 0, 10)
	visit(t, s, "b", 0, 10)
	lives, err := s.Lives(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	client := server.Client()
	log := "gimel:{n:a}:" + lives[0].ID + ":events"
	for _, values := range [][]any{
		{"x", "y"}, {"c", "no colon", "f", "12345678"}, {"c", "a:b:c", "f", "12345678"}, {"c", "buy:blue", "f", "1234567"}, {"c", "buy:blue", "f", ""},
		{"c", "buy:\xff", "f", "12345678"}, {"c", "b\x00:blue", "f", "12345678"}, {"c", "buy:blue", "f", "12345678", "x", "1 2"},
		{"c", "buy:blue", "f", "12345678", "x", "many"}, {"c", "buy:blue", "f", "12345678", "x", "NaN"},
	} {
		if err := client.XAdd(t.Context(), &redis.XAddArgs{Stream: log, Values: values}).Err(); err != nil {
			t.Fatal(err)
		}
	}
	// At a time that no calendar has: what comes then has it too.
	if err := client.XAdd(t.Context(), &redis.XAddArgs{Stream: log, ID: "9000000000000000000-1", Values: []any{"c", "buy:blue", "f", "12345678"}}).Err(); err != nil {
		t.Fatal(err)
	}
	visit(t, s, "a", 10, 20)
	visit(t, s, "b", 10, 20)
	drain(t, c)
	expect(t, c, "n:a participate:blue  counted 20, rows 10, waiting 0; MISSING 10: counted while there was no log, since "+lives[0].Began.Format("2006-01-02 15:04"),
		"n:b participate:blue  counted 20, rows 20, waiting 0")
	if text := metricsOf(c); !strings.Contains(text, "gimel_eventlog_unreadable_entries_total 12\n") || !strings.Contains(text, "gimel_eventlog_waiting_entries 0\n") {
		t.Errorf("it is not told:\n%s", text)
	}
	if err := c.fill(t.Context()); err != nil {
		t.Fatal(err)
	}
	expect(t, c, "n:a participate:blue  counted 20, rows 20, waiting 0, 10 rows without a time",
		"n:b participate:blue  counted 20, rows 20, waiting 0")
}

// Keys that are something else than they should be are those of one experiment.
func TestKeysOfAnotherKindKeepNoOtherBack(t *testing.T) {
	server := redistest.Start(t)
	s := counting(t, server, 1<<20)
	sink := newMemory(t)
	for _, experiment := range []string{"a", "b", "c", "d", "e"} {
		visit(t, s, experiment, 0, 10)
	}
	lives, err := s.Lives(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	client := server.Client()
	client.Set(t.Context(), "gimel:{n:a}", "no experiment", 0)
	client.Set(t.Context(), "gimel:{n:b}:"+lives[1].ID+":events", "no log", 0)
	client.HSet(t.Context(), "gimel:{n:c}", "c:buy:blue", "many", "created", "99999999999999999")
	visit(t, s, "d", 0, 20)
	c := newConsumer(t, s, sink)
	drain(t, c)
	if err := c.fill(t.Context()); err != nil {
		t.Fatal(err)
	}
	all := balances(t, c)
	for i, want := range []string{"n:b participate:blue  counted 10, rows 10, waiting 0, 10 rows without a time", "n:c  CANNOT BE TOLD: redis: field",
		"n:d participate:blue  counted 20, rows 20, waiting 0", "n:e participate:blue  counted 10, rows 10, waiting 0"} {
		if len(all) != 4 || !strings.HasPrefix(all[i], want) {
			t.Errorf("%q, want %q", all, want)
		}
	}
	if text := metricsOf(c); !strings.Contains(text, "gimel_eventlog_redis_up 1\n") {
		t.Errorf("nothing is told:\n%s", text)
	}
}

// Who invents names fills no sink: what makes room for another experiment leaves no row, and what
// somebody has deleted, or what came before it under its name, stays.
func TestExperimentsThatMakeRoomLeaveNoRows(t *testing.T) {
	server := redistest.Start(t)
	client, err := store.Connect(store.Address{URL: server.URL()})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	s := store.New(client, store.Settings{Counting: store.Exact, HashKey: []byte("key"), UndeclaredCap: 2, CounterCap: 50, LogBudget: 1 << 20})
	sink := newMemory(t)
	c := newConsumer(t, s, sink)
	visit(t, s, "invented1", 0, 5)
	drain(t, c)
	if err := s.Delete(t.Context(), "n", "invented1"); err != nil { // by somebody, who keeps its rows
		t.Fatal(err)
	}
	visit(t, s, "real", 0, 60)
	visit(t, s, "invented1", 5, 8)
	drain(t, c)
	visit(t, s, "invented2", 0, 4) // invented1 makes room, another life than before
	visit(t, s, "invented2", 4, 6)
	if err := c.fill(t.Context()); err != nil {
		t.Fatal(err)
	}
	drain(t, c)
	kept := map[string]int{}
	for key := range sink.rows {
		experiment, _, _ := strings.Cut(key, " ")
		kept[experiment]++
	}
	if kept["invented1"] != 5 || kept["invented2"] != 6 || kept["real"] != 60 {
		t.Errorf("rows: %v", kept)
	}
	if left := client.SMembers(t.Context(), "gimel:{experiments}:evicted").Val(); len(left) > 0 {
		t.Errorf("still noted: %v", left)
	}
}
