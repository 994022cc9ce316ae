package report

import (
	"time"

	"provision/internal/engine"
)

// clean masks a text and makes it harmless.
func (t *Terminal) clean(text string) string {
	return sanitize(t.masker.Mask(text), t.options.ASCII)
}

// Event tells of an event, now or when its host is finished.
func (t *Terminal) Event(e engine.HostEvent) {
	now := t.options.now()
	var r record
	if made, planned := e.Event.(engine.PlanMade); planned && t.options.Verbosity < 3 {
		r = newChanges(head{Host: e.Host}, made.Plan) // what is the same is only counted
	} else {
		r = newRecord(e, now)
	}
	if r == nil {
		return
	}
	gate(r, t.clean)
	t.mu.Lock()
	defer t.mu.Unlock()
	h := t.host(r.top().Host)
	was := h.transfer
	h.follow(r, now)
	if begins(r) {
		t.tellPlans()
	}
	t.tell(h, r, was)
	t.decide(h, r)
}

// tell prints what a record is worth at the verbosity.
func (t *Terminal) tell(h *host, r record, was *transfer) {
	p, verbosity := t.page, t.options.Verbosity
	if t.mixed() {
		p = t.labelled()
	}
	switch r := r.(type) {
	case *planned:
		t.keepPlan(r)
	case *printed:
		t.answer([]string{t.answers.printedLine(r, t.columns)})
	case *graphed:
		t.answer(t.answers.graph(r, time.Local))
	case *finished:
		t.finish(h, r)
	case *restored:
		t.say(h, p.restored(r))
	case *checked:
		if verbosity >= 0 || !r.Passed {
			t.say(h, p.check(r))
		}
	}
	if verbosity < 0 {
		return
	}
	switch r := r.(type) {
	case *note:
		t.sayNow(h, t.labelled().notice(r.Text))
	case *changed:
		t.say(h, p.change(r.resource, h.seconds[r.Resource]))
	case *progress:
		if !t.options.Live && (was == nil || r.Done >= r.Total) && (len(t.hosts) < 2 || t.mixed()) {
			t.say(h, []string{p.transfer(r)})
		}
	case *stepEnded:
		if verbosity >= 1 && !r.Failed {
			t.say(h, []string{p.step(r)})
		}
	case *output:
		if verbosity >= 2 {
			t.say(h, p.barred("    ", r.Line, p.paint.faint))
		}
	case *connecting, *asking:
		if verbosity >= 3 {
			t.say(h, []string{p.paint.faint.Render("  " + oneLine(h.phase))})
		}
	case *applying:
		if verbosity >= 3 {
			t.say(h, []string{p.paint.faint.Render("  run " + oneLine(r.Run))})
		}
	}
}

// finish tells how the work on a host ended.
func (t *Terminal) finish(h *host, record *finished) {
	p, bad := t.page, failed(record.Status)
	many := len(t.hosts) > severalHosts && t.options.Verbosity < 1
	if many && !bad {
		h.block = nil // the end counts it
	}
	t.flush(h)
	if record.Status == engine.StatusNotBegun || many && record.Status == engine.StatusInterrupted && !h.applying {
		return // the summary says it, and why once
	}
	if bad {
		t.print(p.failure(record, h.restored))
		if len(t.hosts) < 2 && record.Changed > 0 { // else the summary says it
			t.print([]string{"  " + p.tally(record)})
		}
		if record.Status == engine.StatusInterrupted && h.applying && len(h.left) > 0 {
			t.print(p.notDone(h.left))
		}
		return
	}
	if t.options.Verbosity < 0 || many && t.options.Live {
		return
	}
	// A plan, asked for or declined, is its own result.
	if record.Status != engine.StatusPending && (!t.options.Plan || record.Status != engine.StatusSame) {
		t.print([]string{p.result(record, t.columns, h.checks)})
	}
	if len(record.After) > 0 && !many {
		t.print(p.after(record.After))
	}
}

// labelled is the page beside a host's label.
func (t *Terminal) labelled() page {
	p := t.page
	if len(t.hosts) > 1 && p.width > 0 {
		p.width -= t.columns
	}
	return p
}

// mixed reports whether lines of several hosts follow each other, so that each is labelled.
func (t *Terminal) mixed() bool {
	return len(t.hosts) > 1 && (t.options.Verbosity >= 2 || t.closed)
}

// say prints lines of a host, or keeps them until it is finished.
func (t *Terminal) say(h *host, lines []string) {
	if len(t.hosts) > 1 && !t.mixed() {
		h.block = append(h.block, lines...)
		return
	}
	t.sayNow(h, lines)
}

// sayNow prints lines of a host, with its name where there are several.
func (t *Terminal) sayNow(h *host, lines []string) {
	if len(t.hosts) > 1 {
		lines = t.page.label(h.name, t.columns, lines)
	}
	t.print(lines)
}

// flush prints what was kept of a host.
func (t *Terminal) flush(h *host) {
	if len(h.block) > 0 {
		t.space()
		t.print(append([]string{t.page.paint.strong.Render(h.name)}, h.block...))
		h.block = nil
	}
}
