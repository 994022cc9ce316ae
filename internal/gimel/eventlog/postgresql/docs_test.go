package postgresql

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"provision/internal/gimel/eventlog"
	"provision/internal/gimel/eventlog/sinktest"
	"provision/internal/gimel/postgrestest"
	"provision/internal/gimel/store"
)

// documented are the queries of docs/eventlog.md, in order.
func documented(t *testing.T) (queries []string) {
	t.Helper()
	text, err := os.ReadFile("../../../../docs/eventlog.md")
	if err != nil {
		t.Fatal(err)
	}
	for i, part := range strings.Split(string(text), "```") {
		if query, isSQL := strings.CutPrefix(part, "sql\n"); isSQL && i%2 == 1 {
			queries = append(queries, query)
		}
	}
	return queries
}

// Each query of the documentation, over two experiments whose answers are known.
func TestDocumentedQueries(t *testing.T) {
	server := postgrestest.Start(t)
	sink := open(t, server)
	at := time.Date(2026, 11, 29, 8, 30, 0, 0, time.UTC)
	var batch eventlog.Batch
	part := func(experiment, life string, rows ...eventlog.Row) {
		batch.Parts = append(batch.Parts, eventlog.Part{Life: sinktest.NewLife(experiment, life), Rows: rows})
	}
	row := func(event, variant string, fingerprint int64, hours int) eventlog.Row {
		return eventlog.Row{CounterName: store.CounterName{Event: event, Variant: variant}, Fingerprint: fingerprint, At: at.Add(time.Duration(hours) * time.Hour)}
	}
	untimed := row("participate", "blue", 9, 0)
	untimed.At = time.Time{}
	part("button color", "0a", row("participate", "blue", 1, 0), row("participate", "blue", 2, 0), row("participate", "blue", 3, 24),
		row("participate", "red", 4, 1), row("buy", "blue", 1, 2), row("buy", "red", 4, 3), row("look", "blue", 2, 1), untimed)
	part("title", "0b", row("participate", "long", 5, 1), row("participate", "short", 6, 30))
	if err := sink.Commit(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"button color|blue|participate|4|100.0\nbutton color|blue|buy|1|25.0\nbutton color|blue|look|1|25.0\n" +
			"button color|red|participate|1|100.0\nbutton color|red|buy|1|100.0\n",
		"2026-11-29|blue|2\n2026-11-29|red|1\n2026-11-30|blue|1\n",
		"8|3|1\n9|1|1\n",
		"button color|title|2026-11-29 09:30:00+00|2026-11-30 08:30:00+00|2|1\n",
		"button color|buy|blue|1|0\nbutton color|buy|red|1|0\nbutton color|look|blue|1|0\nbutton color|participate|blue|4|1\n" +
			"button color|participate|red|1|0\ntitle|participate|long|1|0\ntitle|participate|short|1|0\n",
	}
	queries := documented(t)
	if len(queries) != len(want) {
		t.Fatalf("%d queries, want %d", len(queries), len(want))
	}
	connection := server.Connect()
	if _, err := connection.Exec(t.Context(), "set timezone to 'UTC'"); err != nil {
		t.Fatal(err)
	}
	for i, query := range queries {
		results, err := connection.PgConn().Exec(t.Context(), query).ReadAll() // as text, as psql shows it
		if err != nil {
			t.Errorf("%v:\n%s", err, query)
			continue
		}
		var got strings.Builder
		for _, fields := range results[0].Rows {
			var words []string
			for _, field := range fields {
				words = append(words, string(field))
			}
			fmt.Fprintln(&got, strings.Join(words, "|"))
		}
		if got.String() != want[i] {
			t.Errorf("%s\nanswers:\n%swant:\n%s", query, got.String(), want[i])
		}
	}
}
