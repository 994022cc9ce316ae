package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"provision/internal/gimel/bigquerytest"
	"provision/internal/gimel/redistest"
)

// Events that are sent twice are one row each in BigQuery, as a server of ours answers for it: with the
// process killed while a job is under way, and the API refusing. A recount brings there what is gathered.
func TestEventsGoToBigQuery(t *testing.T) {
	redis := redistest.Start(t)
	warehouse := bigquerytest.Start(t)
	socket, url := sharedSocket(t)
	private := "unix:" + filepath.Join(t.TempDir(), "s")
	credentials := filepath.Join(t.TempDir(), "credentials")
	if err := os.WriteFile(credentials, warehouse.Credentials(), 0o600); err != nil {
		t.Fatal(err)
	}
	launch(t, []*os.File{socket}, nil, serveArgs(t, redis, "--event-log", "8mb")...)
	consuming := func() *gimel {
		return launch(t, nil, nil, "eventlog", "--redis", redis.URL(), "--private-listen", private, "--sink", "bigquery",
			"--bigquery", bigquerytest.Project+"."+bigquerytest.Dataset, "--bigquery-credentials-file", credentials, "--bigquery-endpoint", warehouse.URL)
	}
	sendTwice(t, url, 0, 300)
	warehouse.Slow(3 * time.Second)
	c := consuming()
	await(t, "a job is under way", func() bool { return warehouse.Asked("jobs.insert") > 0 })
	_ = c.end(syscall.SIGKILL)
	warehouse.Slow(0)
	warehouse.Fail(bigquerytest.Fault{Method: "datasets.get", Status: 403, Reason: "accessDenied"})
	c = consuming()
	recountUntil(t, private, "1 counters: counted 300, rows 300, waiting 0")
	sendTwice(t, url, 300, 500)
	recountUntil(t, private, "1 counters: counted 500, rows 500, waiting 0")
	var rows int
	if warehouse.Scan("select count(*) from gimel.counted", &rows); rows != 500 {
		t.Errorf("%d rows in the table, which a job too many made", rows)
	}

	var output bytes.Buffer
	if err := verify([]string{"--url", url, "--events", "100", "--event-log", private, "--api-key-file", keyFile(t)}, &output); err != nil {
		t.Errorf("verify: %v", err)
	}
	if warehouse.Scan("select count(*) from gimel.events where namespace = 'provision-verify'", &rows); rows != 0 {
		t.Errorf("verify left %d rows", rows)
	}
	warehouse.Exec("delete from gimel.counted where fingerprint = (select min(fingerprint) from gimel.counted)")
	output.Reset()
	if err := recount([]string{"--address", private, "--rows"}, &output); err == nil || !strings.Contains(output.String(), "MISSING 1:") {
		t.Errorf("a row is gone: %v\n%s", err, output.String())
	}
	if err := c.end(syscall.SIGTERM); err != nil {
		t.Errorf("exit: %v", err)
	}
	if said := c.stderr.String(); !strings.Contains(said, "accessDenied") || strings.Contains(said, "PRIVATE KEY") {
		t.Errorf("said:\n%s", said)
	}
}
