package acceptance

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"provision/internal/gimel/bigquerytest"
	"provision/internal/lab/labtest"
)

// intoBigQuery turns the log to a server of ours that answers for BigQuery, over TLS and for the key
// of a service account: what was counted goes there, and what comes.
func (g gimelHost) intoBigQuery(t *testing.T) {
	warehouse, certificate := bigquerytest.StartTLS(t)
	g.feed(t, "cat >/usr/local/share/ca-certificates/warehouse.crt && update-ca-certificates", string(certificate))
	g.run(t, fmt.Sprintf("echo %s example.com >>/etc/hosts", labtest.Config().Network.Addr().Next()))
	key := filepath.Join(t.TempDir(), "key.json")
	if err := os.WriteFile(key, warehouse.Credentials(), 0o600); err != nil {
		t.Fatal(err)
	}
	into := []string{"gimel", "-H", g.Name, "-e", "gimel.event_log=bigquery", "-e", "gimel.bigquery_dataset=" + bigquerytest.Project + "." + bigquerytest.Dataset,
		"-e", "gimel.bigquery_credentials=@" + key, "-e", "gimel.bigquery_endpoint=" + warehouse.URL}
	install := append(append([]string{"install", "--json"}, into...), gimelSettings...)
	first := provision(t, install...).exits(t, 0)
	if said := first.stdout + first.stderr; strings.Contains(said, "PRIVATE KEY") {
		t.Errorf("the key is printed:\n%s", tail(said, 3000))
	}
	l := &load{client: newClient(), base: g.site() + "/choice", experiment: "warehouse", again: true}
	for number := range int64(10) {
		l.send(number)
		l.send(number)
	}
	g.agrees(t, "counted 1010, rows 1010, waiting 0")
	var timed, all int
	warehouse.Scan("select count(at), count(*) from gimel.events where namespace = 'load'", &timed, &all)
	if timed != 10 || all != 1010 {
		t.Errorf("%d rows, %d with a time", all, timed)
	}
	provision(t, append([]string{"verify"}, into...)...).exits(t, 0)
	if end := only(t, provision(t, install...).exits(t, 0).events(t), "finished", g.Name); end.Changed != 0 {
		t.Errorf("again changed %d", end.Changed)
	}
	if said := g.run(t, "journalctl -u gimel-eventlog --no-pager; systemctl show gimel-eventlog; cat /etc/gimel/*"); strings.Contains(said, "PRIVATE KEY") {
		t.Error("the key is in the journal, in what systemd shows, or in the configuration")
	}
}
