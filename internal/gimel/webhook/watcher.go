package webhook

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"provision/internal/gimel/results"
)

// Store is what a watcher asks of the counters.
type Store interface {
	Lock(ctx context.Context, name string, lasts time.Duration) (unlock func(), taken bool, err error)
	Told(ctx context.Context, namespace, name, life string) (map[string]bool, error)
	Tell(ctx context.Context, namespace, name, life, what string) error
}

// Reader is where experiments are read.
type Reader interface {
	Namespaces(ctx context.Context) ([]string, error)
	Experiments(ctx context.Context, namespace string) ([]results.Detail, error)
}

// Watcher looks at all experiments from time to time and tells the target what
// is new. Of all processes on one Redis one looks at a time. What was told is
// noted after the target's 2xx: so each message comes at least once, and again,
// with the id that it had, when a process ends between the two.
type Watcher struct {
	Store    Store
	Reader   Reader
	Target   *Target
	Interval time.Duration
	Log      *slog.Logger
}

// longestLook ends before its lock does.
const (
	longestLook = 90 * time.Second
	lockLasts   = 2 * time.Minute
)

// Run looks until the context ends.
func (w Watcher) Run(ctx context.Context) {
	tick := time.NewTicker(w.Interval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := w.look(ctx, time.Now()); err != nil && ctx.Err() == nil {
				w.Log.Warn("webhook: what is not told is told at the next look", "error", err)
			}
		}
	}
}

// look tells what is new.
func (w Watcher) look(ctx context.Context, now time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, longestLook)
	defer cancel()
	unlock, taken, err := w.Store.Lock(ctx, "webhook", lockLasts)
	if err != nil || !taken {
		return err
	}
	defer unlock()
	namespaces, err := w.Reader.Namespaces(ctx)
	if err != nil {
		return err
	}
	var problems []error
	for _, namespace := range namespaces {
		details, err := w.Reader.Experiments(ctx, namespace)
		if err != nil {
			return err
		}
		for _, detail := range details {
			err := w.tell(ctx, detail, now)
			if _, answered := errors.AsType[refused](err); err != nil && !answered {
				return errors.Join(append(problems, err)...) // nobody is there: neither for the others
			}
			if err != nil {
				problems = append(problems, err)
			}
		}
	}
	return errors.Join(problems...)
}

func (w Watcher) tell(ctx context.Context, d results.Detail, now time.Time) error {
	all := messages(d, now)
	if len(all) == 0 {
		return nil
	}
	told, err := w.Store.Told(ctx, d.Namespace, d.Name, d.Life)
	if err != nil {
		return err
	}
	var problems []error
	for _, message := range all {
		if told[message.what] {
			continue
		}
		if err := w.Target.post(ctx, message, now); err != nil {
			problems = append(problems, err)
			if _, answered := errors.AsType[refused](err); !answered {
				return err
			}
			continue
		}
		if err := w.Store.Tell(ctx, d.Namespace, d.Name, d.Life, message.what); err != nil {
			return err
		}
	}
	return errors.Join(problems...)
}
