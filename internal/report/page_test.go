package report

import (
	"bytes"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"provision/internal/engine"
	"provision/internal/recipe"
)

// pageOf is the page of runs, and what was recorded of them.
func pageOf(t *testing.T, names []string, runs map[string][]moment, secrets []string) string {
	t.Helper()
	c := newClock()
	recorder := NewRecorder("ada@controller", "1.0", secrets, c.now)
	past := PastRun{ID: "20261123-031500.000", Command: "install graphite", Began: c.time, ExitCode: 3}
	ends := map[string]engine.Finished{}
	for _, cue := range inTurns(names, runs, 30) {
		c.time = past.Began.Add(cue.at)
		recorder.Event(cue.event)
		if end, ok := cue.event.Event.(engine.Finished); ok {
			ends[cue.event.Host] = end
		}
	}
	past.Seconds = c.time.Sub(past.Began).Seconds()
	for _, name := range names {
		end := ends[name]
		past.Hosts = append(past.Hosts, PastHost{Host: name, Status: end.Status, ExitCode: codes(end.Status), Changed: end.Changed, Same: end.Same, Seconds: end.Elapsed.Seconds(), Error: text(end.Err)})
	}
	recorded, err := ReadRecording(recorder.Bytes(1 << 20))
	if err != nil {
		t.Fatal(err)
	}
	var page bytes.Buffer
	if err := RunPage(&page, past, recorded); err != nil {
		t.Fatal(err)
	}
	return page.String()
}

// elsewhere is what would make a browser ask for something.
var elsewhere = regexp.MustCompile(`(?i)<script|<link[^>]+href="[^d]|<img|<iframe|src=|url\(|@import|<form|<base|\son[a-z]+=`)

func TestRunPage(t *testing.T) {
	names, runs := fleet(300)
	page := pageOf(t, names, runs, nil)
	if dir := os.Getenv("PAGE"); dir != "" { // to be looked at
		few, its := fleet(3)
		its["web002"] = brokenRun()
		for name, text := range map[string]string{"many": page, "few": pageOf(t, few, its, nil)} {
			if err := os.WriteFile(dir+"/"+name+".html", []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, want := range []string{
		"install graphite", "by ada@controller", "<b>300</b> hosts", `<b class="change">226</b> changed`, "ssh -v root@web031",
		"cannot load certificate", "web[001:003], web[005:008]", "+STORAGE_DIR = /var/lib/graphite/", "content is secret", "a metric comes back through nginx",
		"<h2>When</h2>", "240 more took less", "web300",
	} {
		if !strings.Contains(page, want) && !strings.Contains(page, strings.ReplaceAll(want, "+", "&#43;")) {
			t.Errorf("not in the page: %s", want)
		}
	}
	if found := elsewhere.FindString(page); found != "" {
		t.Errorf("the page asks for something: %s", found)
	}
	if n := strings.Count(page, `class="lane"`); n != mostLanes {
		t.Errorf("%d hosts in the chart, want %d", n, mostLanes)
	}
	if len(page) > 400_000 {
		t.Errorf("%d bytes", len(page))
	}
}

// Nothing that a host or a task says becomes a part of the page, and no secret is in it.
func TestRunPageIsSafe(t *testing.T) {
	const evil = `</pre><script>alert(1)</script><img src=x onerror=alert(1)>`
	plan := engine.Plan{Items: []engine.Planned{
		item(evil, "file:/etc/"+evil, recipe.Change{Kind: recipe.Update, Summary: evil, Deltas: []recipe.Delta{{Name: evil, Before: evil, After: evil}},
			Diff: &recipe.FileDiff{Path: "/x", Exists: true, Before: []byte("a\n"), After: []byte(evil + "\nhunter2-hunter2\n")}}),
		item("t", "file:/key", recipe.Change{Kind: recipe.Create, Diff: &recipe.FileDiff{Path: "/key", After: []byte("correct-horse"), Secret: true}}),
	}}
	host := `web1"><script>alert(1)</script>`
	page := pageOf(t, []string{host}, map[string][]moment{host: {
		{engine.Connecting{Address: evil}, time.Second}, {engine.Asking{}, time.Second}, {engine.PlanMade{Plan: plan}, 0},
		{engine.Applying{Run: evil}, 0}, {engine.StepBegan{Number: 1, Title: evil + "hunter2-hunter2"}, time.Second}, {engine.StepEnded{Number: 1, Title: evil, Failed: true}, 0},
		{engine.Note{Text: evil}, 0}, {engine.Restored{Unit: evil}, 0},
		{engine.Finished{Status: engine.StatusFailed, Hint: evil, Err: &engine.StepError{Step: recipe.Numbered{Step: recipe.Remove{Path: evil}}, Status: 1, Output: evil + "\nhunter2-hunter2\x1b[31m"}}, 0},
	}}, []string{"hunter2-hunter2"})
	for _, never := range []string{"<script", "<img", "hunter2", "correct-horse"} {
		if strings.Contains(page, never) {
			i := strings.Index(page, never)
			t.Errorf("in the page: %s", page[max(i-100, 0):i+40])
		}
	}
	if !strings.Contains(page, Mark) {
		t.Error("nothing was masked")
	}
}

// Of a run of which nothing was recorded the page says how it ended.
func TestRunPageWithoutRecording(t *testing.T) {
	var page bytes.Buffer
	run := PastRun{ID: "x", Command: "exec", Hosts: []PastHost{{Host: "web1", Status: engine.StatusUnreachable, Error: "no answer \x1b[2J\u202e", Drained: true}, {Host: "web2", Status: engine.StatusNotBegun, Error: "1 failed"}}}
	if err := RunPage(&page, run, Recording{}); err != nil || !strings.Contains(page.String(), `no answer ^[[2J\u202e`) || !strings.Contains(page.String(), "stays drained") || !strings.Contains(page.String(), "not begun: 1 failed") || strings.Count(page.String(), `"card bad-card"`) != 1 || strings.Contains(page.String(), "<h2>When") {
		t.Errorf("%v: %s", err, page.String())
	}
}

// What is too long is left out in turn, and that is said.
func TestRecordingIsBounded(t *testing.T) {
	c := newClock()
	recorder := NewRecorder("a", "1", nil, c.now)
	names, runs := fleet(30)
	for _, cue := range inTurns(names, runs, 30) {
		recorder.Event(cue.event)
	}
	whole, undiffed := len(recorder.Bytes(1<<20)), 0
	if recorded, err := ReadRecording(recorder.Bytes(whole - 1)); err == nil {
		undiffed = len(packed(recorded))
	}
	for most, cut := range map[int]string{whole: "", whole - 1: "the diffs", undiffed - 1: "the diffs and the times of steps"} {
		text := recorder.Bytes(most)
		recorded, err := ReadRecording(text)
		if err != nil || len(text) > most || recorded.Cut != cut {
			t.Errorf("%d of %d bytes: %v, %d bytes, without %q", most, whole, err, len(text), recorded.Cut)
		}
	}
	if text := recorder.Bytes(10); text != nil {
		t.Errorf("%d bytes", len(text))
	}
	again, err := ReadRecording(recorder.Bytes(1 << 20))
	if err != nil || again.Cut != "" || len(again.Plans) != 2 || again.Plans[0].Resources[0].Content == nil {
		t.Errorf("%v: what was cut is gone for good: %q, %d plans", err, again.Cut, len(again.Plans))
	}
	for _, bad := range []string{"", "x", string(recorder.Bytes(1 << 20)[:100])} {
		if _, err := ReadRecording([]byte(bad)); err == nil {
			t.Errorf("%q is read", bad)
		}
	}
}
