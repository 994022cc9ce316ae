package tasks

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestAlertsJudgement(t *testing.T) {
	t.Parallel()
	p := newAlertsTrial(t)
	for name, test := range map[string]struct {
		rule map[string]string
		has  []any
		exit int
		says string
	}{
		"last, above":               {map[string]string{"critical": "10"}, []any{99, 99, 5, nil}, 0, "5 (last of 5min), critical above 10"},
		"at the limit is not above": {map[string]string{"critical": "10"}, []any{10}, 0, "10 (last"},
		"warning":                   {map[string]string{"warn": "8", "critical": "10"}, []any{9}, 1, "warning above 8"},
		"critical":                  {map[string]string{"warn": "8", "critical": "10"}, []any{10.5}, 2, "10.5 (last of 5min), critical above 10"},
		"below":                     {map[string]string{"warn": "8", "critical": "5", "direction": "below"}, []any{4}, 2, "critical below 5"},
		"below a negative":          {map[string]string{"critical": "-5", "direction": "below"}, []any{-6}, 2, "critical below -5"},
		"average":                   {map[string]string{"critical": "10", "function": "avg"}, []any{5, nil, 17}, 2, "11 (avg"},
		"maximum":                   {map[string]string{"critical": "10", "function": "max"}, []any{11, 1}, 2, "11 (max"},
		"minimum":                   {map[string]string{"critical": "10", "function": "min"}, []any{11, 1}, 0, "1 (min"},
		"3 of 5, two are":           {map[string]string{"critical": "10", "function": "3 of 5"}, []any{99, 99, 1, 1, 20, 1, 20}, 0, "1 (3 of 5"},
		"3 of 5, three are":         {map[string]string{"critical": "10", "function": "3 of 5"}, []any{1, 11, 1, 20, 1, 30}, 2, "11 (3 of 5"},
		"3 of 5, below":             {map[string]string{"critical": "10", "function": "3 of 5", "direction": "below"}, []any{20, 1, 2, 20, 3}, 2, "3 (3 of 5"},
		"3 of 5, of two points":     {map[string]string{"critical": "10", "function": "3 of 5"}, []any{99, 99}, 3, "no points in the last 5min that are enough"},
		"no data":                   {map[string]string{"critical": "10"}, []any{nil, nil}, 3, "no points in the last 5min"},
		"no series":                 {map[string]string{"critical": "10"}, nil, 3, "no points"},
		"no data, which is well":    {map[string]string{"critical": "10", "no_data": "ok"}, []any{nil}, 0, "no points"},
	} {
		test.rule["name"], test.rule["target"], test.rule["cycles"] = "load", "load", "1"
		p.config["rules"] = []alertRule{newAlertRule(test.rule)}
		p.says("[]")
		if test.has != nil {
			p.has(test.has...)
		}
		os.Remove(p.folder + "/state/rule-load.json")
		if said, exit := p.runs("check", "load"); exit != test.exit || !strings.Contains(said, test.says) {
			t.Errorf("%s: exit status %d, want %d: %q, want %q in it", name, exit, test.exit, said, test.says)
		}
	}
}

// carbon takes inf from whoever sends it: that is beyond a limit, is told, and keeps nothing else from being told.
func TestAlertsReckonWithInfinity(t *testing.T) {
	t.Parallel()
	p := newAlertsTrial(t, map[string]string{"name": "load", "target": "load", "critical": "10", "cycles": "1"})
	p.says(`[{"target": "load", "datapoints": [[1, 1], [-1e9999, 2], [NaN, 3], [1e9999, 4]]}]`)
	said, exit := p.runs("check", "load")
	if exit != 2 || !strings.Contains(said, "1e+300 (last of 5min), critical above 10") {
		t.Errorf("%d %s", exit, said)
	}
	p.runs("tell")
	if told := p.told(); !strings.Contains(told, "told: critical load") {
		t.Errorf("it tells %q", told)
	}
	if said, exit := p.runs("test", "load"); exit != 0 || !strings.Contains(said, "says critical") {
		t.Errorf("test: %d %s", exit, said)
	}
}

// Of several series the worst counts, and is named.
func TestAlertsNameTheWorstSeries(t *testing.T) {
	p := newAlertsTrial(t, map[string]string{"name": "disk", "target": "servers.*.disk", "critical": "90", "cycles": "1"})
	p.says(`[{"target": "a", "datapoints": [[50, 1]]}, {"target": "b", "datapoints": [[95, 1]]}, {"target": "c", "datapoints": [[91, 1]]}]`)
	if said, exit := p.runs("check", "disk"); exit != 2 || !strings.Contains(said, "critical: b: 95") {
		t.Errorf("%d %s", exit, said)
	}
}

// The seed's complaint: a flood of alerts. A state is told once, however long it lasts; one odd point tells nothing,
// nor does what goes up and down at its limit.
func TestAlertsDoNotFlood(t *testing.T) {
	t.Parallel()
	p := newAlertsTrial(t, map[string]string{"name": "load", "target": "load", "critical": "10", "cycles": "2"})
	var told []string
	for i, value := range []any{1, 99, 1, 99, 1, 99, 99, 99, 99, 1, 99, 99, 1, 99, 1, 1, 1, 1} {
		p.has(value)
		_, now := p.cycle("load")
		for _, state := range now {
			told = append(told, fmt.Sprintf("%d %s", i, state))
		}
	}
	if got, want := strings.Join(told, ", "), "6 critical, 15 ok"; got != want {
		t.Errorf("told %s, want %s", got, want)
	}
}

