package report

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"provision/internal/engine"
	"provision/internal/recipe"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares with testdata/NAME.txt.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".txt")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (go test -update writes it anew); got:\n%s", path, got)
	}
}

// told plays runs to a terminal with these options and returns what it wrote.
func told(t *testing.T, o Options, runs map[string][]moment, again string) string {
	t.Helper()
	var out bytes.Buffer
	c := newClock()
	o.Now = c.now
	terminal := newTerminal(&out, o)
	play(terminal, c, runs)
	if err := terminal.Close(); err != nil {
		t.Fatal(err)
	}
	terminal.Summary(again, 0)
	return out.String()
}

func only(host string) map[string][]moment {
	return map[string][]moment{host: threeHosts()[host]}
}

func planOnly() map[string][]moment {
	run := graphiteRun("web1")[:3]
	return map[string][]moment{"web1": append(run, moment{engine.Finished{Status: engine.StatusPending, Same: 23, Elapsed: time.Second}, 0})}
}

func sameRun() map[string][]moment {
	plan := engine.Plan{Items: []engine.Planned{item("graphite", "file:/etc/carbon/carbon.conf", recipe.Change{})}}
	return map[string][]moment{"web1": {
		{engine.Connecting{Address: "web1:22"}, time.Second}, {engine.Asking{}, time.Second}, {engine.PlanMade{Plan: plan}, 0},
		{engine.Finished{Status: engine.StatusSame, Same: 1, Elapsed: 2 * time.Second}, 0},
	}}
}

func TestTerminal(t *testing.T) {
	three := []string{"web1", "web2", "web3"}
	const again = "provision install graphite -H web3"
	tests := []struct {
		name string
		o    Options
		runs map[string][]moment
	}{
		{"plan-80", Options{Width: 80, Plan: true}, planOnly()},
		{"plan-200", Options{Width: 200, Plan: true}, planOnly()},
		{"plan-80-colour", Options{Width: 80, Plan: true, Color: true}, planOnly()},
		{"plan-ascii", Options{Width: 80, Plan: true, ASCII: true}, planOnly()},
		{"plan-quiet", Options{Plan: true, Verbosity: -1}, planOnly()},
		{"plan-same", Options{Plan: true}, sameRun()},
		{"install-80", Options{Width: 80}, only("web1")},
		{"install-200-colour", Options{Width: 200, Color: true}, only("web1")},
		{"install-same", Options{Width: 80}, sameRun()},
		{"install-v", Options{Width: 80, Verbosity: 1}, only("web1")},
		{"install-vvv", Options{Width: 80, Verbosity: 3}, only("web1")},
		{"broken-80", Options{Width: 80}, only("web2")},
		{"broken-200-colour", Options{Width: 200, Color: true}, only("web2")},
		{"broken-quiet", Options{Width: 80, Verbosity: -1}, only("web2")},
		{"interrupted-80", Options{Width: 80}, map[string][]moment{"web1": interruptedRun()}},
		{"three-80", Options{Width: 80, Hosts: three}, threeHosts()},
		{"three-200", Options{Width: 200, Hosts: three}, threeHosts()},
		{"three-log", Options{Hosts: three}, threeHosts()},
		{"three-quiet", Options{Width: 80, Hosts: three, Verbosity: -1}, threeHosts()},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			golden(t, test.name, told(t, test.o, test.runs, again))
		})
	}
}

// What is wrapped for a terminal fits on it, but for commands and long words, which are
// whole so that they can be copied.
func TestTerminalFits(t *testing.T) {
	for _, columns := range []int{60, 80, 120, 200} {
		out := told(t, Options{Width: columns, Hosts: []string{"web1", "web2", "web3"}, Color: true}, threeHosts(), "")
		for _, line := range strings.Split(out, "\n") {
			if width(line) > columns {
				t.Errorf("%d columns: %d wide: %s", columns, width(line), line)
			}
		}
	}
}

