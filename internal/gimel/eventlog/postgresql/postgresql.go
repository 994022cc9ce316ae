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
	counters map[counter]numbered
	months   map[time.Time]bool
}

// countersKnown bounds what is remembered of a database.
const countersKnown = 10_000

type counter struct {
	namespace, experiment, life string
	name                        store.CounterName
}

// numbered is what the database has of a counter.
type numbered struct {
	id     int32
	digest string
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
	connection, err := s.open(ctx)
	if err != nil {
		return err
	}
	s.connection, s.counters, s.months = connection, map[counter]numbered{}, map[time.Time]bool{}
	_, err = connection.Exec(ctx, `create temporary table batch (counter integer, fingerprint bigint, month date, at timestamptz, value double precision)
		on commit delete rows`)
	return err
}

// open connects to a database that has the tables.
func (s *Sink) open(ctx context.Context) (*pgx.Conn, error) {
	connection, err := pgx.ConnectConfig(ctx, s.config)
	if err != nil {
		return nil, err
	}
	if err := pgx.BeginFunc(ctx, connection, func(tx pgx.Tx) error { return makeTables(ctx, tx) }); err != nil {
		_ = connection.Close(ctx) // there is another error already
		return nil, err
	}
	return connection, nil
}

// lastMade is what the schema makes at its end: where that is there, all is.
const lastMade = "select exists (select from pg_trigger where tgname = 'rows_removed' and tgrelid = to_regclass('gimel.counted'))"

// makeTables makes what there is not. Who may not finds it made, by somebody who may.
func makeTables(ctx context.Context, tx pgx.Tx) error {
	if _, err := tx.Exec(ctx, "select pg_advisory_xact_lock($1)", schemaLock); err != nil {
		return err
	}
	var there bool
	if err := tx.QueryRow(ctx, lastMade).Scan(&there); err != nil || there {
		return err
	}
	_, err := tx.Exec(ctx, schema)
	return err
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
		used := map[numbered]bool{}
		for _, part := range batch.Parts {
			month := monthOf(part.Life)
			if err := s.partition(ctx, tx, month); err != nil {
				return err
			}
			for _, row := range part.Rows {
				known, err := s.counter(ctx, tx, part.Life, row.CounterName)
				if err != nil {
					return err
				}
				used[known] = true
				rows = append(rows, []any{known.id, row.Fingerprint, month, when(row.At), row.Value})
			}
		}
		if err := stillThere(ctx, tx, used); err != nil {
			return err
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

// errRestored is for a database that was brought back to an older moment.
var errRestored = errors.New("counters have other numbers than before: what was known of the database is forgotten")

// stillThere sees that counters have the numbers that are known: in a database that
// was restored meanwhile they are nobody's, or another's.
func stillThere(ctx context.Context, tx pgx.Tx, used map[numbered]bool) error {
	var ids []int32
	var digests []string
	for known := range used {
		ids, digests = append(ids, known.id), append(digests, known.digest)
	}
	var there int
	err := tx.QueryRow(ctx, "select count(*) from gimel.counter where (id, digest) in (select * from unnest($1::integer[], $2::text[]))", ids, digests).Scan(&there)
	if err == nil && there != len(used) {
		return errRestored
	}
	return err
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

// digestOf stands for a counter's names, of which none has a colon in it.
func digestOf(life store.Life, name store.CounterName) string {
	names := []string{life.Namespace, life.Experiment, life.ID, name.Event, name.Variant}
	return fmt.Sprintf("%x", sha256.Sum256([]byte(strings.Join(names, ":"))))
}

// counter finds a counter, or makes it.
func (s *Sink) counter(ctx context.Context, tx pgx.Tx, life store.Life, name store.CounterName) (numbered, error) {
	key := counter{life.Namespace, life.Experiment, life.ID, name}
	if found, known := s.counters[key]; known {
		return found, nil
	}
	if len(s.counters) >= countersKnown { // most of them of experiments that are gone
		clear(s.counters)
	}
	made := numbered{digest: digestOf(life, name)}
	_, err := tx.Exec(ctx, `insert into gimel.counter (namespace, experiment, life, event, variant, began, month, digest)
		values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing`,
		life.Namespace, life.Experiment, life.ID, name.Event, name.Variant, life.Began, monthOf(life), made.digest)
	if err != nil {
		return numbered{}, err
	}
	if err = tx.QueryRow(ctx, "select id from gimel.counter where digest = $1", made.digest).Scan(&made.id); err != nil {
		return numbered{}, err
	}
	s.counters[key] = made
	return made, nil
}
