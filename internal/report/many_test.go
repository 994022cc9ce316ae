package report

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"provision/internal/engine"
	"provision/internal/recipe"
)

// fleet are runs on so many hosts: most are changed, some are as they should be, a few fail.
func fleet(number int) (names []string, runs map[string][]moment) {
	random := rand.New(rand.NewPCG(12, 8))
	runs = map[string][]moment{}
	for i := range number {
		name := fmt.Sprintf("web%03d", i+1)
		names = append(names, name)
		run := graphiteRun(name)
		for j := range run {
			run[j].stays = time.Duration(float64(run[j].stays) * (0.5 + random.Float64()))
		}
		switch {
		case i%50 == 30:
			run = []moment{{engine.Connecting{Address: fmt.Sprintf("10.0.0.%d:22", i)}, 3 * time.Second}, {engine.Finished{
				Status: engine.StatusUnreachable, Elapsed: 10 * time.Second, Hint: "ssh -v root@" + name,
				Err: fmt.Errorf("connect to 10.0.0.%d:22: no answer within 10 s", i)}, 0}}
		case i%40 == 11:
			run = brokenRun()
		case i%5 == 3:
			run = sameRun()["web1"]
		}
		runs[name] = run
	}
	return names, runs
}

func TestManyHosts(t *testing.T) {
	for number, shapes := range map[int]map[string]Options{
		25:  {"80": {Width: 80}, "log": {}, "plan": {Width: 80, Plan: true}},
		300: {"log": {}, "live": {Live: true, Width: 80, Height: 24}, "plan": {Width: 80, Plan: true}},
	} {
		names, runs := fleet(number)
		for name, o := range shapes {
			o.Hosts = names
			t.Run(fmt.Sprintf("%d-%s", number, name), func(t *testing.T) {
				its := runs
				if o.Plan {
					its = plansOf(runs)
				}
				var out bytes.Buffer
				c := newClock()
				o.Now = c.now
				terminal := newTerminal(&out, o)
				playCues(terminal, c, inTurns(names, its, 30))
				if err := terminal.Close(); err != nil {
					t.Fatal(err)
				}
				terminal.Summary("provision install graphite -l @failed", 0)
				shown := out.String()
				if o.Live {
					s := &screen{}
					s.write(t, shown)
					shown = s.String()
				}
				golden(t, fmt.Sprintf("many-%d-%s", number, name), shown)
			})
		}
	}
}

// plansOf are the runs up to their plans.
func plansOf(runs map[string][]moment) map[string][]moment {
	planned := map[string][]moment{}
	for host, run := range runs {
		its := run
		if len(run) > 5 {
			its = append(run[:3:3], moment{engine.Finished{Status: engine.StatusPending, Same: 23, Elapsed: time.Second}, 0})
		}
		planned[host] = its
	}
	return planned
}

// TestManyHostsLive draws 300 hosts, of which 30 are at work at a time.
func TestManyHostsLive(t *testing.T) {
	names, runs := fleet(300)
	var out bytes.Buffer
	c := newClock()
	terminal := newTerminal(&out, Options{Live: true, Width: 80, Height: 24, Hosts: names, Now: c.now})
	begin := c.time
	var pictures strings.Builder
	shots := []time.Duration{300, 3_000, 20_000, 90_000}
	for _, cue := range inTurns(names, runs, 30) {
		for len(shots) > 0 && cue.at > shots[0]*time.Millisecond {
			c.time = begin.Add(shots[0] * time.Millisecond)
			terminal.tick()
			fmt.Fprintf(&pictures, "── after %s\n%s\n", shots[0]*time.Millisecond, strings.Join(terminal.page.liveLines(terminal.hosts, 24, c.time), "\n"))
			if rows := len(terminal.area.drawn); rows > 23 {
				t.Errorf("%d lines on a terminal of 24", rows)
			}
			shots = shots[1:]
		}
		c.time = begin.Add(cue.at)
		terminal.Event(cue.event)
	}
	if err := terminal.Close(); err != nil || len(shots) > 0 {
		t.Fatal(err, shots)
	}
	golden(t, "many-live-pictures", pictures.String())
}

// inTurns puts runs on a line of time, so many hosts at once: first all plans, then the changes.
func inTurns(names []string, runs map[string][]moment, forks int) []cue {
	var cues []cue
	var ready time.Duration
	for _, planning := range []bool{true, false} {
		free := make([]time.Duration, forks)
		for i := range free {
			free[i] = ready
		}
		for _, name := range names {
			first := 0
			for i := range free {
				if free[i] < free[first] {
					first = i
				}
			}
			cut := min(3, len(runs[name]))
			part := runs[name][:cut]
			if !planning {
				part = runs[name][cut:]
			}
			for _, moment := range part {
				cues = append(cues, cue{free[first], engine.HostEvent{Host: name, Event: moment.event}})
				free[first] += moment.stays
			}
			ready = max(ready, free[first])
		}
	}
	return sorted(cues)
}

// counter counts how often it was written to, and how much.
type counter struct{ writes, bytes int }

func (c *counter) Write(text []byte) (int, error) {
	c.writes++
	c.bytes += len(text)
	return len(text), nil
}

