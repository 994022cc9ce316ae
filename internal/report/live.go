package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"provision/internal/address"
	"provision/internal/engine"
)

// live is the area below all that was printed, which is drawn again in place: a line for
// each host under way.
type live struct {
	drawn []int // the widths of the lines that stand there
}

// rows is the number of lines that the area takes on a terminal that has become columns
// wide: a line that is wider now takes several.
func (l *live) rows(columns int) int {
	rows := 0
	for _, width := range l.drawn {
		rows++
		if columns > 0 && width > columns {
			rows += (width - 1) / columns
		}
	}
	return rows
}

// erase returns the codes that take the area away and leave the cursor where it began. It
// goes line by line: tmux would keep what one code clears from the top of the screen.
func (l *live) erase(columns int) string {
	rows := l.rows(columns)
	l.drawn = nil
	if rows == 0 {
		return ""
	}
	return "\r" + strings.Repeat("\x1b[1A\x1b[2K", rows)
}

// draw returns the codes that draw lines over the area. While it keeps its size, each line
// is written over the old one and then cleared to its end, so that nothing flickers.
func (l *live) draw(lines []string, columns int) string {
	var out strings.Builder
	if rows := l.rows(columns); rows > 0 && rows == len(lines) {
		fmt.Fprintf(&out, "\r\x1b[%dA", rows)
	} else {
		out.WriteString(l.erase(columns))
	}
	l.drawn = nil
	for _, line := range lines {
		out.WriteString(line + "\x1b[K\n")
		l.drawn = append(l.drawn, width(line))
	}
	return out.String()
}

// frame is the time that a picture of the area stands.
const frame = 125 * time.Millisecond

// liveLines are the lines of the area: the hosts under way, as many as fit on the terminal, and of the
// others how many there are.
func (p page) liveLines(hosts []*host, height int, now time.Time) []string {
	var active []*host
	for _, h := range hosts {
		if h.active() {
			active = append(active, h)
		}
	}
	if len(active) == 0 {
		return nil
	}
	room := len(active)
	if height > 0 {
		room = min(room, max(height-liveBesides, 1))
	}
	if room < len(active) { // who waits for its turn can be seen less well than who is at work
		slices.SortStableFunc(active, func(a, b *host) int { return ordinal(a.idle) - ordinal(b.idle) })
	}
	columns, counted := hostColumns(active[:room]), false
	for _, h := range active[:room] {
		counted = counted || h.changes > 0
	}
	var lines []string
	for _, h := range active[:room] {
		lines = append(lines, p.liveLine(h, columns, counted, now))
	}
	return append(lines, p.liveSummary(hosts, active[room:], now)...)
}

// liveBesides are the lines that the hosts' own leave: two that sum up, the cursor's, and one of what was
// told last.
const liveBesides = 4

// liveSummary sums up a run of which not all is to be seen: how many hosts are where; and which has been
// under way for the longest time, and which failed.
func (p page) liveSummary(hosts, hidden []*host, now time.Time) []string {
	working, planned, waiting, ended := 0, 0, 0, 0
	var bad []string
	for _, h := range hidden {
		planned += ordinal(h.idle)
		working += ordinal(!h.idle)
	}
	for _, h := range hosts {
		waiting += ordinal(!h.began)
		ended += ordinal(h.end != nil)
		if h.end != nil && failed(h.end.Status) && h.end.Status != engine.StatusNotBegun {
			bad = append(bad, h.name)
		}
	}
	if len(hidden) == 0 && waiting == 0 && len(hosts) <= severalHosts {
		return nil
	}
	var counts []string
	for _, some := range []struct {
		number int
		words  string
	}{{working, "more under way"}, {planned, "planned"}, {waiting, "waiting"}, {ended, fmt.Sprintf("of %d finished", len(hosts))}} {
		if some.number > 0 {
			counts = append(counts, fmt.Sprintf("%d %s", some.number, some.words))
		}
	}
	var lines []string
	if len(counts) > 0 {
		lines = append(lines, p.paint.faint.Render("  "+p.join(counts...)))
	}
	if second := p.join(oldest(hosts, now), p.failedNames(bad)); second != "" {
		lines = append(lines, "  "+second)
	}
	for i, line := range lines {
		if p.width > 0 {
			lines[i] = p.cut(line, p.width-1)
		}
	}
	return lines
}

// oldest names the host that has been at work for the longest time, "" of none.
func oldest(hosts []*host, now time.Time) string {
	var first *host
	for _, h := range hosts {
		if h.active() && !h.idle && (first == nil || h.started.Before(first.started)) {
			first = h
		}
	}
	if first == nil {
		return ""
	}
	return "slowest " + first.name + ", " + secondsText(max(now.Sub(first.started), 0).Seconds())
}

func (p page) failedNames(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return p.paint.bad.Render(fmt.Sprintf("%d failed", len(names))) + ": " + strings.Join(address.Fold(names), ", ")
}

func ordinal(is bool) int {
	if is {
		return 1
	}
	return 0
}

func hostColumns(hosts []*host) int {
	columns := 0
	for _, h := range hosts {
		columns = max(columns, min(width(h.name), 32))
	}
	return columns
}

// liveLine says of a host how many of its changes are done (where counted says that there is
// room for it), for how long the step has been under way, and which it is.
func (p page) liveLine(h *host, columns int, counted bool, now time.Time) string {
	spinner := p.sign.spinner[int(now.UnixMilli()/frame.Milliseconds())%len(p.sign.spinner)]
	line := p.paint.act.Render(spinner) + " " + p.paint.strong.Render(pad(p.cut(h.name, columns), columns))
	if counted {
		number := ""
		if h.changes > 0 {
			number = fmt.Sprintf("%d/%d", h.done, h.changes)
		}
		line += p.paint.faint.Render(fmt.Sprintf("  %5s", number))
	}
	elapsed := max(now.Sub(h.since), 0)
	line += "  " + p.paint.faint.Render(fmt.Sprintf("%7s", secondsText(elapsed.Seconds())))
	line += "  " + oneLine(h.phase)
	if h.transfer != nil {
		line += "  " + p.transferBar(h.transfer, now)
	}
	if p.width > 0 {
		line = p.cut(line, p.width-1)
	}
	return line
}

// transferBar is how far a transfer is: a bar, percent, the size of all, and the rate.
func (p page) transferBar(t *transfer, now time.Time) string {
	cells := 10
	if p.width >= 100 {
		cells = 30
	}
	part := 1.0
	if t.record.Total > 0 {
		part = min(max(float64(t.record.Done)/float64(t.record.Total), 0), 1)
	}
	full := int(part * float64(cells))
	bar := p.paint.act.Render(strings.Repeat(p.sign.full, full)) + p.paint.faint.Render(strings.Repeat(p.sign.rest, cells-full))
	text := fmt.Sprintf(" %3d %%  %s", int(part*100), bytesText(t.record.Total))
	if elapsed := now.Sub(t.since).Seconds(); elapsed > 0.5 {
		text += fmt.Sprintf("  %s/s", bytesText(int64(float64(t.record.Done)/elapsed)))
	}
	return bar + text
}
