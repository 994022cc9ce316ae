package acceptance

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"provision/internal/lab"
)

// TestGimelEventLog: a thousand events sent twice are a thousand rows, with PostgreSQL stopped in the
// middle, gimel and the process of the log killed, and Redis killed and started again.
func TestGimelEventLog(t *testing.T) {
	onItsDays(t, 5)
	t.Parallel()
	built := buildReleases(t)
	onEach(t, today(t), "labevent", bare, func(t *testing.T, _ *lab.Lab, host machine) {
		g := gimelHost{host, built}
		with := append([]string{"gimel", "-H", g.Name, "-e", "gimel.event_log=postgresql"}, gimelSettings...)
		provision(t, append([]string{"deploy", "--artifact", g.releases["first"]}, with...)...).exits(t, 0)
		again := provision(t, append([]string{"install", "--json"}, with...)...).exits(t, 0)
		if end := only(t, again.events(t), "finished", g.Name); end.Changed != 0 {
			t.Errorf("again changed %d\n%s", end.Changed, tail(again.stdout, 3000))
		}
		g.logsThroughTrouble(t)
		if left := g.inDatabase(t, "select count(*) from gimel.events where namespace <> 'load'"); left != "0" {
			t.Errorf("verify left %s rows", left)
		}
		g.verifySeesALostRow(t)

		// Off, and on as files: those that are counted get there without a time, for the log that had
		// their times is in the database.
		files := append([]string{"install", "gimel", "-H", g.Name, "-e", "gimel.event_log=files"}, gimelSettings...)
		provision(t, files...).exits(t, 0)
		g.agrees(t, "counted 1000, rows 1000, waiting 0")
		if lines := strings.TrimSpace(g.run(t, "cat /var/lib/gimel-events/load/untimed/*.ndjson | wc -l")); lines != "1000" {
			t.Errorf("%s lines in files", lines)
		}
		g.intoBigQuery(t)
		provision(t, "remove", "gimel", "-y", "-H", g.Name).exits(t, 0)
		if units, err := g.try("systemctl cat gimel-eventlog.service", ""); err == nil {
			t.Errorf("removed, and there is its unit:\n%s", units)
		}
	})
}

// logsThroughTrouble sends events while all that has a part in it fails.
func (g gimelHost) logsThroughTrouble(t *testing.T) {
	l := &load{client: newClient(), base: g.site() + "/choice", experiment: "trouble", again: true}
	numbers := make(chan int64)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for number := range numbers {
				l.send(number)
				l.send(number)
			}
		})
	}
	kill := func(unit string) { g.run(t, "kill -9 $(systemctl show -p MainPID --value "+unit+")") }
	for number := range int64(1000) {
		numbers <- number
		switch number {
		case 200:
			g.run(t, "systemctl stop postgresql")
		case 400:
			kill("gimel")
			kill("gimel-eventlog")
		case 600:
			kill("redis-server")
		case 800:
			g.run(t, "systemctl start postgresql")
		}
	}
	close(numbers)
	group.Wait()
	if l.acknowledged.Load() != 2000 {
		t.Fatalf("%d of 2000 acknowledged: %s", l.acknowledged.Load(), l.firstTrouble())
	}
	g.agrees(t, "counted 1000, rows 1000, waiting 0")
	if timed := g.inDatabase(t, "select count(at) from gimel.events where namespace = 'load'"); timed != "1000" {
		t.Errorf("%s of 1000 rows have a time", timed)
	}
}

// agrees waits for the last line of a recount, of the namespace load.
func (g gimelHost) agrees(t *testing.T, want string) {
	t.Helper()
	said := ""
	eventually(t, fmt.Sprintf("a recount that ends in %q", want), time.Minute, func() bool {
		var err error
		said, err = g.try("/opt/gimel/current/gimel recount --namespace load", "")
		return err == nil && strings.HasSuffix(strings.TrimSpace(said), want)
	})
	t.Log(said)
}

func (g gimelHost) inDatabase(t *testing.T, query string) string {
	t.Helper()
	return strings.TrimSpace(g.run(t, `cd / && setpriv --reuid gimel --regid gimel --clear-groups psql -X -At -h /run/postgresql gimel -c "`+query+`"`))
}

// verifySeesALostRow: what nobody but a recount would see.
func (g gimelHost) verifySeesALostRow(t *testing.T) {
	g.inDatabase(t, "delete from gimel.counted where fingerprint = (select min(fingerprint) from gimel.counted)")
	ended := provision(t, "verify", "gimel", "-H", g.Name, "-e", "gimel.event_log=postgresql").exits(t, 3)
	if said := ended.stdout + ended.stderr; !strings.Contains(said, "MISSING 1:") {
		t.Errorf("a row is lost, and verify says:\n%s", tail(said, 3000))
	}
	// The next start of the process fills it in.
	g.run(t, "systemctl restart gimel-eventlog")
	g.agrees(t, "counted 1000, rows 1000, waiting 0")
	provision(t, "verify", "gimel", "-H", g.Name, "-e", "gimel.event_log=postgresql").exits(t, 0)
}
