package bigquery

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"provision/internal/gimel/bigquerytest"
	"provision/internal/gimel/eventlog"
	"provision/internal/gimel/eventlog/sinktest"
)

func open(t *testing.T, server *bigquerytest.Server) *Sink {
	t.Helper()
	sink, err := New(Settings{Dataset: bigquerytest.Project + "." + bigquerytest.Dataset, Credentials: server.Credentials(), Endpoint: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sink.Close() })
	return sink
}

// One server for all, for PostgreSQL takes its time to begin.
func TestBigQuery(t *testing.T) {
	server := bigquerytest.Start(t)
	t.Run("as every sink", func(t *testing.T) {
		sinktest.Run(t, func(t *testing.T) func() eventlog.Sink {
			server.Drop(tableName)
			return func() eventlog.Sink { return open(t, server) }
		})
	})
	for name, test := range map[string]func(*testing.T, *bigquerytest.Server){
		"the same batch is one job":            sameBatchIsOneJob,
		"a batch that is cut otherwise":        cutOtherwise,
		"a job that fails":                     jobFails,
		"answers that are errors":              answersAreErrors,
		"a large batch":                        largeBatch,
		"a table that is taken away":           tableIsTakenAway,
		"queries only when they are asked for": queriesWhenAskedFor,
		"what is refused":                      refuses,
		"the queries of the documentation":     documented,
	} {
		t.Run(name, func(t *testing.T) {
			server.Drop(tableName)
			test(t, server)
		})
	}
}

var life = sinktest.NewLife("button color", "0a")

func batchOf(rows []eventlog.Row, again bool) eventlog.Batch {
	return eventlog.Batch{Parts: []eventlog.Part{{Life: life, Rows: rows}}, Again: again}
}

// inTable is how many rows the table has, whatever the views say.
func inTable(t *testing.T, server *bigquerytest.Server) (rows int) {
	t.Helper()
	server.Scan("select count(*) from gimel.counted", &rows)
	return rows
}

func kept(t *testing.T, sink *Sink) string {
	t.Helper()
	found, err := sink.Count(t.Context(), life)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(found)
}

// A batch that comes again as it was is the job that there is: also where the answer was lost, the
// process replaced, or the job is still under way.
func sameBatchIsOneJob(t *testing.T, server *bigquerytest.Server) {
	batch := batchOf(sinktest.Rows(0, 100), false)
	for name, before := range map[string]func(){
		"an answer that is lost": func() { server.Fail(bigquerytest.Fault{Method: "jobs.insert", After: true}) },
		"an answer that is a 503": func() {
			server.Fail(bigquerytest.Fault{Method: "jobs.insert", Status: 503, Reason: "backendError", After: true})
		},
		"a job that is not awaited": func() {
			server.Fail(bigquerytest.Fault{Method: "jobs.get", Status: 400, Reason: "invalid"})
			server.Slow(2 * time.Second)
		},
	} {
		t.Run(name, func(t *testing.T) {
			server.Drop(tableName)
			server.Slow(0)
			before()
			sink := open(t, server)
			err := sink.Commit(t.Context(), batch)
			again := batch
			again.Again = true
			for range 2 {
				sink = open(t, server)
				if err := sink.Commit(t.Context(), again); err != nil {
					t.Fatal(err)
				}
			}
			if rows := inTable(t, server); rows != 100 {
				t.Errorf("%d rows in the table; the first was told: %v", rows, err)
			}
		})
	}
}