// What goes up and down all the time is told six times, and then what it is when an hour is over.
func TestAlertsOfWhatFlapsAreBounded(t *testing.T) {
	t.Parallel()
	p := newAlertsTrial(t, map[string]string{"name": "load", "target": "load", "critical": "10", "cycles": "1"})
	count := 0
	for i := range 20 {
		p.has([]any{99, 1}[i%2])
		_, told := p.cycle("load")
		count += len(told)
	}
	if count != 6 {
		t.Errorf("told %d times", count)
	}
	p.has(99)
	p.runs("check", "load")
	p.ages("told-load", "told-rule-load.json", 2*time.Hour)
	if _, told := p.cycle("load"); len(told) != 1 || told[0] != "critical" {
		t.Errorf("after two hours it is told %q", told)
	}
}

// ages makes the times of what was told older.
func (p *alertsTrial) ages(what, file string, by time.Duration) {
	p.t.Helper()
	path := filepath.Join(p.folder, "state", file)
	text, err := os.ReadFile(path)
	if err != nil {
		p.t.Fatal(err)
	}
	told := map[string]map[string]any{}
	if err := json.Unmarshal(text, &told); err != nil {
		p.t.Fatalf("%s: %v", what, err)
	}
	for _, way := range told {
		way["at"] = way["at"].(float64) - by.Seconds()
		for i, at := range way["sent"].([]any) {
			way["sent"].([]any)[i] = at.(float64) - by.Seconds()
		}
	}
	if text, err = json.Marshal(told); err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		p.t.Fatal(err)
	}
}

// The seed's complaint: silence where no data comes.
func TestAlertsTellWhenNoDataComes(t *testing.T) {
	t.Parallel()
	p := newAlertsTrial(t, map[string]string{"name": "load", "target": "load", "critical": "10", "cycles": "2"})
	p.has(1)
	p.cycle("load")
	p.has(nil, nil)
	p.cycle("load")
	exit, told := p.cycle("load")
	if exit != 3 || len(told) != 1 || told[0] != "no data" {
		t.Errorf("exit status %d, told %q", exit, told)
	}
}

// The seed's complaint: an alert that never recovers. What was told is taken back, also where the first try to
// tell failed, and where it got better by way of a warning.
func TestAlertsRecover(t *testing.T) {
	t.Parallel()
	p := newAlertsTrial(t, map[string]string{"name": "load", "target": "load", "warn": "5", "critical": "10", "cycles": "1"})
	working := p.config["command"]
	for i, step := range []struct {
		value any
		fails bool
		told  string
	}{{99, true, ""}, {99, false, "critical"}, {7, false, "warning"}, {1, true, ""}, {1, false, "ok"}, {1, false, ""}} {
		p.has(step.value)
		p.config["command"] = working
		if step.fails {
			p.config["command"] = "echo no way >&2; exit 1"
			p.runs("check", "load")
			if said, exit := p.runs("tell"); exit != 1 || !strings.Contains(said, "command: exit status 1: no way") {
				t.Errorf("%d: what cannot be told is not said: %d %s", i, exit, said)
			}
			continue
		}
		if _, told := p.cycle("load"); strings.Join(told, " ") != step.told {
			t.Errorf("%d: told %q, want %q", i, told, step.told)
		}
	}
}

// A Graphite that does not answer is told once, by its own check, and the rules keep what they were in.
func TestAlertsWithoutGraphite(t *testing.T) {
	t.Parallel()
	p := newAlertsTrial(t, map[string]string{"name": "load", "target": "load", "critical": "10", "cycles": "1"})
	p.has(99)
	p.cycle("load")
	p.says("down")
	if exit, told := p.cycle("load"); exit != 2 || len(told) != 0 {
		t.Errorf("exit status %d, told %q", exit, told)
	}
	p.runs("graphite")
	if said, exit := p.runs("graphite"); exit != 2 || !strings.Contains(said, "does not answer") || !strings.Contains(said, "HTTP 502") {
		t.Errorf("%d %s", exit, said)
	}
	p.runs("tell")
	if told := p.told(); !strings.HasPrefix(told, "told: critical graphite\n") || !strings.Contains(told, "Until it answers no rule is looked at") {
		t.Errorf("told %q", told)
	}
}

func TestAlertsRemind(t *testing.T) {
	t.Parallel()
	p := newAlertsTrial(t, map[string]string{"name": "load", "target": "load", "critical": "10", "cycles": "1"})
	p.config["remind_hours"] = 4
	p.has(99)
	for _, step := range []struct {
		ages time.Duration
		told int
	}{{0, 1}, {3 * time.Hour, 0}, {2 * time.Hour, 1}, {0, 0}} {
		if step.ages > 0 {
			p.ages("told-load", "told-rule-load.json", step.ages)
		}
		if _, told := p.cycle("load"); len(told) != step.told {
			t.Errorf("after %s it is told %q", step.ages, told)
		}
	}
}
