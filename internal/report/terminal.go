package report

import (
	"io"
	"strings"
	"sync"
	"time"
)

// Terminal tells people what a run does. Its methods are safe from several goroutines.
//
// On one host each change is told when it is done. Of several hosts each one's changes are told
// together when it is finished, so that hosts do not mix; of many (severalHosts) only those of
// hosts that did not end well. With -vv each line is told at once, and bears its host's name.
//
// A terminal that is redrawn is written to once a frame, whatever the number of hosts: what is
// told in between waits for that.
type Terminal struct {
	options Options
	masker  *Masker
	page    page
	answers page      // for what was asked for
	to      io.Writer // answers' writer, the same as w unless AnswerTo

	mu        sync.Mutex
	w         io.Writer
	err       error // the first of writing
	hosts     []*host
	byName    map[string]*host
	columns   int // of the widest host's name
	undecided int // hosts of which there is neither a plan nor an end
	plans     plans
	area      live
	held      []heldText // since the area was drawn
	heldBytes int
	spaced    bool // the line that was told last is empty, or there is none
	suspended int
	closed    bool
	stop      chan struct{}
	stopped   sync.WaitGroup
}

// NewTerminal returns a Terminal that writes to w as o says it can. Close has to be called.
func NewTerminal(w io.Writer, o Options) *Terminal {
	t := newTerminal(w, o)
	if o.Live {
		t.stopped.Add(1)
		go t.redraw()
	}
	return t
}

func newTerminal(w io.Writer, o Options) *Terminal {
	t := &Terminal{
		options: o, masker: NewMasker(o.Secrets), page: newPage(o), answers: newPage(o), to: w,
		w: w, byName: map[string]*host{}, spaced: true, stop: make(chan struct{}),
	}
	for _, name := range o.Hosts {
		t.host(t.clean(name))
	}
	return t
}

// AnswerTo sends what was asked for, plans and the lines of exec, to w as o says it can:
// standard output, while all else goes to standard error. It is called before any event.
func (t *Terminal) AnswerTo(w io.Writer, o Options) {
	o.Verbosity = t.options.Verbosity // one of both
	t.to, t.answers = w, newPage(o)
}

// redraw keeps the area's times and spinners going.
func (t *Terminal) redraw() {
	defer t.stopped.Done()
	ticker := time.NewTicker(frame)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			t.tick()
		case <-t.stop:
			return
		}
	}
}

func (t *Terminal) tick() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.resize()
	if t.moves() {
		t.release(t.drawn)
	}
}

// resize takes in the terminal's size, which a person may change at any time.
func (t *Terminal) resize() {
	if t.options.size == nil {
		return
	}
	if width, height := t.options.size(); width > 0 {
		if t.answers.width == t.page.width {
			t.answers.width = width
		}
		t.page.width, t.options.Height = width, height
	}
}

// moves reports whether there is an area that is redrawn.
func (t *Terminal) moves() bool { return t.options.Live && t.suspended == 0 && !t.closed }

// drawn returns the codes that draw the area.
func (t *Terminal) drawn() string {
	return t.area.draw(t.page.liveLines(t.hosts, t.options.Height, t.options.now()), t.page.width)
}

// Suspend takes the live area away, for a question to the person, until resume is called.
// What happens in between is still told.
func (t *Terminal) Suspend() (resume func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.release(nil)
	t.suspended++
	return sync.OnceFunc(func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.suspended--
		if t.moves() {
			t.release(t.drawn)
		}
	})
}

// TellPlans tells the plans that wait for those of other hosts, which may be the same.
func (t *Terminal) TellPlans() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.tellPlans()
}

// Close ends the live area, and tells what was kept of hosts that were not finished. It
// returns the first error of writing. Summary may follow it.
func (t *Terminal) Close() error {
	t.mu.Lock()
	if !t.closed {
		t.tellPlans()
		for _, h := range t.hosts {
			if h.end == nil {
				t.flush(h)
			}
		}
		t.release(nil)
		t.closed = true
		close(t.stop)
	}
	err := t.err
	t.mu.Unlock()
	t.stopped.Wait()
	return err
}

// Summary tells how every host of a run on several ended; again is the command that runs
// the failed ones again, "" when there is none.
func (t *Terminal) Summary(again string, _ int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.hosts) < 2 {
		return
	}
	var rows []outcome
	bad := false
	for _, h := range t.hosts {
		rows = append(rows, outcome{h.name, h.address, h.status(), h.end})
		bad = bad || failed(h.status())
	}
	if bad || t.options.Verbosity >= 0 {
		t.space()
		t.print(t.page.summary(rows, t.options.Verbosity < 0, t.clean(again)))
	}
}

// host returns what is known of a host, in the order of the run.
func (t *Terminal) host(name string) *host {
	if h := t.byName[name]; h != nil {
		return h
	}
	h := &host{name: name, place: len(t.hosts), steps: map[int]string{}, seconds: map[string]float64{}}
	t.hosts, t.byName[name] = append(t.hosts, h), h
	t.columns = max(t.columns, hostColumns([]*host{h}))
	t.undecided++
	return h
}

// print writes lines above the live area.
func (t *Terminal) print(lines []string) { t.above(t.w, lines) }

// space sets what comes apart from what was told before.
func (t *Terminal) space() {
	if !t.spaced {
		t.print([]string{""})
	}
}

// answer writes lines of what was asked for.
func (t *Terminal) answer(lines []string) { t.above(t.to, lines) }

// heldText is a text, and where it goes.
type heldText struct {
	to   io.Writer
	text string
}

// mostHeld bounds what waits for the next frame, in bytes.
const mostHeld = 256 << 10

// above writes lines above the live area: with the next frame where there is one.
func (t *Terminal) above(to io.Writer, lines []string) {
	if len(lines) == 0 {
		return
	}
	text := strings.Join(lines, "\n") + "\n"
	t.spaced = lines[len(lines)-1] == ""
	if !t.moves() {
		t.write(to, text)
		return
	}
	t.held = append(t.held, heldText{to, text})
	if t.heldBytes += len(text); t.heldBytes > mostHeld {
		t.release(nil)
	}
}

// release writes what was held where the live area stands, and then what draw returns, below it. It goes
// out in one write where it can, so that nothing flickers.
func (t *Terminal) release(draw func() string) {
	var all []heldText
	add := func(to io.Writer, text string) {
		if last := len(all) - 1; last >= 0 && all[last].to == to {
			all[last].text += text
			return
		}
		all = append(all, heldText{to, text})
	}
	if len(t.held) > 0 || draw == nil {
		add(t.w, t.area.erase(t.page.width))
	}
	for _, one := range t.held {
		add(one.to, one.text)
	}
	t.held, t.heldBytes = nil, 0
	if draw != nil {
		add(t.w, draw())
	}
	for _, one := range all {
		t.write(one.to, one.text)
	}
}

func (t *Terminal) write(w io.Writer, text string) {
	if text == "" {
		return
	}
	if _, err := io.WriteString(w, text); err != nil && t.err == nil {
		t.err = err
	}
}
