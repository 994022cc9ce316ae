package postgresql

import (
	"fmt"
	"log/slog"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"provision/internal/gimel/event"
	"provision/internal/gimel/eventlog"
	"provision/internal/gimel/eventlog/sinktest"
	"provision/internal/gimel/postgrestest"
	"provision/internal/gimel/redistest"
	"provision/internal/gimel/store"
)

// A Redis that was brought back to an older moment: a recount says what is so, and what the
// documentation says to do makes both agree.
func TestAfterARestore(t *testing.T) {
	text, err := os.ReadFile("../../../../docs/eventlog.md")
	if err != nil {
		t.Fatal(err)
	}
	advice := regexp.MustCompile("`(delete from gimel.counted where at between )'…' and '…'`").FindStringSubmatch(string(text))
	if advice == nil || !strings.Contains(string(text), "## After a restore") {
		t.Fatal("the documentation has no advice")
	}
	redis, database := redistest.Start(t, "--appendonly", "yes", "--appendfsync", "always"), postgrestest.Start(t)
	client, err := store.Connect(store.Address{URL: redis.URL(), Timeout: time.Minute, Once: true})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	s := store.New(client, store.Settings{Counting: store.Exact, HashKey: []byte("key"), UndeclaredCap: 10, CounterCap: 10, LogBudget: 1 << 20})
	visit := func(from, to int) {
		t.Helper()
		for i := from; i < to; i++ {
			one := event.Event{Namespace: "n", Experiment: "e", Name: event.Participate, Variant: "blue", UUID: fmt.Sprint(i)}
			if outcome := s.Commit(t.Context(), []event.Event{one})[0]; outcome.Err != nil {
				t.Fatal(outcome.Err)
			}
		}
	}
	consumer := eventlog.New(s, "here", open(t, database), slog.New(slog.DiscardHandler))
	go consumer.Run(t.Context())
	says := func(want string) {
		t.Helper()
		said := ""
		for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
			balances, err := consumer.Recount(t.Context())
			if err == nil && len(balances) == 1 {
				if said = balances[0].String(); strings.Contains(said, want) {
					return
				}
			}
		}
		t.Errorf("recount says %q, want %q", said, want)
	}
	visit(0, 100)
	says("counted 100, rows 100, waiting 0")
	backup := time.Now().Truncate(time.Millisecond) // as the log has its times
	copied := redis.CopyData()
	visit(100, 130)
	says("counted 130, rows 130, waiting 0")
	redis.Kill()
	redis.PutData(copied)
	redis.Restart()
	restored := time.Now()
	says(`counted 100, rows 130, waiting 0; 30 MORE than counted: Redis has forgotten these, as after a restore to an older moment; ` +
		`they are here still, and count again when they come again (docs/eventlog.md, "After a restore")`)
	visit(100, 110)
	says("counted 110, rows 130, waiting 0; 20 MORE")
	full := store.New(client, store.Settings{Counting: store.Exact, HashKey: []byte("key"), UndeclaredCap: 10, CounterCap: 10, LogBudget: 1})
	for i := 200; i < 205; i++ { // beside that, the log has no room
		one := event.Event{Namespace: "n", Experiment: "e", Name: event.Participate, Variant: "blue", UUID: fmt.Sprint(i)}
		if outcome := full.Commit(t.Context(), []event.Event{one})[0]; !outcome.Unlogged {
			t.Fatalf("%+v", outcome)
		}
	}
	says("counted 115, rows 130, waiting 0; MISSING 5: the log had no room for 5 of the experiment")
	says("; 20 MORE")
	execute(t, database.Connect(), fmt.Sprintf("%s'%s' and '%s'", advice[1], backup.UTC().Format(time.RFC3339Nano), restored.UTC().Format(time.RFC3339Nano)))
	says("counted 115, rows 100, waiting 0; MISSING 15") // who came again, too, and gets a row without a time within the hour
	visit(110, 140)
	says("counted 145, rows 130, waiting 0; MISSING 15")
}

// A database that was brought back to an older moment under a connection that goes on: its counters
// have other numbers than are known here, and those of before may be another's by now.
func TestADatabaseThatWasRestoredMeanwhile(t *testing.T) {
	server := postgrestest.Start(t)
	sink, person := open(t, server), server.Connect()
	mustCommit(t, sink, 0, 100)
	execute(t, person, "delete from gimel.counted; delete from gimel.counter; alter table gimel.counter alter column id restart")
	other := open(t, server)
	of := func(experiment string) eventlog.Batch {
		return eventlog.Batch{Parts: []eventlog.Part{{Life: sinktest.NewLife(experiment, "01"), Rows: sinktest.Rows(0, 10)}}}
	}
	both := of("e")
	both.Parts = append(both.Parts, of("other").Parts...) // which gets the number that e had
	if err := sink.Commit(t.Context(), both); err == nil {
		t.Error("what is known of the database is believed")
	}
	if err := other.Commit(t.Context(), of("other")); err != nil {
		t.Fatal(err)
	}
	mustCommit(t, sink, 0, 10)
	execute(t, person, "delete from gimel.counted; delete from gimel.counter; alter table gimel.counter alter column id restart")
	if err := open(t, server).Commit(t.Context(), of("other")); err != nil {
		t.Fatal(err)
	}
	if err := sink.Commit(t.Context(), of("e")); err == nil {
		t.Error("what is known of the database is believed, though it is another's")
	}
	if err := sink.Commit(t.Context(), of("e")); err != nil {
		t.Fatal(err)
	}
	counts(t, sink, "map[{participate blue}:{10 0}]")
	found, err := sink.Count(t.Context(), sinktest.NewLife("other", "01"))
	if got := fmt.Sprint(found); err != nil || got != "map[{participate blue}:{10 0}]" {
		t.Errorf("of the other there is %s, %v", got, err)
	}
}
