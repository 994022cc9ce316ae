package tasks

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What is told at 3 a.m.: what, since when, value, limit, graph, and what to do.
func TestAlertsMessage(t *testing.T) {
	t.Parallel()
	p := newAlertsTrial(t, map[string]string{"name": "load", "target": "servers.db1.load", "warn": "5", "critical": "10", "cycles": "1", "help": "See who computes."})
	p.has(1, 2, 12)
	p.runs("check", "load")
	p.runs("tell")
	told := p.told()
	for _, want := range []string{
		"told: critical load\n", ": critical\n", "what    12 (last of 5min), critical above 10\n", "series  load\n", " s ago\n",
		"rule    last of servers.db1.load in 5min; warning above 5, critical above 10\n",
		"graph   http://graphite.example.org/render?target=servers.db1.load&target=threshold%2810%2C%22warning", "points  ▂▂█  load\n", "What to do: See who computes.\n",
	} {
		want = strings.Replace(want, "threshold%2810%2C%22warning", "threshold%285%2C%22warning", 1)
		if !strings.Contains(told, want) {
			t.Errorf("it does not tell %q:\n%s", want, told)
		}
	}
}

// Alerts that come together are one mail.
func TestAlertsMailIsOne(t *testing.T) {
	t.Parallel()
	p := newAlertsTrial(t, map[string]string{"name": "a", "target": "a", "critical": "10", "cycles": "1"}, map[string]string{"name": "b", "target": "b", "warn": "10", "cycles": "1"})
	p.config["mail"] = map[string]any{"to": []string{"ops@example.org", "me@example.org"}, "from": "alerts@example.org", "msmtprc": "/etc/msmtprc"}
	msmtp := "#!/bin/sh\necho \"$@\" >>" + p.folder + "/args\ncat >>" + p.folder + "/mails\n"
	if err := os.WriteFile(filepath.Join(p.folder, "msmtp"), []byte(msmtp), 0o755); err != nil {
		t.Fatal(err)
	}
	p.has(99)
	p.runs("check", "a")
	p.runs("check", "b")
	p.runs("tell")
	p.runs("tell")
	mails, err := os.ReadFile(filepath.Join(p.folder, "mails"))
	if err != nil {
		t.Fatal(err)
	}
	args, _ := os.ReadFile(filepath.Join(p.folder, "args"))
	if got, want := string(args), "--file=/etc/msmtprc --from=alerts@example.org -- ops@example.org me@example.org\n"; got != want {
		t.Errorf("msmtp %q, want %q", got, want)
	}
	if text := string(mails); strings.Count(text, "\nSubject: 2 alerts on ") != 1 || !strings.Contains(text, "critical a, warning b") || !strings.Contains(text, "Auto-Submitted: auto-generated") {
		t.Errorf("the mail is %s", text)
	}
}

func TestAlertsTestDraws(t *testing.T) {
	t.Parallel()
	p := newAlertsTrial(t, map[string]string{"name": "load", "target": "load", "warn": "5", "critical": "10"})
	p.has(1, 4, 8, 16, nil)
	said, exit := p.runs("test", "load")
	if exit != 0 {
		t.Fatal(said)
	}
	for _, want := range []string{
		"load: critical now", "  load: 16, critical", "        16 ┤   █", "╌╌", "critical 10", "warning 5", "22:13:20", "22:13:50       16!!", "22:13:40        8!", "22:14:00        -", "says critical: 16 (last of 5min), critical above 10",
	} {
		if !strings.Contains(said, want) {
			t.Errorf("it has no %q:\n%s", want, said)
		}
	}
	p.has(99) // what is far beyond a limit hides the line, but for its end
	if said, _ := p.runs("test", "load"); !strings.Contains(said, "0 ┤█╌ critical 10, warning 5") {
		t.Errorf("the limits are not drawn:\n%s", said)
	}
	if said, exit := p.runs("test", "laod"); exit != 1 || !strings.Contains(said, "no rule 'laod': load") {
		t.Errorf("%d %s", exit, said)
	}
	t.Log(said)
}