func TestTerminalConcurrently(t *testing.T) {
	var out bytes.Buffer
	o := Options{Live: true, Width: 80, Height: 24}
	runs := map[string][]moment{}
	for i := range 20 {
		host := fmt.Sprintf("host%02d", i)
		o.Hosts = append(o.Hosts, host)
		runs[host] = graphiteRun(host)
	}
	terminal := NewTerminal(&out, o)
	var all sync.WaitGroup
	for host, run := range runs {
		all.Go(func() {
			for _, moment := range run {
				terminal.Event(engine.HostEvent{Host: host, Event: moment.event})
			}
		})
	}
	resume := terminal.Suspend()
	resume()
	all.Wait()
	if err := terminal.Close(); err != nil {
		t.Fatal(err)
	}
	terminal.Summary("", 0)
	for host := range maps.Keys(runs) {
		if !strings.Contains(out.String(), "✓ "+host+"  changed") {
			t.Errorf("%s: its end is not told", host)
		}
	}
}

func TestTerminalVerifyAndExec(t *testing.T) {
	check := func(name string, err error) moment {
		return moment{engine.Checked{Check: recipe.Check{Name: name}, Elapsed: 200 * time.Millisecond, Err: err}, 0}
	}
	t.Run("verify", func(t *testing.T) {
		golden(t, "verify", told(t, Options{Width: 80}, map[string][]moment{"web1": {
			{engine.Verifying{Checks: 2}, 0}, check("a metric comes back", nil), check("a graph is drawn", nil),
			{engine.Finished{Status: engine.StatusVerified, Elapsed: 3 * time.Second}, 0},
		}}, ""))
	})
	t.Run("verify-failed", func(t *testing.T) {
		golden(t, "verify-failed", told(t, Options{Width: 80}, map[string][]moment{"web1": {
			{engine.Verifying{Checks: 2}, 0}, check("a metric comes back", nil),
			check("a graph is drawn", errors.New("GET http://127.0.0.1/render: status 502, want 200\n<html>\x1b]0;x\x07</html>")),
			{engine.Finished{Status: engine.StatusFailed, Elapsed: 3 * time.Second, Err: errors.New("1 of 2 checks failed"),
				Hint: "provision exec -H web1 -- journalctl -u uwsgi -n 50"}, 0},
		}}, ""))
	})
	t.Run("exec", func(t *testing.T) {
		print := func(line string, bad bool) moment { return moment{engine.Printed{Line: line, Error: bad}, 0} }
		end := moment{engine.Finished{Status: engine.StatusDone, Elapsed: time.Second}, 0}
		golden(t, "exec", told(t, Options{Width: 80, Hosts: []string{"web1", "db"}}, map[string][]moment{
			"web1": {print("up 3 days", false), print("\ttabbed \x1b[31mred\x1b[0m", false), end},
			"db":   {print("sh: 1: uptim: not found", true), {engine.Finished{Status: engine.StatusFailed, Err: errors.New("uptim: exit status 127")}, 0}},
		}, ""))
	})
}

// Answers go to their own writer, without the colours of the other.
func TestAnswerTo(t *testing.T) {
	var errors, answers bytes.Buffer
	terminal := newTerminal(&errors, Options{Color: true, Live: true, Width: 80, Plan: true})
	terminal.AnswerTo(&answers, Options{})
	c := newClock()
	terminal.options.Now = c.now
	play(terminal, c, planOnly())
	if err := terminal.Close(); err != nil {
		t.Fatal(err)
	}
	if got := answers.String(); !strings.HasPrefix(got, "web1, Debian") && !strings.HasPrefix(got, "web1 · Debian 12") || strings.Contains(got, "\x1b") {
		t.Errorf("answers:\n%s", got)
	}
	if strings.Contains(errors.String(), "carbon.conf") {
		t.Errorf("the plan is among what is said besides:\n%s", errors.String())
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, os.ErrClosed }

func TestTerminalCannotWrite(t *testing.T) {
	terminal := NewTerminal(fullDisk{}, Options{})
	terminal.Event(engine.HostEvent{Host: "web1", Event: engine.Note{Text: "x"}})
	if err := terminal.Close(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("got %v", err)
	}
}

func TestProblem(t *testing.T) {
	var out bytes.Buffer
	problem := errors.New("hosts.yaml:3:5: unknown key \"hots\"\nhosts.yaml:9:1: password hunter2 \x1b[2J")
	if err := Problem(&out, Options{Secrets: []string{"hunter2"}}, problem, "provision list"); err != nil {
		t.Fatal(err)
	}
	want := "✗ hosts.yaml:3:5: unknown key \"hots\"\n✗ hosts.yaml:9:1: password [secret] ^[[2J\n  hint: provision list\n"
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}
