package postgresql

import (
	"context"
	_ "embed" // the first version's schema
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"provision/internal/gimel/eventlog"
	"provision/internal/gimel/eventlog/sinktest"
	"provision/internal/gimel/postgrestest"
)

//go:embed testdata/first.sql
var firstSchema string

func execute(t *testing.T, connection *pgx.Conn, statement string, arguments ...any) {
	t.Helper()
	if _, err := connection.Exec(t.Context(), statement, arguments...); err != nil {
		t.Fatal(err)
	}
}

func mustCommit(t *testing.T, sink *Sink, from, to int) {
	t.Helper()
	batch := eventlog.Batch{Parts: []eventlog.Part{{Life: sinktest.NewLife("e", "01"), Rows: sinktest.Rows(from, to)}}}
	if err := sink.Commit(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
}

func counts(t *testing.T, sink *Sink, want string) {
	t.Helper()
	found, err := sink.Count(t.Context(), sinktest.NewLife("e", "01"))
	if got := fmt.Sprint(found); err != nil || got != want {
		t.Errorf("there is %s, %v; want %s", got, err, want)
	}
}

// To count a life no row is read: here nobody may.
func TestCountReadsNoRows(t *testing.T) {
	server := postgrestest.Start(t)
	sink := open(t, server)
	mustCommit(t, sink, 0, 100)
	other := server.Connect()
	execute(t, other, "begin")
	execute(t, other, "lock table gimel.counted in access exclusive mode")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	found, err := sink.Count(ctx, sinktest.NewLife("e", "01"))
	if got := fmt.Sprint(found); err != nil || got != "map[{participate blue}:{100 0}]" {
		t.Errorf("there is %s, %v", got, err)
	}
}

// Who takes rows away by hand is counted too; but not who drops a partition, or takes rows out of
// one: that is found by counting one by one.
func TestRowsThatGoByHand(t *testing.T) {
	server := postgrestest.Start(t)
	sink, person := open(t, server), server.Connect()
	mustCommit(t, sink, 0, 100)
	execute(t, person, "delete from gimel.counted where fingerprint < (10::bigint << 32)")
	counts(t, sink, "map[{participate blue}:{90 0}]")
	execute(t, person, "delete from gimel.counted_2026_11 where fingerprint < (20::bigint << 32)")
	counts(t, sink, "map[{participate blue}:{90 0}]")
	if err := sink.Check(t.Context(), sinktest.NewLife("e", "01")); err != nil {
		t.Fatal(err)
	}
	counts(t, sink, "map[{participate blue}:{80 0}]")
	execute(t, person, "drop table gimel.counted_2026_11")
	if err := sink.Check(t.Context(), sinktest.NewLife("e", "01")); err != nil {
		t.Fatal(err)
	}
	counts(t, sink, "map[]")
}

// A database of the first version: its rows are counted once, beside new ones, and by one process
// of several; until then nobody says how many there are.
func TestADatabaseOfTheFirstVersion(t *testing.T) {
	server := postgrestest.Start(t)
	before := server.Connect()
	execute(t, before, firstSchema)
	life := sinktest.NewLife("e", "01")
	// What the first version's Commit does.
	execute(t, before, "create table gimel.counted_2026_11 partition of gimel.counted for values from ('2026-11-01') to ('2026-12-01')")
	old := open(t, server)
	execute(t, before, `insert into gimel.counter (namespace, experiment, life, event, variant, began, month, digest)
		values ('alephbet', 'e', '01', 'participate', 'blue', $1, $2, $3)`, life.Began, monthOf(life), digestOf(life, sinktest.Rows(0, 1)[0].CounterName))
	execute(t, before, `insert into gimel.counted (counter, fingerprint, month, at)
		select id, (i::bigint << 32) + 7, month, case when i % 10 > 0 then now() end from gimel.counter, generate_series(0, 999) as i`)

	if _, err := old.Count(t.Context(), life); !errors.Is(err, eventlog.ErrToCheck) {
		t.Errorf("before they are counted: %v", err)
	}
	mustCommit(t, old, 990, 1010)
	var all sync.WaitGroup
	for range 3 {
		sink := open(t, server)
		all.Go(func() {
			if err := sink.Check(t.Context(), life); err != nil {
				t.Error(err)
			}
		})
	}
	for from := 1010; from < 1100; from += 10 {
		mustCommit(t, old, from-5, from+10)
	}
	all.Wait()
	counts(t, old, "map[{participate blue}:{1100 100}]")
	counts(t, open(t, server), "map[{participate blue}:{1100 100}]")
	execute(t, before, schema) // all of it may be run again
	counts(t, old, "map[{participate blue}:{1100 100}]")

	// A process of the first version beside it.
	execute(t, before, `insert into gimel.counted (counter, fingerprint, month, at)
		select id, (i::bigint << 32) + 7, month, now() from gimel.counter, generate_series(1090, 1199) as i on conflict do nothing`)
	counts(t, old, "map[{participate blue}:{1200 100}]")
}
