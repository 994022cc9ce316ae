package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"

	"provision/internal/engine"
	"provision/internal/recipe"
)

// TestJSON holds the form that programs read: a change of this golden file that is not an
// addition breaks them.
func TestJSON(t *testing.T) {
	var out bytes.Buffer
	c := newClock()
	j := NewJSON(&out, nil, codes)
	j.now = c.now
	begin := c.time
	runs := threeHosts()
	runs["web1"] = append(runs["web1"], moment{engine.Printed{Line: "up 3 days"}, 0}, moment{engine.Printed{Line: "caf\xe9", Error: true}, 0})
	for _, cue := range timeline(runs) {
		c.time = begin.Add(cue.at)
		j.Event(cue.event)
	}
	j.Summary("provision install graphite -H web3", 0)
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	golden(t, "events.ndjson", out.String())
	told := map[string]bool{}
	for _, line := range strings.Split(strings.TrimSpace(out.String()), "\n") {
		var object map[string]any
		if err := json.Unmarshal([]byte(line), &object); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		event, _ := object["event"].(string)
		told[event] = true
		if object["time"] == nil || object["host"] == nil && event != "summary" {
			t.Errorf("without time or host: %s", line)
		}
	}
	for _, event := range []string{"connecting", "asking", "plan", "applying", "step_began", "step_ended", "output", "progress",
		"note", "changed", "restored", "verifying", "checked", "printed", "finished", "summary"} {
		if !told[event] {
			t.Errorf("no event %s", event)
		}
	}
}

func TestJSONConcurrently(t *testing.T) {
	var out bytes.Buffer
	j := NewJSON(&out, nil, codes)
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			for range 50 {
				j.Event(engine.HostEvent{Host: "web1", Event: engine.Output{Line: "line"}})
			}
		})
	}
	all.Wait()
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 1000 {
		t.Errorf("%d lines", len(lines))
	}
	for _, line := range lines {
		if !json.Valid([]byte(line)) {
			t.Fatalf("not JSON: %s", line)
		}
	}
}

// secretRun has a secret in every text of every event.
func secretRun(secret string) []engine.Event {
	change := recipe.Change{Kind: recipe.Update, Summary: secret, Until: secret,
		Deltas: []recipe.Delta{{Name: secret, Before: secret, After: secret}},
		Diff:   &recipe.FileDiff{Path: "/" + secret, Exists: true, Before: []byte("a\n" + secret + "\n"), After: []byte("x=" + secret + "\n")}}
	maybe := recipe.Change{Kind: recipe.MayBe, Until: secret}
	one, two := item(secret, "file:/"+secret, change), item(secret, "file:/other"+secret, maybe)
	step := &engine.StepError{Step: recipe.Numbered{Step: recipe.Exec{Name: secret}}, Output: secret + "\n" + secret}
	back := engine.Restored{Unit: secret, Paths: []string{secret}}
	return []engine.Event{
		engine.Connecting{Address: secret}, engine.Asking{},
		engine.PlanMade{Plan: engine.Plan{Items: []engine.Planned{one, two}}},
		engine.Applying{Run: secret}, engine.StepBegan{Title: secret, Resource: secret}, engine.StepEnded{Title: secret},
		engine.Output{Line: secret}, engine.Progress{Title: secret, Total: 9}, engine.Note{Text: secret},
		engine.Changed{Item: one.Item, Change: change}, back, engine.Verifying{Checks: 1},
		engine.Checked{Check: recipe.Check{Name: secret}, Err: errors.New(secret)},
		engine.Printed{Line: secret}, engine.Printed{Line: secret, Error: true},
		engine.Finished{Status: engine.StatusFailed, Hint: secret, After: []string{secret},
			Err: &engine.RestoredError{Failed: step, Restored: back, Err: step}},
		engine.Finished{Status: engine.StatusSame, After: []string{secret}},
	}
}

// No text of any event shows a secret, at any verbosity, to people or to programs.
func TestNoEventShowsASecret(t *testing.T) {
	for _, secret := range []string{"hunter2", "a&b<c>\"d'é", "-----BEGIN KEY-----\nb3BlbnNzaC1rZXktdjE\n-----END KEY-----"} {
		var people, programs bytes.Buffer
		c := newClock()
		terminal := newTerminal(&people, Options{Verbosity: 3, Plan: true, Live: true, Width: 200, Now: c.now, Secrets: []string{secret}, Hosts: []string{secret}})
		j := NewJSON(&programs, []string{secret}, codes)
		for _, event := range secretRun(secret) {
			e := engine.HostEvent{Host: secret, Event: event}
			terminal.Event(e)
			terminal.tick()
			j.Event(e)
		}
		terminal.Event(engine.HostEvent{Host: "web1", Event: engine.Asking{}})
		terminal.Summary(secret, 0)
		j.Summary(secret, 0)
		if err := terminal.Close(); err != nil {
			t.Fatal(err)
		}
		for name, out := range map[string]string{"terminal": people.String(), "JSON": programs.String()} {
			if !strings.Contains(out, Mark) {
				t.Fatalf("%s: nothing was masked:\n%s", name, out)
			}
			for _, line := range strings.Split(secret, "\n") {
				for _, form := range forms(line) {
					if at := strings.Index(out, form); at >= 0 {
						t.Errorf("%s shows %q: %.200s", name, form, out[max(at-80, 0):])
					}
				}
			}
		}
	}
}

// A secret that is one of our own words masks no field by which programs go.
func TestSecretThatIsAWord(t *testing.T) {
	var out bytes.Buffer
	j := NewJSON(&out, []string{"finished", "same", "2026"}, codes)
	j.Event(engine.HostEvent{Host: "web1", Event: engine.Finished{Status: engine.StatusSame}})
	var got finished
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if got.Event != "finished" || got.Status != engine.StatusSame || !strings.HasPrefix(string(got.Time), "20") {
		t.Errorf("got %s", out.String())
	}
}

// What is no UTF-8 is kept byte by byte, and masked all the same.
func TestRawLines(t *testing.T) {
	var out bytes.Buffer
	j := NewJSON(&out, []string{"hunter2hunter2"}, codes)
	for _, event := range []engine.Event{
		engine.Output{Line: "a\xff<hunter2hunter2>"}, engine.Output{Line: "é<"},
		engine.Printed{Line: "\xfe", Error: true}, engine.Printed{Line: "x"},
	} {
		j.Event(engine.HostEvent{Host: "web1", Event: event})
	}
	want := []string{"a\xff<" + Mark + ">", "", "\xfe", ""}
	for i, line := range strings.Split(strings.TrimSpace(out.String()), "\n") {
		var got struct {
			Host, Event, Line, Stream string
			Raw                       []byte
		}
		if err := json.Unmarshal([]byte(line), &got); err != nil {
			t.Fatal(err)
		}
		if string(got.Raw) != want[i] || got.Host != "web1" || got.Line == "" || strings.Contains(line, "hunter2") || (got.Event == "printed") != (got.Stream != "") {
			t.Errorf("%s: raw %q, want %q", line, got.Raw, want[i])
		}
	}
}
