package tasks

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// looksAgo lets the program believe that so long has gone by since it looked last.
func (p *alertsTrial) looksAgo(file string, by time.Duration) {
	p.t.Helper()
	at := float64(time.Now().Add(-by).UnixNano()) / 1e9
	text := fmt.Sprintf(`{"at": %f, "problem": "", "since": 0}`, at)
	if err := os.WriteFile(p.folder+"/state/"+file, []byte(text), 0o600); err != nil {
		p.t.Fatal(err)
	}
}

// A check that crashes was told nowhere, and its rule was "ok" for ever. It is an alert of its own, once for all of
// them, and it recovers.
func TestAlertsTellOfACheckThatCrashes(t *testing.T) {
	t.Parallel()
	p := newAlertsTrial(t, map[string]string{"name": "load", "target": "load", "critical": "10"})
	p.crashes = true
	p.has(1)
	broken := newAlertRule(map[string]string{"name": "load", "target": "load", "critical": "ten"})
	right := p.config["rules"]
	p.config["rules"] = []alertRule{broken}
	for range 2 {
		if said, exit := p.runs("check", "load"); exit != 5 || !strings.Contains(said, "could not convert string to float: 'ten'") {
			t.Errorf("a check that crashes: %d %s", exit, said)
		}
		p.runs("tell")
	}
	told := p.told()
	for _, want := range []string{"told: critical checks\n", "rule-load: ValueError: could not convert string to float: 'ten'", "provision do alerts status"} {
		if !strings.Contains(told, want) {
			t.Errorf("it tells %q, without %s", told, want)
		}
	}
	p.config["rules"] = right
	for range 2 {
		p.runs("check", "load")
		p.runs("tell")
	}
	if told := p.told(); !strings.HasPrefix(told, "told: ok checks\n") {
		t.Errorf("it is well again, and it tells %q", told)
	}
}

// Nor does a check that monit kills, or does not run, stay unseen; a monit that did not run itself is no such thing.
func TestAlertsTellOfACheckThatDoesNotEnd(t *testing.T) {
	t.Parallel()
	p := newAlertsTrial(t, map[string]string{"name": "load", "target": "load", "critical": "10"})
	p.has(1)
	tells := func() string {
		t.Helper()
		for range 2 {
			p.runs("graphite")
			p.looksAgo("telling.json", time.Second) // it told a moment ago, and has been telling for long
			p.runs("tell")
		}
		return p.told()
	}
	p.runs("check", "load")
	p.looksAgo("ran-rule-load.json", time.Hour)
	// The configuration was just made: nothing can be late yet.
	if told := tells(); told != "" {
		t.Errorf("with a new configuration it tells %q", told)
	}
	p.since = time.Now().Add(-2 * time.Hour)
	if told := tells(); !strings.HasPrefix(told, "told: critical checks\n") || !strings.Contains(told, "rule-load: has not ended for 1 h 0 min") {
		t.Errorf("it tells %q", told)
	}
	os.Remove(p.folder + "/state/checks.json")
	for range 2 {
		p.looksAgo("telling.json", time.Hour)
		p.runs("tell")
	}
	if told := p.told(); strings.Contains(told, "critical checks") {
		t.Errorf("the host was off for an hour, and it tells %q", told)
	}
}

// On a full disk nothing can be noted: that is told too, once an hour, and that it is over.
func TestAlertsTellOfAFullDisk(t *testing.T) {
	t.Parallel()
	p := newAlertsTrial(t)
	p.runs("tell")
	telling := p.folder + "/state/telling.json"
	os.Remove(telling)
	if err := os.Mkdir(telling, 0o755); err != nil { // no file can come in its place
		t.Fatal(err)
	}
	for range 3 {
		if said, exit := p.runs("tell"); exit != 1 || !strings.Contains(said, "nothing can be written in") {
			t.Errorf("%d %s", exit, said)
		}
	}
	if told := p.told(); strings.Count(told, "told: critical checks\n") != 1 || !strings.Contains(told, "nothing can be written in "+p.folder) {
		t.Errorf("it tells %q", told)
	}
	os.Remove(telling)
	for range 2 {
		p.runs("tell")
	}
	if told := p.told(); strings.Count(told, "told: ok checks\n") != 1 {
		t.Errorf("it can be written again, and it tells %q", told)
	}
}
