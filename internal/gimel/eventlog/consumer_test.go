package eventlog

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"provision/internal/gimel/event"
	"provision/internal/gimel/redistest"
	"provision/internal/gimel/store"
)

func counting(t *testing.T, server *redistest.Server, budget int64) *store.Store {
	t.Helper()
	client, err := store.Connect(store.Address{URL: server.URL(), Timeout: time.Minute, Once: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return store.New(client, store.Settings{Counting: store.Exact, HashKey: []byte("key"), UndeclaredCap: 100, CounterCap: 50, LogBudget: budget})
}

func visit(t *testing.T, s *store.Store, experiment string, from, to int) {
	t.Helper()
	var events []event.Event
	for i := from; i < to; i++ {
		events = append(events, event.Event{Namespace: "n", Experiment: experiment, Name: event.Participate, Variant: "blue", UUID: fmt.Sprint(i)})
	}
	for some := range slices.Chunk(events, 256) {
		for _, outcome := range s.Commit(t.Context(), some) {
			if outcome.Err != nil || outcome.Reason != "" {
				t.Fatalf("%+v", outcome)
			}
		}
	}
}

func newConsumer(t *testing.T, s *store.Store, sink Sink) *Consumer {
	return New(s, "here", sink, slog.New(slog.DiscardHandler))
}

// drain cycles until nothing is left, whatever fails.
func drain(t *testing.T, c *Consumer) {
	t.Helper()
	for range 1000 {
		for life := range c.aside {
			c.aside[life] = aside{why: c.aside[life].why} // as if its time were over
		}
		if full, err := c.cycle(t.Context()); err == nil && !full && len(c.aside) == 0 {
			return
		}
	}
	t.Fatal("never ends")
}

func balances(t *testing.T, c *Consumer) (lines []string) {
	t.Helper()
	all, err := c.Recount(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, balance := range all {
		lines = append(lines, balance.String())
	}
	return lines
}

func expect(t *testing.T, c *Consumer, want ...string) {
	t.Helper()
	if got := balances(t, c); !slices.Equal(got, want) {
		t.Errorf("recount:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// Whatever fails, before or after the sink has kept a batch, and whenever the process is replaced:
// each event has one row in the end, and a batch that comes again is said to.
func TestEachEventOnceWhateverFails(t *testing.T) {
	s := counting(t, redistest.Start(t), 8<<20)
	sink := newMemory(t)
	random := rand.New(rand.NewPCG(3, 4))
	sink.fails = func() (before, after bool) { return random.IntN(4) == 0, random.IntN(4) == 0 }
	c := newConsumer(t, s, sink)
	for round := range 40 {
		for _, experiment := range []string{"a", "b", "c"} {
			visit(t, s, experiment, round*100, round*100+150)
		}
		_, _ = c.cycle(t.Context())
		if random.IntN(3) == 0 {
			c = newConsumer(t, s, sink)
		}
	}
	drain(t, c)
	expect(t, c,
		"n:a participate:blue  counted 4050, rows 4050, waiting 0",
		"n:b participate:blue  counted 4050, rows 4050, waiting 0",
		"n:c participate:blue  counted 4050, rows 4050, waiting 0")
	if sink.repeated > 0 {
		t.Errorf("%d rows came again in batches that were said to be new", sink.repeated)
	}
}

// Redis loses its last writes, so what was done is new again: that is said too.
func TestARedisThatForgets(t *testing.T) {
	server := redistest.Start(t, "--appendonly", "yes", "--appendfsync", "always")
	s := counting(t, server, 8<<20)
	sink := newMemory(t)
	c := newConsumer(t, s, sink)
	visit(t, s, "a", 0, 1000)
	copied := server.CopyData()
	drain(t, c)
	server.Kill()
	server.PutData(copied)
	server.Restart()
	drain(t, c)
	visit(t, s, "a", 1000, 1010)
	drain(t, c)
	expect(t, c, "n:a participate:blue  counted 1010, rows 1010, waiting 0")
	if sink.repeated > 0 {
		t.Errorf("%d rows came again in batches that were said to be new", sink.repeated)
	}
}

// What was counted before there was a log, and while it was full, gets a row without a time; what
// is in the log keeps its time.
func TestWhatHasNoRowGetsOne(t *testing.T) {
	server := redistest.Start(t)
	before := counting(t, server, 0)
	visit(t, before, "a", 0, 30_000) // in many buckets
	s := counting(t, server, 8<<20)
	visit(t, s, "a", 29_000, 31_000)
	sink := newMemory(t)
	c := newConsumer(t, s, sink)
	if got := balances(t, c); len(got) != 1 || !strings.Contains(got[0], "counted 31000, rows 1000, waiting 0; MISSING 30000: counted while there was no log, since 2") {
		t.Errorf("before: %q", got)
	}
	visit(t, s, "a", 31_000, 31_500)
	if err := c.fill(t.Context()); err != nil {
		t.Fatal(err)
	}
	expect(t, c, "n:a participate:blue  counted 31500, rows 31500, waiting 0, 30000 rows without a time")

	full := counting(t, server, 1)
	visit(t, full, "a", 31_500, 31_600)
	if got := balances(t, c); len(got) != 1 || !strings.Contains(got[0], "MISSING 100: the log had no room for 100 of the experiment, since 2") {
		t.Errorf("with a gap: %q", got)
	}
	c.balanced = time.Now().Add(-2 * takeOverEvery) // else so many gaps would be as many recounts
	if err := c.fill(t.Context()); err != nil {
		t.Fatal(err)
	}
	expect(t, c, "n:a participate:blue  counted 31600, rows 31600, waiting 0, 30100 rows without a time")
}

// An HLL is held against the rows with its error; its log has every event that came.
func TestRecountOfAnEstimate(t *testing.T) {
	server := redistest.Start(t)
	client, err := store.Connect(store.Address{URL: server.URL(), Timeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	s := store.New(client, store.Settings{Counting: store.HLL, HashKey: []byte("key"), UndeclaredCap: 100, CounterCap: 50, LogBudget: 8 << 20})
	sink := newMemory(t)
	c := newConsumer(t, s, sink)
	for range 2 {
		visit(t, s, "a", 0, 20_000)
	}
	drain(t, c)
	all, err := c.Recount(t.Context())
	if err != nil || len(all) != 1 || all[0].Rows != 20_000 || all[0].Missing() != 0 || !all[0].Estimated {
		t.Fatalf("%v, %v", all, err)
	}
	for key := range sink.rows {
		if delete(sink.rows, key); len(sink.rows) < 19_000 {
			break
		}
	}
	if all, err = c.Recount(t.Context()); err != nil || all[0].Missing() <= 0 {
		t.Errorf("a thousand rows less: %v, %v", all, err)
	}
}

// What an HLL has missed cannot be had again: it is told for as long as the rows are fewer than its
// error allows.
func TestWhatAnEstimateHasMissed(t *testing.T) {
	server := redistest.Start(t)
	client, err := store.Connect(store.Address{URL: server.URL(), Timeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	with := func(budget int64) *store.Store {
		return store.New(client, store.Settings{Counting: store.HLL, HashKey: []byte("key"), UndeclaredCap: 100, CounterCap: 50, LogBudget: budget})
	}
	s, sink := with(8<<20), newMemory(t)
	c := newConsumer(t, s, sink)
	visit(t, s, "a", 0, 5000)
	visit(t, s, "b", 0, 5000)
	drain(t, c)
	visit(t, with(1), "a", 5000, 5010)
	visit(t, with(1), "b", 5000, 6000)
	if err := c.fill(t.Context()); err != nil {
		t.Fatal(err)
	}
	lives, err := s.Lives(t.Context())
	if err != nil || lives[0].Missed != 0 || !lives[0].Gap.IsZero() || lives[1].Missed != 1000 || lives[1].Gap.IsZero() {
		t.Errorf("%+v, %v", lives, err)
	}
}

// A Redis that is full of what waits is emptied by who reads it, also by one that was not there
// before.
func TestAFullRedisIsEmptied(t *testing.T) {
	server := redistest.Start(t)
	s, sink := counting(t, server, 8<<20), newMemory(t)
	visit(t, s, "a", 0, 100)
	drain(t, newConsumer(t, s, sink))
	visit(t, s, "a", 100, 20_000)
	visit(t, s, "b", 0, 20_000) // of a log without a reader
	client := server.Client()
	if err := client.ConfigSet(t.Context(), "maxmemory", "1mb").Err(); err != nil {
		t.Fatal(err)
	}
	if err := client.Set(t.Context(), "more", "1", 0).Err(); err == nil {
		t.Fatal("it is not full")
	}
	drain(t, newConsumer(t, s, sink))
	expect(t, newConsumer(t, s, sink), "n:a participate:blue  counted 20000, rows 20000, waiting 0", "n:b participate:blue  counted 20000, rows 20000, waiting 0")
}

// Without any event too it is told that the sink is not there.
func TestASinkThatIsNotThere(t *testing.T) {
	c := newConsumer(t, counting(t, redistest.Start(t), 1<<20), newMemory(t))
	c.sink.(*memory).fails = func() (before, after bool) { return true, false }
	if _, err := c.cycle(t.Context()); err == nil {
		t.Error("a sink that refuses all is well")
	}
}

// More logs than are read at once, and a sink that comes late.
func TestManyLogs(t *testing.T) {
	s := counting(t, redistest.Start(t), 1<<20)
	sink := newMemory(t)
	c := newConsumer(t, s, sink)
	for round := range 3 {
		for i := range 2*livesAtOnce - 20 {
			visit(t, s, fmt.Sprintf("e%d", i), 0, 100*(round+1))
		}
		drain(t, c)
	}
	if want := (2*livesAtOnce - 20) * 300; len(sink.rows) != want {
		t.Errorf("%d rows, want %d", len(sink.rows), want)
	}
}

func TestAnExperimentThatIsDeletedMeanwhile(t *testing.T) {
	s := counting(t, redistest.Start(t), 1<<20)
	sink := newMemory(t)
	c := newConsumer(t, s, sink)
	visit(t, s, "a", 0, 10)
	visit(t, s, "b", 0, 10)
	drain(t, c)
	if err := s.Delete(t.Context(), "n", "a"); err != nil {
		t.Fatal(err)
	}
	visit(t, s, "a", 0, 4) // the next life
	visit(t, s, "b", 10, 20)
	drain(t, c)
	expect(t, c, "n:a participate:blue  counted 4, rows 4, waiting 0", "n:b participate:blue  counted 20, rows 20, waiting 0")
}

// Entries of a clock that was ahead, which all that come later have too until it is caught up with
// (XADD: an id is never below the last one), may have been committed like any others.
func TestAClockThatWasAhead(t *testing.T) {
	server := redistest.Start(t)
	s, sink := counting(t, server, 1<<20), newMemory(t)
	visit(t, s, "a", 0, 10)
	drain(t, newConsumer(t, s, sink))
	lives, err := s.Lives(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	client := redis.NewClient(&redis.Options{Network: "unix", Addr: strings.TrimPrefix(server.URL(), "unix://")})
	defer client.Close()
	stream := "gimel:{n:a}:" + lives[0].ID + ":events"
	ahead := fmt.Sprintf("%d-0", time.Now().Add(24*time.Hour).UnixMilli())
	if err := client.XAdd(t.Context(), &redis.XAddArgs{Stream: stream, ID: ahead, Values: []string{"c", "participate:blue", "f", "12345678"}}).Err(); err != nil {
		t.Fatal(err)
	}
	visit(t, s, "a", 10, 20)
	sink.fails = func() (before, after bool) { return false, true }
	if _, err := newConsumer(t, s, sink).cycle(t.Context()); err == nil || len(sink.rows) != 21 {
		t.Fatalf("%v, %d rows", err, len(sink.rows))
	}
	sink.fails = nil
	drain(t, newConsumer(t, s, sink))
	if len(sink.rows) != 21 || sink.repeated > 0 {
		t.Errorf("%d rows, %d of them came again as new ones", len(sink.rows), sink.repeated)
	}
}

func metricsOf(c *Consumer) string {
	answer := httptest.NewRecorder()
	c.Handler("1").ServeHTTP(answer, httptest.NewRequest("GET", "/metrics", nil))
	return answer.Body.String()
}

func TestMetricsTellWhatWaits(t *testing.T) {
	server := redistest.Start(t)
	s := counting(t, server, 1<<20)
	c := newConsumer(t, s, newMemory(t))
	ask := func() string { return metricsOf(c) }
	has := func(lines ...string) {
		t.Helper()
		text := ask()
		for _, line := range lines {
			if !strings.Contains(text, line+"\n") {
				t.Errorf("%q is missing in\n%s", line, text)
			}
		}
	}
	visit(t, s, "a", 0, 256)
	visit(t, s, "a", 256, 300)
	has("gimel_eventlog_rows_total 0", "gimel_eventlog_waiting_entries 2", "gimel_eventlog_missed_events 0")
	time.Sleep(20 * time.Millisecond)
	if text := ask(); strings.Contains(text, "gimel_eventlog_lag_seconds 0\n") {
		t.Errorf("no lag:\n%s", text)
	}
	drain(t, c)
	visit(t, counting(t, server, 1), "a", 300, 307)
	has("gimel_eventlog_rows_total 300", "gimel_eventlog_batches_total 1", "gimel_eventlog_waiting_entries 0",
		"gimel_eventlog_lag_seconds 0", "gimel_eventlog_missed_events 7", "gimel_eventlog_redis_up 1")
	// They get rows without a time, and then an alert ends.
	if err := c.fill(t.Context()); err != nil {
		t.Fatal(err)
	}
	has("gimel_eventlog_missed_events 0", "gimel_eventlog_filled_total 7")
	server.Kill()
	has("gimel_eventlog_redis_up 0")
}
