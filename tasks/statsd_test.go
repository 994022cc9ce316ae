package tasks

import (
	"encoding/json"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"provision/internal/recipe"
	"provision/internal/resource"
)

func TestStatsDRefuses(t *testing.T) {
	for _, c := range []struct {
		variable string
		raw      any
		want     string
	}{
		{"prefix", "", "must be letters"},
		{"prefix", "stats.", "must be letters"},
		{"prefix", `a"b`, "must be letters"},
		{"prefix", "../x", "must be letters"},
		{"percentiles", []any{"0"}, "more than 0"},
		{"percentiles", []any{"100"}, "more than 0"},
		{"percentiles", []any{"-10"}, "more than 0"},
		{"percentiles", []any{"99.90"}, "more than 0"},
		{"percentiles", []any{"09"}, "more than 0"},
		{"percentiles", []any{"90", "90"}, "is there twice"},
		{"delete_idle", []any{"sets"}, "must be one of counters"},
		{"carbon", "graphite.example.org:2003", "must be an address and a port"},
		{"carbon", "127.0.0.1", "must be an address and a port"},
		{"carbon", "0.0.0.0:2003", "nothing can be sent there"},
		{"carbon", "127.0.0.1:0", "nothing can be sent there"},
		{"carbon", "[fe80::1%eth0]:2003", "must be an address"},
		{"flush_interval", 0, "must be between"},
		{"port", 70000, "must be between"},
	} {
		if _, err := find(t, "statsd", c.variable).Decode(c.raw); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s = %v: got %v, want %q", c.variable, c.raw, err, c.want)
		}
	}
	if name, err := checkStatsd(values(t, StatsD(), map[string]any{"port": 8126})); err == nil || name != "management_port" {
		t.Errorf("two listeners at one port: %s, %v", name, err)
	}
}

// statsdSettings are some other than the default.
var statsdSettings = map[string]any{
	"prefix": "stats.web1", "percentiles": []any{"50", "99.9"}, "delete_idle": []any{"counters", "gauges"}, "carbon": "[2001:db8::7]:2013",
}

// configured is the configuration as statsd reads it, by Node where there is one.
func configured(t *testing.T, raw map[string]any) map[string]any {
	t.Helper()
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("no node here: apt-get install nodejs")
	}
	c := exec.CommandContext(t.Context(), "node", "-e", `console.log(JSON.stringify(eval("config = " + require("fs").readFileSync(0))))`)
	c.Stdin = strings.NewReader(fileOf(t, build(t, StatsD(), recipe.Platforms()[0], raw), statsdConfiguration))
	out, err := c.Output()
	if err != nil {
		t.Fatal(err)
	}
	var read map[string]any
	if err := json.Unmarshal(out, &read); err != nil {
		t.Fatal(err)
	}
	return read
}

func fileOf(t *testing.T, built recipe.Recipe, path string) string {
	t.Helper()
	for _, item := range built.Items {
		if file, ok := item.Resource.(resource.File); ok && file.Path == path {
			return file.Content
		}
	}
	t.Fatalf("no %s", path)
	return ""
}

func TestStatsDReadsItsConfiguration(t *testing.T) {
	is := configured(t, statsdSettings)
	for name, want := range map[string]any{
		"graphiteHost": "2001:db8::7", "graphitePort": 2013.0, "deleteCounters": true, "deleteTimers": false, "deleteGauges": true, "deleteSets": true, "flushInterval": 10000.0, "mgmt_address": "127.0.0.1",
	} {
		if is[name] != want {
			t.Errorf("%s is %v, want %v", name, is[name], want)
		}
	}
	got, _ := json.Marshal([]any{is["graphite"], is["percentThreshold"], is["servers"]})
	const want = `[{"globalPrefix":"stats.web1","legacyNamespace":false},[50,99.9],[{"address":"127.0.0.1","behind":"/usr/lib/provision/statsd/servers/udp","port":8125,"server":"/usr/lib/provision/statsd-listen.js"},` +
		`{"address":"127.0.0.1","behind":"/usr/lib/provision/statsd/servers/tcp","port":8125,"server":"/usr/lib/provision/statsd-listen.js"}]]`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if off := configured(t, map[string]any{"carbon": "off"}); len(off["backends"].([]any)) != 0 || off["graphiteHost"] != nil {
		t.Errorf("it is off, and sends: %v", off)
	}
}

// Without their own Graphite's files statsd's users find their hits averaged, and missing where the
// data has gaps (docs/graphite.md of statsd 0.9.0): its default is right for each name.
func TestGraphitesDefaultIsRightForStatsD(t *testing.T) {
	vars := values(t, Graphite(), nil)
	first := func(name string, records []map[string]string) map[string]string {
		for _, record := range records {
			if regexp.MustCompile(record["pattern"]).MatchString(name) {
				return record
			}
		}
		return nil
	}
	for name, method := range map[string]string{
		"stats.counters.logins.count": "sum", "stats.counters.logins.rate": "average",
		"stats.timers.page.count": "sum", "stats.timers.page.count_90": "sum", "stats.timers.page.count_ps": "average", "stats.timers.page.sum": "sum", "stats.timers.page.sum_99_9": "sum", "stats.timers.page.sum_squares": "sum",
		"stats.timers.page.upper": "max", "stats.timers.page.upper_90": "max", "stats.timers.page.upper_99_9": "max", "stats.timers.page.lower": "min",
		"stats.timers.page.mean": "average", "stats.timers.page.mean_90": "average", "stats.timers.page.median": "average", "stats.timers.page.std": "average",
		"stats.gauges.users": "last", "stats.web1.gauges.users": "last", "stats.sets.visitors.count": "sum",
	} {
		archives, err := retentions(first(name, vars.Records("schemas"))["retentions"])
		if err != nil || archives[0].step != 10 {
			t.Errorf("%s: its first archive is of %+v (%v), want 10 seconds", name, archives, err)
		}
		is := first(name, vars.Records("aggregations"))
		if is["method"] != method || is["x_files_factor"] != "0" {
			t.Errorf("%s: %s, with x_files_factor %s; want %s, 0", name, is["method"], is["x_files_factor"], method)
		}
	}
}

func TestPointsOfThePastReachTheCoarsestArchive(t *testing.T) {
	s := statsd{input(t, StatsD(), recipe.Platforms()[0], nil)}
	schema := func(pattern, retentions string) map[string]string {
		return map[string]string{"pattern": pattern, "retentions": retentions}
	}
	for _, c := range []struct {
		name    string
		schemas []map[string]string
		want    past
	}{
		{"the default", defaultSchemas(), past{3 * 3600, 7*86400 + 600}},
		{"the first that matches", []map[string]string{schema(`^carbon\.`, "1m:1d,1h:1y"), schema(`^stats\.`, "10s:1h,1m:1d"), schema(`.*`, "1m:1d")}, past{1800, 3660}},
		{"one of Python's own before", []map[string]string{schema(`^(?!stats)`, "1m:1d"), schema(`.*`, "10s:6h,1m:7d")}, past{}},
		{"one archive", []map[string]string{schema(`.*`, "10s:1d")}, past{}},
		{"none that matches", []map[string]string{schema(`^carbon\.`, "10s:1d,1m:1y")}, past{}},
	} {
		if got := s.rollsUp(c.schemas); got != c.want {
			t.Errorf("%s: got %+v, want %+v", c.name, got, c.want)
		}
	}
}
