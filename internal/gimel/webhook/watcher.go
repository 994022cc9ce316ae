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
	Telling(ctx context.Context) (bool, error)
	SetTelling(ctx context.Context, on bool) error
}

// Reader is where experiments are read.
type Reader interface {
	Namespaces(ctx context.Context) ([]string, error)
	Experiments(ctx context.Context, namespace string) ([]results.Detail, error)
}

// Watcher looks at all experiments from time to time and tells the target what
// is new. Of all processes on one Redis one looks at a time. What was told is
// noted after the target's 2xx: so each message comes at least once, and again,
// with the id that it had, when a process ends between the two. The first look
// after a time in which nobody was told tells nothing: what there is then is no
// news.
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
		if err := w.look(ctx, time.Now()); err != nil && ctx.Err() == nil {
			w.Log.Warn("webhook: what is not told is told at the next look", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
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
	telling, err := w.Store.Telling(ctx)
	if err != nil {
		return err
	}
	if !telling {
		if err := w.each(ctx, func(d results.Detail) error { return w.begin(ctx, d, now) }); err != nil {
			return err
		}
		w.Log.Info("webhook: what is decided from now on is told")
		return w.Store.SetTelling(ctx, true)
	}
	var problems []error
	err = w.each(ctx, func(d results.Detail) error {
		err := w.tell(ctx, d, now)
		if _, answered := errors.AsType[refused](err); answered { // one message; else nobody is there
			problems = append(problems, err)
			return nil
		}
		return err
	})
	return errors.Join(append(problems, err)...)
}

// each visits all experiments, until there is an error.
func (w Watcher) each(ctx context.Context, visit func(results.Detail) error) error {
	namespaces, err := w.Reader.Namespaces(ctx)
	if err != nil {
		return err
	}
	for _, namespace := range namespaces {
		details, err := w.Reader.Experiments(ctx, namespace)
		if err != nil {
			return err
		}
		for _, detail := range details {
			if err := visit(detail); err != nil {
				return err
			}
		}
	}
	return nil
}

// begin notes what there is to tell as told.
func (w Watcher) begin(ctx context.Context, d results.Detail, now time.Time) error {
	for _, message := range messages(d, now) {
		if err := w.Store.Tell(ctx, d.Namespace, d.Name, d.Life, message.what); err != nil {
			return err
		}
	}
	return nil
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
