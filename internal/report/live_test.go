package report

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"provision/internal/engine"
)

// screen is a terminal of any height, which knows just the codes that the live area uses.
type screen struct {
	lines []string
	row   int
}

func (s *screen) write(t *testing.T, text string) {
	for len(text) > 0 {
		for len(s.lines) <= s.row {
			s.lines = append(s.lines, "")
		}
		var n int
		switch {
		case text[0] == '\n':
			s.row++
			n = 1
		case text[0] == '\r':
			n = 1
		case strings.HasPrefix(text, "\x1b[2K"):
			s.lines[s.row] = ""
			n = 4
		case strings.HasPrefix(text, "\x1b[K"): // at the end of what was just written
			n = 3
		case text[0] == '\x1b':
			var up int
			if _, err := fmt.Sscanf(text, "\x1b[%dA", &up); err != nil || up > s.row {
				t.Fatalf("at row %d: unknown or impossible code %.12q", s.row, text)
			}
			s.row -= up
			n = strings.Index(text, "A") + 1
		default:
			n = strings.IndexAny(text+"\n", "\n\r\x1b")
			s.lines[s.row] = text[:n]
		}
		text = text[n:]
	}
}

func (s *screen) String() string { return strings.TrimRight(strings.Join(s.lines, "\n"), "\n") + "\n" }

// TestLive draws the run on three hosts at given times, and at its end nothing of what was
// drawn in between has stayed.
func TestLive(t *testing.T) {
	var out bytes.Buffer
	c := newClock()
	o := Options{Live: true, Width: 80, Height: 24, Hosts: []string{"web1", "web2", "web3"}, Now: c.now}
	terminal := newTerminal(&out, o)
	s := &screen{}
	var pictures strings.Builder
	begin, shots := c.time, []time.Duration{0, 400, 2500, 4800, 9000}
	for _, cue := range timeline(threeHosts()) {
		for len(shots) > 0 && cue.at > shots[0]*time.Millisecond {
			c.time = begin.Add(shots[0] * time.Millisecond)
			terminal.tick()
			s.write(t, out.String())
			out.Reset()
			fmt.Fprintf(&pictures, "── after %s\n%s\n", shots[0]*time.Millisecond, strings.Join(s.lines[s.row-len(terminal.area.drawn):s.row], "\n"))
			shots = shots[1:]
		}
		c.time = begin.Add(cue.at)
		terminal.Event(cue.event)
	}
	if err := terminal.Close(); err != nil {
		t.Fatal(err)
	}
	terminal.Summary("provision install graphite -H web3", 0)
	s.write(t, out.String())
	golden(t, "live-pictures", pictures.String())
	golden(t, "live-end", s.String())
	for _, line := range s.lines {
		if strings.ContainsAny(line, strings.Join(newSigns(false).spinner, "")) {
			t.Errorf("a spinner stayed: %s", line)
		}
	}
}

func TestLiveIsBoundByHeight(t *testing.T) {
	var hosts []*host
	for i := range 40 {
		hosts = append(hosts, &host{name: fmt.Sprintf("host%02d", i), began: i < 30, phase: "asking", since: newClock().time, started: newClock().time})
	}
	hosts[0].end = &finished{Status: engine.StatusFailed}
	lines := newPage(Options{Width: 80}).liveLines(hosts, 24, newClock().time)
	if len(lines) != 22 || lines[20] != "  9 more under way · 10 waiting · 1 of 40 finished" || lines[21] != "  slowest host01, 0.0 s · 1 failed: host00" {
		t.Errorf("%d lines, the last %q", len(lines), lines[len(lines)-2:])
	}
}

func TestLiveNarrows(t *testing.T) {
	area := live{drawn: []int{79, 20}}
	if rows := area.rows(80); rows != 2 {
		t.Errorf("80 columns: %d rows", rows)
	}
	if rows := area.rows(40); rows != 3 {
		t.Errorf("40 columns: %d rows", rows)
	}
	if got, want := area.erase(40), "\r"+strings.Repeat("\x1b[1A\x1b[2K", 3); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A question stands alone: while the area is suspended nothing is drawn, but what happens
// is told.
func TestSuspend(t *testing.T) {
	var out bytes.Buffer
	c := newClock()
	terminal := newTerminal(&out, Options{Live: true, Width: 80, Now: c.now})
	tell := func(event engine.Event) { terminal.Event(engine.HostEvent{Host: "web1", Event: event}) }
	tell(engine.Asking{})
	terminal.tick()
	resume := terminal.Suspend()
	out.Reset()
	terminal.tick()
	tell(engine.Note{Text: "meanwhile"})
	if got := out.String(); got != "  note: meanwhile\n" {
		t.Errorf("while suspended: %q", got)
	}
	out.Reset()
	resume()
	resume() // a second time does nothing
	if !strings.Contains(out.String(), "asking the host") {
		t.Errorf("after: %q", out.String())
	}
	if terminal.suspended != 0 {
		t.Errorf("suspended %d times", terminal.suspended)
	}
}

func TestTransferBar(t *testing.T) {
	c := newClock()
	bar := &transfer{record: &progress{Done: 13_100_000, Total: 31_000_000}, since: c.time.Add(-2 * time.Second)}
	for o, want := range map[bool]string{false: "━━━━╌╌╌╌╌╌  42 %  31.0 MB  6.5 MB/s", true: "####......  42 %  31.0 MB  6.5 MB/s"} {
		if got := newPage(Options{Width: 80, ASCII: o}).transferBar(bar, c.now()); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	empty := &transfer{record: &progress{}, since: c.time}
	if got, want := newPage(Options{ASCII: true}).transferBar(empty, c.now()), "########## 100 %  0 B"; got != want {
		t.Errorf("nothing to transfer: got %q, want %q", got, want)
	}
}
