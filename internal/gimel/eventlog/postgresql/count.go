package postgresql

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"provision/internal/gimel/eventlog"
	"provision/internal/gimel/store"
)

// Count implements eventlog.Sink, by what the triggers have counted.
func (s *Sink) Count(ctx context.Context, life store.Life) (map[store.CounterName]eventlog.Kept, error) {
	all := map[store.CounterName]eventlog.Kept{}
	err := s.transact(ctx, func(ctx context.Context, tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `select event, variant, rows, untimed, checked is not null
			from gimel.counter where namespace = $1 and experiment = $2 and life = $3 and (rows <> 0 or checked is null)`,
			life.Namespace, life.Experiment, life.ID)
		if err != nil {
			return err
		}
		var name store.CounterName
		var kept eventlog.Kept
		var checked bool
		_, err = pgx.ForEachRow(rows, []any{&name.Event, &name.Variant, &kept.Rows, &kept.Untimed, &checked}, func() error {
			if !checked {
				return eventlog.ErrToCheck
			}
			all[name] = kept
			return nil
		})
		return err
	})
	return all, err
}

// Fingerprints implements eventlog.Sink.
func (s *Sink) Fingerprints(ctx context.Context, life store.Life, name store.CounterName, see func(int64)) error {
	return s.transact(ctx, func(ctx context.Context, tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `select fingerprint from gimel.counted
			where counter = (select id from gimel.counter where digest = $1) and month = $2`, digestOf(life, name), monthOf(life))
		if err != nil {
			return err
		}
		var fingerprint int64
		_, err = pgx.ForEachRow(rows, []any{&fingerprint}, func() error { see(fingerprint); return nil })
		return err
	})
}

// found is what a counter says of its rows, and what there is.
type found struct {
	id      int32
	said    eventlog.Kept
	is      eventlog.Kept
	checked *time.Time
}

// Check implements eventlog.Sink. It has a connection of its own, and locks
// nothing while it counts: one statement sees what a counter says and its rows
// as of one moment, so the difference is that of any moment.
func (s *Sink) Check(ctx context.Context, life store.Life) error {
	connection, err := s.open(ctx)
	if err != nil {
		return fmt.Errorf("postgresql: %w", err)
	}
	defer func() { _ = connection.Close(context.WithoutCancel(ctx)) }() // nothing was begun on it
	rows, err := connection.Query(ctx, `select id, rows, counter.untimed, checked, count(fingerprint), count(fingerprint) - count(at)
		from gimel.counter left join gimel.counted on counted.counter = counter.id and counted.month = $4
		where namespace = $1 and experiment = $2 and life = $3 group by id`,
		life.Namespace, life.Experiment, life.ID, monthOf(life))
	if err != nil {
		return fmt.Errorf("postgresql: %w", err)
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (f found, err error) {
		err = row.Scan(&f.id, &f.said.Rows, &f.said.Untimed, &f.checked, &f.is.Rows, &f.is.Untimed)
		return f, err
	})
	for _, f := range all {
		// Of two who check at once one is enough.
		if _, err = connection.Exec(ctx, `update gimel.counter set rows = rows + $1, untimed = untimed + $2, checked = clock_timestamp()
			where id = $3 and checked is not distinct from $4`,
			f.is.Rows-f.said.Rows, f.is.Untimed-f.said.Untimed, f.id, f.checked); err != nil {
			break
		}
	}
	if err != nil {
		return fmt.Errorf("postgresql: %w", err)
	}
	return nil
}

// Remove implements eventlog.Sink.
func (s *Sink) Remove(ctx context.Context, namespace, experiment, life string) error {
	err := s.transact(ctx, func(ctx context.Context, tx pgx.Tx) error {
		const which = " namespace = $1 and experiment = $2 and (life = $3 or $3 = '')"
		_, err := tx.Exec(ctx, "delete from gimel.counted using gimel.counter where counter.id = counted.counter and counted.month = counter.month and"+which,
			namespace, experiment, life)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, "delete from gimel.counter where"+which, namespace, experiment, life)
		return err
	})
	clear(s.counters) // their numbers are no one's
	return err
}
