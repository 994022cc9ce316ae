// Package postgresql keeps events in PostgreSQL.
package postgresql

import (
	"context"
	"crypto/sha256"
	_ "embed" // the schema
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"provision/internal/gimel/eventlog"
	"provision/internal/gimel/store"
)

//go:embed schema.sql
var schema string

// Settings say where PostgreSQL is.
type Settings struct {
	// URL as libpq reads it: postgresql:///gimel, or words such as
	// "host=/run/postgresql dbname=gimel". A password in it is refused.
	URL      string
	Password string
}

// ErrPasswordInURL is returned for a URL with a password: URLs end up in
// process lists and logs.
var ErrPasswordInURL = errors.New("a password belongs in a file, not in the URL")

// As words, as a parameter of a URL, and in front of its host.
var hasPassword = regexp.MustCompile(`(?i)(^|[\s?&])password\s*=|^\w+://[^/@]*:[^/@]*@`)

// Sink keeps events in a database. It connects when it is first used, and again
// after an error.
type Sink struct {
	config     *pgx.ConnConfig
	connection *pgx.Conn
	// What the database is known to have.
	counters map[counter]int32
	months   map[time.Time]bool
}

type counter struct {
	namespace, experiment, life string
	name                        store.CounterName
}

// New makes a sink. It does not connect yet.
func New(settings Settings) (*Sink, error) {
	if hasPassword.MatchString(settings.URL) {
		return nil, fmt.Errorf("postgresql: %w", ErrPasswordInURL)
	}
	config, err := pgx.ParseConfig(settings.URL)
	if err != nil {
		return nil, fmt.Errorf("postgresql: %w", err)
	}
	if settings.Password != "" {
		config.Password = settings.Password
	}
	// Redis forgets what is committed: so a commit is on the disk, whatever the server's habit.
	config.RuntimeParams["synchronous_commit"] = "on"
	config.RuntimeParams["application_name"] = "gimel eventlog"
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = 10 * time.Second
	}
	return &Sink{config: config}, nil
}

// patience bounds one transaction: a database that hangs is asked again.
const patience = time.Minute

// transact runs work in a transaction. After an error it begins anew: what it
// believed of the database may be wrong.
func (s *Sink) transact(ctx context.Context, work func(ctx context.Context, tx pgx.Tx) error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err := s.connect(ctx)
	if err == nil {
		err = pgx.BeginFunc(ctx, s.connection, func(tx pgx.Tx) error { return work(ctx, tx) })
	}
	if err == nil {
		return nil
	}
	_ = s.Close() // there is another error already
	return fmt.Errorf("postgresql: %w", err)
}

// schemaLock keeps two processes from making the tables at once: "if not
// exists" alone fails then (PostgreSQL's unique index of pg_class).
const schemaLock = 0x67696d656c // "gimel"

func (s *Sink) connect(ctx context.Context) error {
	if s.connection != nil {
		return nil
	}
	connection, err := pgx.ConnectConfig(ctx, s.config)
	if err != nil {
		return err
	}
	s.connection, s.counters, s.months = connection, map[counter]int32{}, map[time.Time]bool{}
	return pgx.BeginFunc(ctx, connection, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "select pg_advisory_xact_lock($1)", schemaLock); err != nil {
			return err
		}
		// Who may not make them finds them made, by somebody who may.
		var there bool
		if err := tx.QueryRow(ctx, "select to_regclass('gimel.daily') is not null").Scan(&there); err != nil {
			return err
		}
		if !there {
			if _, err := tx.Exec(ctx, schema); err != nil {
				return err
			}
		}
		_, err := tx.Exec(ctx, `create temporary table batch (counter integer, fingerprint bigint, month date, at timestamptz, value double precision)
			on commit delete rows`)
		return err
	})
}

// Close ends the connection.
func (s *Sink) Close() error {
	if s.connection == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	err := s.connection.Close(ctx)
	s.connection = nil
	return err
}

