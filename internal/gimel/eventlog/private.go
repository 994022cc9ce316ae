package eventlog

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

// Counted is a Balance as the private listener tells it.
type Counted struct {
	Namespace  string `json:"namespace"`
	Experiment string `json:"experiment"`
	Event      string `json:"event"`
	Variant    string `json:"variant"`
	Counted    int64  `json:"counted"`
	Rows       int64  `json:"rows"`
	Untimed    int64  `json:"untimed"`
	Waiting    int64  `json:"waiting"`
	Missing    int64  `json:"missing"`
	Text       string `json:"text"`
}

// Handler answers operators: /metrics, /readyz, GET /recount, and DELETE /rows
// of an experiment. It asks for no key: whoever reaches it may do so.
func (c *Consumer) Handler(version string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
		defer cancel()
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		c.writeMetrics(ctx, w, version)
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if !c.figures.working.Load() {
			http.Error(w, "events stay in the log", http.StatusServiceUnavailable)
		}
	})
	mux.HandleFunc("GET /recount", func(w http.ResponseWriter, r *http.Request) {
		balances, err := c.Recount(r.Context())
		if err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		answer := []Counted{}
		query := r.URL.Query()
		for _, b := range balances {
			if asked(query.Get("namespace"), b.Life.Namespace) && asked(query.Get("experiment"), b.Life.Experiment) {
				answer = append(answer, Counted{Namespace: b.Life.Namespace, Experiment: b.Life.Experiment, Event: b.Event, Variant: b.Variant,
					Counted: b.After, Rows: b.Rows, Untimed: b.Untimed, Waiting: b.Waiting, Missing: b.Missing(), Text: b.String()})
			}
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(answer) // who has left is not told
	})
	mux.HandleFunc("DELETE /rows", func(w http.ResponseWriter, r *http.Request) {
		query := r.URL.Query()
		if err := c.remove(r.Context(), query.Get("namespace"), query.Get("experiment")); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
		}
	})
	return mux
}

func asked(wanted, name string) bool { return wanted == "" || wanted == name }

func (c *Consumer) remove(ctx context.Context, namespace, experiment string) error {
	end, err := c.take(ctx)
	if err != nil {
		return err
	}
	defer end()
	return c.sink.Remove(ctx, namespace, experiment)
}

// writeMetrics writes what this process has done, and what waits in the logs,
// in the text format 0.0.4
// (https://prometheus.io/docs/instrumenting/exposition_formats/).
func (c *Consumer) writeMetrics(ctx context.Context, w io.Writer, version string) {
	family := func(name, kind, help string, value any) {
		fmt.Fprintf(w, "# HELP %s %s\n# TYPE %s %s\n%s %v\n", name, help, name, kind, name, value)
	}
	fmt.Fprintf(w, "# HELP gimel_build_info The running version.\n# TYPE gimel_build_info gauge\ngimel_build_info{version=%q} 1\n", version)
	family("gimel_eventlog_rows_total", "counter", "Events committed to the sink.", c.figures.rows.Load())
	family("gimel_eventlog_batches_total", "counter", "Batches committed to the sink.", c.figures.batches.Load())
	family("gimel_eventlog_filled_total", "counter", "Events that were counted and not logged, and got a row without a time.", c.figures.filled.Load())
	family("gimel_eventlog_failures_total", "counter", "Batches that Redis or the sink refused, to be tried again.", c.figures.failures.Load())
	family("gimel_eventlog_last_commit_timestamp_seconds", "gauge", "When a batch was committed last.", c.figures.lastCommit.Load())
	waiting, err := c.waiting(ctx)
	up := 1
	if err != nil {
		up = 0
	}
	family("gimel_eventlog_redis_up", "gauge", "Whether Redis told what waits.", up)
	if err != nil {
		return
	}
	family("gimel_eventlog_lag_seconds", "gauge", "Age of the oldest event that is not in the sink.", waiting.lag.Seconds())
	family("gimel_eventlog_waiting_entries", "gauge", "Entries in the logs, each of one event or more.", waiting.entries)
	family("gimel_eventlog_waiting_bytes", "gauge", "Memory of Redis that the logs take.", waiting.bytes)
	family("gimel_eventlog_missed_events", "gauge", "Events that were counted and for which the log had no room, of experiments that there are.", waiting.missed)
}

type waiting struct {
	lag                    time.Duration
	entries, bytes, missed int64
}

func (c *Consumer) waiting(ctx context.Context) (sum waiting, err error) {
	lives, err := c.store.Lives(ctx)
	if err != nil {
		return sum, err
	}
	backlogs, err := c.store.Backlogs(ctx, lives)
	if err != nil {
		return sum, err
	}
	for i, backlog := range backlogs {
		sum.entries += backlog.Entries
		sum.bytes += backlog.Bytes
		sum.missed += lives[i].Missed
		if !backlog.Oldest.IsZero() {
			sum.lag = max(sum.lag, time.Since(backlog.Oldest))
		}
	}
	return sum, nil
}