// What is cut otherwise is in the table again, and in the views once, with its time.
func cutOtherwise(t *testing.T, server *bigquerytest.Server) {
	sink := open(t, server)
	untimed := sinktest.Rows(0, 120)
	value := 2.5
	first := sinktest.Rows(0, 100)
	first[0].Value = &value
	for i := range untimed {
		untimed[i].At = time.Time{}
	}
	for _, batch := range []eventlog.Batch{batchOf(first, false), batchOf(first[:60], true), batchOf(first[40:], true), batchOf(untimed, true), batchOf(untimed, true)} {
		if err := sink.Commit(t.Context(), batch); err != nil {
			t.Fatal(err)
		}
	}
	if rows, said := inTable(t, server), kept(t, sink); rows != 460 || said != "map[{participate blue}:{120 20}]" {
		t.Errorf("%d rows in the table, counted as %s", rows, said)
	}
	var events, untimedOnes, days int64
	var sum float64
	server.Scan("select events, untimed, value from gimel.totals", &events, &untimedOnes, &sum)
	server.Scan("select sum(events) from gimel.daily", &days)
	if events != 120 || untimedOnes != 20 || sum != 2.5 || days != 100 {
		t.Errorf("%d events, %d without a time, value %v, by day %d", events, untimedOnes, sum, days)
	}
}

