package eventlog

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
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
	More       int64  `json:"more"`
	Problem    bool   `json:"problem,omitempty"` // nothing of it can be told
	Text       string `json:"text"`
}

// Handler answers operators: /metrics, /readyz, GET /recount, with rows=each
// by the rows one by one, and DELETE /rows of an experiment. It asks for no key: whoever reaches it may do so.
func (c *Consumer) Handler(version string) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", c.metrics(version))
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if !c.figures.working.Load() {
			http.Error(w, "events stay in the log", http.StatusServiceUnavailable)
		}
	})
	mux.HandleFunc("GET /recount", func(w http.ResponseWriter, r *http.Request) {
		query := r.URL.Query()
		draw := c.Recount
		if query.Get("rows") == "each" {
			draw = c.RecountRows
		}
		balances, err := draw(r.Context())
		if err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		answer := []Counted{}
		for _, b := range balances {
			if asked(query.Get("namespace"), b.Life.Namespace) && asked(query.Get("experiment"), b.Life.Experiment) {
				answer = append(answer, Counted{Namespace: b.Life.Namespace, Experiment: b.Life.Experiment, Event: b.Event, Variant: b.Variant,
					Counted: b.After, Rows: b.Rows, Untimed: b.Untimed, Waiting: b.Waiting, Missing: b.Missing(), More: b.More(), Problem: b.Problem != nil, Text: b.String()})
			}
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(answer) // who has left is not told
	})
	mux.HandleFunc("DELETE /rows", func(w http.ResponseWriter, r *http.Request) {
		query := r.URL.Query()
		switch err := c.remove(r.Context(), query.Get("namespace"), query.Get("experiment")); {
		case errors.Is(err, errCounts):
			http.Error(w, err.Error(), http.StatusConflict)
		case err != nil:
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
		}
	})
	return mux
}

func asked(wanted, name string) bool { return wanted == "" || wanted == name }

// errCounts refuses to take rows away that would come back.
var errCounts = errors.New("gimel counts it, and would give what it has counted rows again, without their times: " +
	"delete it in gimel first, on its page of the dashboard or by DELETE /api/v1/experiment, and then its rows")

func (c *Consumer) remove(ctx context.Context, namespace, experiment string) error {
	end, err := c.take(ctx)
	if err != nil {
		return err
	}
	defer end()
	lives, err := c.store.Lives(ctx)
	if err != nil {
		return err
	}
	for _, life := range lives {
		if life.Namespace == namespace && life.Experiment == experiment {
			return fmt.Errorf("%s of %s: %w", experiment, namespace, errCounts)
		}
	}
	return c.sink.Remove(ctx, namespace, experiment, "")
}
