package report

import (
	"io"
	"strings"
	"sync"
	"time"
)

// Terminal tells people what a run does. Its methods are safe from several goroutines.
//
// On one host each change is told when it is done. Where several hosts are redrawn in place,
// a host's changes are told together when it is finished, so that hosts do not mix; where
// nothing is redrawn, each line bears its host's name.
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
	plans     map[string]string // by the text of a plan, the first host that had it
	area      live
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
		w: w, plans: map[string]string{}, stop: make(chan struct{}),
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
	t.write(t.w, t.drawn())
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

// drawn returns the codes that draw the area, nothing while it must not be.
func (t *Terminal) drawn() string {
	if !t.options.Live || t.suspended > 0 || t.closed {
		return ""
	}
	return t.area.draw(t.page.liveLines(t.hosts, t.options.Height, t.options.now()), t.page.width)
}

// Suspend takes the live area away, for a question to the person, until resume is called.
// What happens in between is still told.
func (t *Terminal) Suspend() (resume func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.suspended++
	t.write(t.w, t.area.erase(t.page.width))
	return sync.OnceFunc(func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.suspended--
		t.write(t.w, t.drawn())
	})
}

// Close ends the live area, and tells what was kept of hosts that were not finished. It
// returns the first error of writing. Summary may follow it.
func (t *Terminal) Close() error {
	t.mu.Lock()
	if !t.closed {
		for _, h := range t.hosts {
			if h.end == nil {
				t.flush(h)
			}
		}
		t.write(t.w, t.area.erase(t.page.width))
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
	for _, h := range t.hosts {
		if t.options.Verbosity >= 0 || failed(h.status()) {
			rows = append(rows, outcome{h.name, h.status(), h.end})
		}
	}
	if len(rows) > 0 {
		t.print(t.page.summary(rows, t.clean(again)))
	}
}

// host returns what is known of a host, in the order of the run.
func (t *Terminal) host(name string) *host {
	for _, h := range t.hosts {
		if h.name == name {
			return h
		}
	}
	h := &host{name: name, steps: map[int]string{}, seconds: map[string]float64{}}
	t.hosts = append(t.hosts, h)
	return h
}

// columns is the width of the widest host's name.
func (t *Terminal) columns() int { return hostColumns(t.hosts) }

// print writes lines above the live area.
func (t *Terminal) print(lines []string) { t.above(t.w, lines) }

// answer writes lines of what was asked for.
func (t *Terminal) answer(lines []string) { t.above(t.to, lines) }

// above writes lines where the live area stands, and draws it again below them. It goes
// out in one write where it can, so that nothing flickers.
func (t *Terminal) above(to io.Writer, lines []string) {
	if len(lines) == 0 {
		return
	}
	text := strings.Join(lines, "\n") + "\n"
	erase := t.area.erase(t.page.width)
	if to == t.w {
		t.write(t.w, erase+text+t.drawn())
		return
	}
	t.write(t.w, erase)
	t.write(to, text)
	t.write(t.w, t.drawn())
}

func (t *Terminal) write(w io.Writer, text string) {
	if text == "" {
		return
	}
	if _, err := io.WriteString(w, text); err != nil && t.err == nil {
		t.err = err
	}
}
