package bigquery

import (
	"os"
	"strings"
	"testing"
	"time"

	"provision/internal/gimel/bigquerytest"
	"provision/internal/gimel/eventlog"
	"provision/internal/gimel/eventlog/sinktest"
	"provision/internal/gimel/store"
)

// documented runs the queries of docs/eventlog.md for BigQuery over an experiment whose answers are known.
func documented(t *testing.T, server *bigquerytest.Server) {
	at := time.Date(2026, 11, 29, 8, 30, 0, 0, time.UTC)
	row := func(event, variant string, fingerprint int64, hours int) eventlog.Row {
		return eventlog.Row{CounterName: store.CounterName{Event: event, Variant: variant}, Fingerprint: fingerprint, At: at.Add(time.Duration(hours) * time.Hour)}
	}
	untimed := row("participate", "blue", 9, 0)
	untimed.At = time.Time{}
	rows := []eventlog.Row{row("participate", "blue", 1, 0), row("participate", "blue", 2, 0), row("participate", "blue", 3, 24),
		row("participate", "red", 4, 1), row("buy", "blue", 1, 2), row("buy", "red", 4, 3), untimed}
	life := sinktest.NewLife("button color", "0a")
	for _, again := range []bool{false, true} { // there twice: another batch with the same
		part := eventlog.Part{Life: life, Rows: rows[:len(rows):len(rows)]}
		if again {
			part.Rows = part.Rows[1:]
		}
		if err := open(t, server).Commit(t.Context(), eventlog.Batch{Parts: []eventlog.Part{part}, Again: again}); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{
		"button color|blue|participate|4|100.0\nbutton color|blue|buy|1|25.0\nbutton color|red|participate|1|100.0\nbutton color|red|buy|1|100.0\n",
		"2026-11-29|blue|2\n2026-11-29|red|1\n2026-11-30|blue|1\n",
		"8|3|1\n9|1|1\n",
		"button color|buy|blue|1|0\nbutton color|buy|red|1|0\nbutton color|participate|blue|4|1\nbutton color|participate|red|1|0\n",
	}
	text, err := os.ReadFile("../../../../docs/eventlog.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "## BigQuery")
	parts := strings.Split(section, "```googlesql\n")[1:]
	if len(parts) != len(want) {
		t.Fatalf("%d queries, want %d", len(parts), len(want))
	}
	for i, part := range parts {
		query, _, _ := strings.Cut(part, "```")
		if got := server.Ask(query); got != want[i] {
			t.Errorf("%s\nanswers:\n%swant:\n%s", query, got, want[i])
		}
	}
}