// A job that fails appends nothing, is told, and the batch has another job the next time.
func jobFails(t *testing.T, server *bigquerytest.Server) {
	sink := open(t, server)
	batch := batchOf(sinktest.Rows(0, 100), false)
	for range 3 {
		server.Fail(bigquerytest.Fault{Method: bigquerytest.FailJob, Reason: "quotaExceeded"})
		if err := sink.Commit(t.Context(), batch); err == nil || !strings.Contains(err.Error(), "quotaExceeded") {
			t.Fatalf("a job that fails: %v", err)
		}
		// Nor would it take anything else now; then it is asked again.
		if first, second := sink.Commit(t.Context(), eventlog.Batch{}), sink.Commit(t.Context(), eventlog.Batch{}); first == nil || second != nil {
			t.Errorf("asked whether it was the rows: %v, %v", first, second)
		}
		batch.Again = true
	}
	server.Fail(bigquerytest.Fault{Method: bigquerytest.FailJob, Reason: "invalid"})
	if err := sink.Commit(t.Context(), batch); err == nil {
		t.Error("a job that fails for its rows")
	}
	if err := sink.Commit(t.Context(), eventlog.Batch{}); err != nil {
		t.Errorf("it was the rows: %v", err)
	}
	if err := sink.Commit(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	if rows := inTable(t, server); rows != 100 {
		t.Errorf("%d rows", rows)
	}
}

// What the API may answer to each question, and what becomes of it.
func answersAreErrors(t *testing.T, server *bigquerytest.Server) {
	for name, test := range map[string]struct {
		faults []bigquerytest.Fault
		want   string // "" where the client tries again by itself
	}{
		"too many uploads":        {[]bigquerytest.Fault{{Method: "jobs.insert", Status: 403, Reason: "quotaExceeded"}}, "quotaExceeded"},
		"the rate is exceeded":    {[]bigquerytest.Fault{{Method: "jobs.insert", Status: 403, Reason: "rateLimitExceeded"}}, "rateLimitExceeded"},
		"no right to load":        {[]bigquerytest.Fault{{Method: "jobs.insert", Status: 403, Reason: "accessDenied"}}, "accessDenied"},
		"the dataset, once a 503": {[]bigquerytest.Fault{{Method: "datasets.get", Status: 503, Reason: "backendError"}}, ""},
		"the table, rate":         {[]bigquerytest.Fault{{Method: "tables.get", Status: 403, Reason: "rateLimitExceeded"}}, ""},
		"no right to the dataset": {[]bigquerytest.Fault{{Method: "datasets.get", Status: 403, Reason: "accessDenied"}}, "dataset gimel"},
		"somebody else was faster": {[]bigquerytest.Fault{
			{Method: "tables.insert", Status: 409, Reason: "duplicate", After: true}, {Method: "tables.insert", Status: 409, Reason: "duplicate", After: true}}, ""},
		"the job's state, a 500":   {[]bigquerytest.Fault{{Method: "jobs.get", Status: 500, Reason: "internalError"}}, ""},
		"the job's state, cut off": {[]bigquerytest.Fault{{Method: "jobs.get"}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			server.Drop(tableName)
			server.Fail(test.faults...)
			sink := open(t, server)
			batch := batchOf(sinktest.Rows(0, 10), false)
			err := sink.Commit(t.Context(), batch)
			if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
			batch.Again = true
			if err := sink.Commit(t.Context(), batch); err != nil {
				t.Fatal(err)
			}
			if rows := inTable(t, server); rows != 10 {
				t.Errorf("%d rows", rows)
			}
		})
	}
}

// More than a request takes goes in chunks (16 MiB in Google's client).
func largeBatch(t *testing.T, server *bigquerytest.Server) {
	if testing.Short() {
		t.Skip("some seconds")
	}
	sink := open(t, server)
	rows := sinktest.Rows(0, 5000)
	for i := range rows {
		rows[i].Variant = strings.Repeat("v", 4000)
	}
	if err := sink.Commit(t.Context(), batchOf(rows, false)); err != nil {
		t.Fatal(err)
	}
	if rows := inTable(t, server); rows != 5000 {
		t.Errorf("%d rows", rows)
	}
	if asked := server.Asked("jobs.insert"); asked < 3 {
		t.Errorf("%d requests: it went in one piece", asked)
	}
}

// A table that was taken away is made again, and takes what the old one had taken.
func tableIsTakenAway(t *testing.T, server *bigquerytest.Server) {
	sink := open(t, server)
	batch := batchOf(sinktest.Rows(0, 100), false)
	if err := sink.Commit(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	server.Drop(tableName)
	if err := sink.Commit(t.Context(), batchOf(sinktest.Rows(100, 110), false)); err == nil || !strings.Contains(err.Error(), "Not found: Table") {
		t.Errorf("without its table: %v", err)
	}
	batch.Again = true
	for range 2 {
		if err := sink.Commit(t.Context(), batch); err != nil {
			t.Fatal(err)
		}
	}
	if rows := inTable(t, server); rows != 100 {
		t.Errorf("%d rows", rows)
	}
}

// Counts cost money: one query of a life after the start, one after what came again, and one when a
// recount of the rows is asked for; what is loaded in between is counted as it is.
func queriesWhenAskedFor(t *testing.T, server *bigquerytest.Server) {
	sink := open(t, server)
	asked := server.Asked("jobs.query")
	expect := func(queries int, want string) {
		t.Helper()
		if got := kept(t, sink); got != want || server.Asked("jobs.query")-asked != queries {
			t.Errorf("%s after %d queries, want %s after %d", got, server.Asked("jobs.query")-asked, want, queries)
		}
	}
	commit := func(from, to int, again bool) {
		t.Helper()
		if err := sink.Commit(t.Context(), batchOf(sinktest.Rows(from, to), again)); err != nil {
			t.Fatal(err)
		}
	}
	commit(0, 10, false)
	for range 3 {
		expect(1, "map[{participate blue}:{10 0}]")
	}
	commit(10, 30, false)
	expect(1, "map[{participate blue}:{30 0}]")
	commit(25, 40, true)
	expect(2, "map[{participate blue}:{40 0}]")
	server.Exec("delete from gimel.counted where fingerprint = 7")
	expect(2, "map[{participate blue}:{40 0}]")
	if err := sink.Check(t.Context(), life); err != nil {
		t.Fatal(err)
	}
	expect(3, "map[{participate blue}:{39 0}]")
}

func refuses(t *testing.T, server *bigquerytest.Server) {
	good := server.Credentials()
	for want, settings := range map[string]Settings{
		"PROJECT.DATASET":                 {Dataset: "gimel", Credentials: good},
		"no key of a service account":     {Dataset: "p.d", Credentials: []byte(`{"type": "external_account", "private_key": "x"}`)},
		"bigquery: the credentials are n": {Dataset: "p.d", Credentials: []byte(`secret`)},
	} {
		if _, err := New(settings); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", want, err)
		}
	}
}
