package main

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"provision/internal/gimel/postgrestest"
	"provision/internal/gimel/redistest"
)

// sendTwice sends participants to a gimel, each twice, and what is not answered 200 again.
func sendTwice(t *testing.T, url string, from, to int) {
	t.Helper()
	for i := from; i < to; i++ {
		for sent := 0; sent < 2; {
			status, _, err := get(http.DefaultClient, fmt.Sprintf("%s/track?namespace=n&experiment=e&event=participate&variant=blue&uuid=visitor-%d", url, i))
			if err == nil && status == 200 {
				sent++
				continue
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
}

// recountUntil asks until the last line is as wanted.
func recountUntil(t *testing.T, address, want string) {
	t.Helper()
	var output bytes.Buffer
	var err error
	for deadline := time.Now().Add(5 * time.Minute); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		output.Reset()
		if err = recount([]string{"--address", address}, &output); err == nil && strings.HasSuffix(output.String(), want+"\n") {
			return
		}
	}
	t.Fatalf("recount: %v\n%s\nwant: %s", err, output.String(), want)
}

// A thousand events sent twice are a thousand rows: with PostgreSQL stopped in the middle, gimel
// and the consumer killed, and Redis restarted.
func TestAThousandEventsSentTwiceAreAThousandRows(t *testing.T) {
	redis := redistest.Start(t, "--appendonly", "yes", "--appendfsync", "always")
	database := postgrestest.Start(t)
	socket, url := sharedSocket(t)
	private := "unix:" + filepath.Join(t.TempDir(), "s")
	serving := func() *gimel {
		return launch(t, []*os.File{socket}, nil, serveArgs(t, redis, "--event-log", "8mb")...)
	}
	consuming := func() *gimel {
		return launch(t, nil, nil, "eventlog", "--redis", redis.URL(), "--postgresql", database.URL(), "--private-listen", private)
	}
	g, c := serving(), consuming()
	sendTwice(t, url, 0, 300)

	database.Kill()
	sendTwice(t, url, 300, 500)
	_ = c.end(syscall.SIGKILL)
	_ = g.end(syscall.SIGKILL)
	g, c = serving(), consuming()
	sendTwice(t, url, 500, 700)
	redis.Kill()
	redis.Restart()
	sendTwice(t, url, 700, 800)
	var output bytes.Buffer
	if err := recount([]string{"--address", private}, &output); err == nil || errors.Is(err, errDisagree) {
		t.Errorf("a recount without the database: %v\n%s", err, output.String())
	}
	database.Restart()
	sendTwice(t, url, 800, 1000)
	recountUntil(t, private, "1 counters: counted 1000, rows 1000, waiting 0")

	connection := database.Connect()
	proof := func() (string, error) {
		var output bytes.Buffer
		err := verify([]string{"--url", url, "--events", "1000", "--event-log", private, "--api-key-file", keyFile(t)}, &output)
		return output.String(), err
	}
	if output, err := proof(); err != nil || output != "1000 participants and one conversion, each counted once, each one row\n" {
		t.Errorf("verify: %q, %v", output, err)
	}
	var left int
	if err := connection.QueryRow(t.Context(), "select count(*) from gimel.events where namespace = 'provision-verify'").Scan(&left); err != nil || left != 0 {
		t.Errorf("verify left %d rows, %v", left, err)
	}
	// A database that drops rows unsaid, as a trigger or a rule of somebody's would.
	_, err := connection.Exec(t.Context(), `create function gimel.drop_some() returns trigger language plpgsql as
		$$ begin if new.fingerprint % 50 = 0 then return null; end if; return new; end $$;
		create trigger drop_some before insert on gimel.counted for each row execute function gimel.drop_some()`)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := proof(); err == nil || !strings.Contains(err.Error(), "MISSING") {
		t.Errorf("verify of a database that drops rows: %v", err)
	}
	if _, err := connection.Exec(t.Context(), "drop trigger drop_some on gimel.counted"); err != nil {
		t.Fatal(err)
	}
	if _, err := connection.Exec(t.Context(), "delete from gimel.counted where fingerprint % 100 = 0"); err != nil {
		t.Fatal(err)
	}
	output.Reset()
	if err := recount([]string{"--address", private, "--quiet"}, &output); !errors.Is(err, errDisagree) || !strings.Contains(output.String(), "MISSING") {
		t.Errorf("after rows were deleted: %v\n%s", err, output.String())
	}
	// Of rows that went past the triggers only counting them one by one knows.
	if _, err := connection.Exec(t.Context(), "delete from only gimel.counted_"+time.Now().UTC().Format("2006_01")); err != nil {
		t.Fatal(err)
	}
	for _, flags := range [][]string{nil, {"--rows"}} {
		output.Reset()
		err := recount(append([]string{"--address", private}, flags...), &output)
		if none := strings.Contains(output.String(), " rows 0,"); !errors.Is(err, errDisagree) || none != (flags != nil) {
			t.Errorf("recount %v: %v\n%s", flags, err, output.String())
		}
	}
	for _, process := range []*gimel{g, c} {
		if err := process.end(syscall.SIGTERM); err != nil {
			t.Errorf("exit: %v\n%s", err, process.stderr)
		}
	}
}
