package acceptance

import (
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// browserSeesPages opens the pages in Debian's chromium and reads from its own network log
// that every request which a page made was answered well.
func browserSeesPages(t *testing.T, host machine) {
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip("no chromium here: apt-get install chromium")
	}
	web := host.web(t)
	base := strings.Replace(web.base, "http://", "http://graphite:"+web.password+"@", 1)
	for _, path := range []string{"/", "/dashboard/", "/composer/", "/admin/login/", "/render?target=acceptance.kept&from=-1h"} {
		requests := browse(t, chromium, base+path, host.Address.String())
		// On a busy machine chromium may end before it has all answers; a host that gives none
		// gives none the next time either.
		for again := 0; again < 2 && slices.Contains(slices.Collect(maps.Values(requests)), noAnswer); again++ {
			t.Logf("%s: chromium ended too early: %v", path, requests)
			requests = browse(t, chromium, base+path, host.Address.String())
		}
		if len(requests) == 0 {
			t.Errorf("%s: chromium made no request", path)
		}
		for url, end := range requests {
			if end != "200" && end != "204" && end != "304" {
				t.Errorf("%s: %s ended with %s", path, url, end)
			}
		}
		t.Logf("%s: %d requests", path, len(requests))
	}
}

// browse opens a page, and returns how each request of it to the host ended, by URL.
func browse(t *testing.T, chromium, url, host string) map[string]string {
	t.Helper()
	log := filepath.Join(t.TempDir(), "net.json")
	c := exec.CommandContext(t.Context(), chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
		"--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--mute-audio",
		"--user-data-dir="+t.TempDir(), "--virtual-time-budget=8000", "--timeout=20000", "--log-net-log="+log, "--dump-dom", url)
	c.WaitDelay = 5 * time.Second
	c.Env = append(os.Environ(), "HOME="+t.TempDir())
	if output, err := c.CombinedOutput(); err != nil {
		t.Fatalf("chromium %s: %v\n%s", url, err, tail(string(output), 2000))
	}
	return readNetLog(t, log, host)
}

// noAnswer is the end of a request that had none when chromium ended.
const noAnswer = "no answer"

// readNetLog returns how each request to the host ended, by URL: its last status, or the
// network's error. A 401 that the password then answered is not its last.
func readNetLog(t *testing.T, path, host string) map[string]string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var log struct {
		Constants struct{ LogEventTypes map[string]int }
		Events    []struct {
			Type   int
			Source struct{ ID int }
			Params struct {
				URL      string
				Headers  json.RawMessage
				NetError int `json:"net_error"`
			}
		}
	}
	if err := json.Unmarshal(data, &log); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	started, answered, failed := log.Constants.LogEventTypes["URL_REQUEST_START_JOB"], log.Constants.LogEventTypes["HTTP_TRANSACTION_READ_RESPONSE_HEADERS"], log.Constants.LogEventTypes["FAILED"]
	if started == 0 || answered == 0 {
		t.Fatalf("%s: not a log of chromium's network", path)
	}
	urls, ends := map[int]string{}, map[string]string{}
	for _, e := range log.Events {
		switch e.Type {
		case started:
			if strings.Contains(e.Params.URL, "//"+host) || strings.Contains(e.Params.URL, "@"+host) {
				urls[e.Source.ID] = e.Params.URL
				if ends[e.Params.URL] == "" {
					ends[e.Params.URL] = noAnswer
				}
			}
		case answered:
			var headers []string
			if url := urls[e.Source.ID]; url != "" && json.Unmarshal(e.Params.Headers, &headers) == nil && len(headers) > 0 {
				if fields := strings.Fields(headers[0]); len(fields) > 1 {
					ends[url] = fields[1]
				}
			}
		case failed:
			if url := urls[e.Source.ID]; url != "" && e.Params.NetError != 0 {
				ends[url] = "a network error"
			}
		}
	}
	return ends
}