// A terminal is drawn ten times a second at the most, however much happens.
func TestRedrawsAreFew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out counter
		names, runs := fleet(1000)
		terminal := NewTerminal(&out, Options{Live: true, Width: 80, Height: 24, Hosts: names})
		began, events := time.Now(), 0
		for _, cue := range inTurns(names, runs, 100) {
			time.Sleep(time.Until(began.Add(cue.at / 10)))
			terminal.Event(cue.event)
			events++
		}
		took := time.Since(began)
		synctest.Wait()
		if most := int(10 * took.Seconds()); out.writes > most || out.writes < most/5 {
			t.Errorf("%d writes in %s of %d events: at most %d", out.writes, took, events, most)
		}
		t.Logf("%d events in %s: %d writes, %d bytes", events, took, out.writes, out.bytes)
		terminal.Close()
	})
}

// What commands print goes out at once where it is much, so that it does not pile up.
func TestHeldIsBounded(t *testing.T) {
	var out counter
	terminal := newTerminal(&out, Options{Live: true, Width: 80, Height: 24, Hosts: []string{"a", "b"}})
	line := strings.Repeat("x", 1000)
	for range 2000 {
		terminal.Event(engine.HostEvent{Host: "a", Event: engine.Printed{Line: line}})
	}
	if out.bytes < 1_700_000 || out.writes > 20 {
		t.Errorf("%d bytes in %d writes", out.bytes, out.writes)
	}
	terminal.Close()
}

// Plans of hosts that are the same are told once, when all are there; of others, and of hosts that have none, the run goes on.
func TestSamePlansAreToldOnce(t *testing.T) {
	planOf := func(content string) engine.Event {
		return engine.PlanMade{Plan: engine.Plan{Items: []engine.Planned{
			item("shop", "file:/etc/shop", recipe.Change{Kind: recipe.Create, Diff: &recipe.FileDiff{Path: "/etc/shop", After: []byte(content)}}),
		}}}
	}
	var out bytes.Buffer
	terminal := newTerminal(&out, Options{Plan: true, Hosts: []string{"db1", "web1", "web2", "web3", "web4"}})
	tell := func(host string, event engine.Event) { terminal.Event(engine.HostEvent{Host: host, Event: event}) }
	tell("web3", planOf("a\n"))
	tell("web1", planOf("a\n"))
	tell("db1", planOf("b\n"))
	tell("web2", planOf("a\n"))
	if out.Len() > 0 {
		t.Errorf("told before all were there:\n%s", out.String())
	}
	tell("web4", engine.Finished{Status: engine.StatusUnreachable, Err: errors.New("no answer")})
	want := "✗ web4: no answer\n\ndb1\n\n  shop\n  + file  /etc/shop\n      │ + b\n\n  1 to create\n\nweb[1:3] · 3 hosts\n\n  shop\n  + file  /etc/shop\n      │ + a\n\n  each: 1 to create\n\n"
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}

func BenchmarkThousandHosts(b *testing.B) {
	names, runs := fleet(1000)
	cues := inTurns(names, runs, 100)
	for _, c := range []struct {
		name string
		o    Options
	}{{"live", Options{Live: true, Width: 80, Height: 24}}, {"log", Options{}}} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				var out counter
				clock := newClock()
				o := c.o
				o.Hosts, o.Now = names, clock.now
				terminal := newTerminal(&out, o)
				begin, next := clock.time, clock.time
				for _, cue := range cues {
					clock.time = begin.Add(cue.at)
					for next.Before(clock.time) {
						terminal.tick()
						next = next.Add(frame)
					}
					terminal.Event(cue.event)
				}
				terminal.Close()
				terminal.Summary("", 0)
			}
			b.ReportMetric(float64(len(cues)), "events/op")
		})
	}
}

// Of many hosts, those that a Ctrl-C has left as they were are told together at the end; and a long name leaves
// room for what is wrong.
func TestManyHostsInterrupted(t *testing.T) {
	var names []string
	for i := range 30 {
		names = append(names, fmt.Sprintf("web%02d.a-long-name.frankfurt.example.org", i))
	}
	var out bytes.Buffer
	terminal := newTerminal(&out, Options{Width: 80, Hosts: names})
	for i, name := range names {
		tell := func(event engine.Event) { terminal.Event(engine.HostEvent{Host: name, Event: event}) }
		tell(engine.Asking{})
		if i < 2 {
			tell(engine.Applying{Run: "1"})
		}
		end := engine.Finished{Status: engine.StatusInterrupted, Err: engine.ErrInterrupted, Hint: "run it again"}
		if i == 0 {
			end = engine.Finished{Status: engine.StatusFailed, Err: errors.New("nginx.service: does not run with the new configuration")}
		}
		tell(end)
	}
	if err := terminal.Close(); err != nil {
		t.Fatal(err)
	}
	if told := strings.Count(out.String(), ": interrupted"); told != 1 {
		t.Errorf("%d hosts are told that were interrupted, and one was at work:\n%s", told, out.String())
	}
	out.Reset()
	terminal.Summary("", 0)
	if want := "29 interrupted"; !strings.Contains(out.String(), want) || strings.Count(out.String(), "\n") > 20 {
		t.Errorf("want %s, in few lines:\n%s", want, out.String())
	}
	if want := names[0] + ": failed: nginx.service: does not run\n"; !strings.Contains(out.String(), want) {
		t.Errorf("want %q in\n%s", want, out.String())
	}
}
