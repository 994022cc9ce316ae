package postgresql

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"provision/internal/gimel/eventlog"
	"provision/internal/gimel/eventlog/sinktest"
	"provision/internal/gimel/postgrestest"
)

func open(t *testing.T, server *postgrestest.Server) *Sink {
	t.Helper()
	sink, err := New(Settings{URL: server.URL()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sink.Close() })
	return sink
}

func TestSink(t *testing.T) {
	server := postgrestest.Start(t)
	sinktest.Run(t, func(t *testing.T) func() eventlog.Sink {
		if _, err := server.Connect().Exec(t.Context(), "drop schema if exists gimel cascade"); err != nil {
			t.Fatal(err)
		}
		return func() eventlog.Sink { return open(t, server) }
	})
}

// The partition is that of the experiment's first month, so an event that is sent again in another
// month, with another time, is still the one that is there.
func TestAnEventOfAnotherMonthIsTheSame(t *testing.T) {
	sink := open(t, postgrestest.Start(t))
	life := sinktest.NewLife("e", "01")
	rows := sinktest.Rows(0, 10)
	for month := range 3 {
		for i := range rows {
			rows[i].At = sinktest.Began.AddDate(0, month, 0)
		}
		if err := sink.Commit(t.Context(), eventlog.Batch{Parts: []eventlog.Part{{Life: life, Rows: rows}}}); err != nil {
			t.Fatal(err)
		}
	}
	found, err := sink.Count(t.Context(), life)
	if got := fmt.Sprint(found); err != nil || got != "map[{participate blue}:{10 0}]" {
		t.Errorf("there is %s, %v", got, err)
	}
}

// Two processes at once, from an empty database on.
func TestTwoProcesses(t *testing.T) {
	server := postgrestest.Start(t)
	var group sync.WaitGroup
	for range 4 {
		sink := open(t, server)
		group.Go(func() {
			for from := 0; from < 2000; from += 200 {
				batch := eventlog.Batch{Parts: []eventlog.Part{{Life: sinktest.NewLife("e", "01"), Rows: sinktest.Rows(from, from+400)}}}
				if err := sink.Commit(t.Context(), batch); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
	found, err := open(t, server).Count(t.Context(), sinktest.NewLife("e", "01"))
	if got := fmt.Sprint(found); err != nil || got != "map[{participate blue}:{2200 0}]" {
		t.Errorf("there is %s, %v", got, err)
	}
}

// A server that crashes is an error, and the next try connects anew.
func TestAServerThatCrashes(t *testing.T) {
	server := postgrestest.Start(t)
	sink := open(t, server)
	batch := eventlog.Batch{Parts: []eventlog.Part{{Life: sinktest.NewLife("e", "01"), Rows: sinktest.Rows(0, 100)}}}
	if err := sink.Commit(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	server.Kill()
	if err := sink.Commit(t.Context(), batch); err == nil {
		t.Error("committed without a server")
	}
	server.Restart()
	if err := sink.Commit(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	found, err := sink.Count(t.Context(), sinktest.NewLife("e", "01"))
	if got := fmt.Sprint(found); err != nil || got != "map[{participate blue}:{100 0}]" {
		t.Errorf("there is %s, %v", got, err)
	}
}

func TestAPasswordInTheURLIsRefused(t *testing.T) {
	for _, url := range []string{"postgresql://gimel:secret@db/gimel", "host=db password=secret", "postgresql://db/gimel?password=secret", "password = secret host=db"} {
		if _, err := New(Settings{URL: url}); !errors.Is(err, ErrPasswordInURL) {
			t.Errorf("%s: %v", url, err)
		}
	}
	for _, url := range []string{"postgresql:///gimel", "postgresql://gimel@db:5432/gimel", "host=/run/postgresql user=gimel dbname=gimel"} {
		if _, err := New(Settings{URL: url, Password: "secret"}); err != nil {
			t.Errorf("%s: %v", url, err)
		}
	}
}