// Commit implements eventlog.Sink.
func (s *Sink) Commit(ctx context.Context, batch eventlog.Batch) error {
	return s.transact(ctx, func(ctx context.Context, tx pgx.Tx) error {
		var rows [][]any
		for _, part := range batch.Parts {
			month := monthOf(part.Life)
			if err := s.partition(ctx, tx, month); err != nil {
				return err
			}
			for _, row := range part.Rows {
				id, err := s.counter(ctx, tx, part.Life, row.CounterName)
				if err != nil {
					return err
				}
				rows = append(rows, []any{id, row.Fingerprint, month, when(row.At), row.Value})
			}
		}
		columns := []string{"counter", "fingerprint", "month", "at", "value"}
		if _, err := tx.CopyFrom(ctx, pgx.Identifier{"batch"}, columns, pgx.CopyFromRows(rows)); err != nil {
			return err
		}
		// In one order, so that two processes do not wait for each other; the earliest of an event counts.
		_, err := tx.Exec(ctx, `insert into gimel.counted (counter, fingerprint, month, at, value)
			select counter, fingerprint, month, at, value from batch order by counter, fingerprint, at on conflict do nothing`)
		return err
	})
}

// when is a time, or null.
func when(at time.Time) *time.Time {
	if at.IsZero() {
		return nil
	}
	return &at
}

// monthOf is the month of a life's partition.
func monthOf(life store.Life) time.Time {
	began := life.Began.UTC()
	return time.Date(began.Year(), began.Month(), 1, 0, 0, 0, 0, time.UTC)
}

// partition makes a month's partition where there is none.
func (s *Sink) partition(ctx context.Context, tx pgx.Tx, month time.Time) error {
	if s.months[month] {
		return nil
	}
	if _, err := tx.Exec(ctx, "select pg_advisory_xact_lock($1)", schemaLock); err != nil {
		return err
	}
	name := pgx.Identifier{"gimel", "counted_" + month.Format("2006_01")}.Sanitize()
	statement := fmt.Sprintf("create table if not exists %s partition of gimel.counted for values from ('%s') to ('%s')",
		name, month.Format(time.DateOnly), month.AddDate(0, 1, 0).Format(time.DateOnly))
	if _, err := tx.Exec(ctx, statement); err != nil {
		return err
	}
	s.months[month] = true
	return nil
}

// counter finds a counter's number, or makes the counter.
func (s *Sink) counter(ctx context.Context, tx pgx.Tx, life store.Life, name store.CounterName) (int32, error) {
	key := counter{life.Namespace, life.Experiment, life.ID, name}
	if id, known := s.counters[key]; known {
		return id, nil
	}
	// No name has a colon in it.
	names := []string{life.Namespace, life.Experiment, life.ID, name.Event, name.Variant}
	digest := fmt.Sprintf("%x", sha256.Sum256([]byte(strings.Join(names, ":"))))
	_, err := tx.Exec(ctx, `insert into gimel.counter (namespace, experiment, life, event, variant, began, month, digest)
		values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing`,
		life.Namespace, life.Experiment, life.ID, name.Event, name.Variant, life.Began, monthOf(life), digest)
	if err != nil {
		return 0, err
	}
	var id int32
	if err = tx.QueryRow(ctx, "select id from gimel.counter where digest = $1", digest).Scan(&id); err != nil {
		return 0, err
	}
	s.counters[key] = id
	return id, nil
}

// Count implements eventlog.Sink.
func (s *Sink) Count(ctx context.Context, life store.Life) (map[store.CounterName]eventlog.Kept, error) {
	all := map[store.CounterName]eventlog.Kept{}
	err := s.transact(ctx, func(ctx context.Context, tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `select event, variant, count(*), count(*) - count(at)
			from gimel.counted join gimel.counter on counter.id = counted.counter
			where namespace = $1 and experiment = $2 and life = $3 and counted.month = $4 group by event, variant`,
			life.Namespace, life.Experiment, life.ID, monthOf(life))
		if err != nil {
			return err
		}
		var name store.CounterName
		var kept eventlog.Kept
		_, err = pgx.ForEachRow(rows, []any{&name.Event, &name.Variant, &kept.Rows, &kept.Untimed}, func() error {
			all[name] = kept
			return nil
		})
		return err
	})
	return all, err
}

// Remove implements eventlog.Sink.
func (s *Sink) Remove(ctx context.Context, namespace, experiment string) error {
	err := s.transact(ctx, func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `delete from gimel.counted using gimel.counter
			where counter.id = counted.counter and namespace = $1 and experiment = $2`, namespace, experiment)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, "delete from gimel.counter where namespace = $1 and experiment = $2", namespace, experiment)
		return err
	})
	s.counters = map[counter]int32{} // their numbers are no one's
	return err
}
