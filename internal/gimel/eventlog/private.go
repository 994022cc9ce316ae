package eventlog

import (
	"context"
	"encoding/json"
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
	Text       string `json:"text"`
}

// Handler answers operators: /metrics, /readyz, GET /recount, and DELETE /rows
// of an experiment. It asks for no key: whoever reaches it may do so.
func (c *Consumer) Handler(version string) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", c.metrics(version))
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
