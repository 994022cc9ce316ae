package report

import (
	"fmt"
	"io"
	"strings"

	"provision/internal/engine"
)

// longName is the width of a host's name beside which there is no room to wrap.
const longName = 24

// failure says what went wrong on a host: one line, what was put back, the command to type
// next, and then all that the remote printed, whole. restored says that what was put back
// is told already.
func (p page) failure(record *finished, restored bool) []string {
	problem := oneLine(record.Error)
	if problem == "" {
		problem = string(record.Status)
	}
	first := p.paint.bad.Render(p.sign.bad) + " "
	lines := p.prose(first+p.paint.strong.Render(record.Host)+": ", problem, p.paint.plain)
	if width(record.Host) > longName {
		lines = p.prose(first, record.Host+": "+problem, p.paint.plain)
	}
	if back := record.Restored; back != nil && (!restored || back.Error != "") {
		lines = append(lines, p.recovery(back)...)
	}
	if record.Drained {
		lines = append(lines, p.prose("  ", staysDrained, p.paint.plain)...)
	}
	if record.Hint != "" {
		lines = append(lines, p.command("  hint: ", record.Hint)...)
	}
	if record.Output != "" {
		lines = append(lines, p.barred("  ", record.Output, p.paint.plain)...)
	}
	if back := record.Restored; back != nil && back.Output != "" {
		lines = append(lines, p.prose("  ", "and with its old files:", p.paint.plain)...)
		lines = append(lines, p.barred("  ", back.Output, p.paint.plain)...)
	}
	return lines
}

// staysDrained is said of a host that was taken out of service, and not brought back.
const staysDrained = "stays drained: a run that changes it well, or finds it well, brings it back"

// notDone says what a run that was interrupted did not come to. Of a step that it was cut off
// in nobody knows; the next run asks the host.
func (p page) notDone(resources []string) []string {
	names := make([]string, len(resources))
	for i, id := range resources {
		kind, name := shortName(id)
		names[i] = kind + " " + name
	}
	return p.prose("  ", fmt.Sprintf("not done %d: %s", len(names), strings.Join(names, ", ")), p.paint.plain)
}

func (p page) recovery(back *recovery) []string {
	first := "  " + p.paint.update.Render(p.sign.restored) + " "
	if back.Error != "" {
		return p.prose("  "+p.paint.bad.Render(p.sign.bad)+" ", "putting back failed too: "+oneLine(back.Error), p.paint.plain)
	}
	if !back.Runs {
		return p.prose(first, oneLine(back.Unit)+" has its old files back", p.paint.plain)
	}
	return p.prose(first, oneLine(back.Unit)+" runs as before, with its old files", p.paint.plain)
}

// Problem writes an error that no host made: wrong input, a file that cannot be read. Each
// line of the error is a problem of its own; hint is the command to type next, or "".
func Problem(w io.Writer, o Options, err error, hint string) error {
	p, masker := newPage(o), NewMasker(o.Secrets)
	clean := func(text string) string { return sanitize(masker.Mask(text), o.ASCII) }
	var lines []string
	for _, problem := range strings.Split(strings.TrimSpace(clean(err.Error())), "\n") {
		lines = append(lines, p.prose(p.paint.bad.Render(p.sign.bad)+" ", problem, p.paint.plain)...)
	}
	if hint != "" {
		lines = append(lines, p.command("  hint: ", clean(hint))...)
	}
	return writeLines(w, lines)
}

// command is a command to type: it is never wrapped, so that it can be copied whole.
func (p page) command(first, text string) []string {
	return []string{p.paint.faint.Render(first) + p.paint.act.Render(oneLine(text))}
}

// statusText is a status in its colour.
func (p page) statusText(status engine.Status, columns int) string {
	text := pad(string(status), columns)
	switch {
	case failed(status):
		return p.paint.bad.Render(text)
	case status == engine.StatusChanged || status == engine.StatusPending:
		return p.paint.update.Render(text)
	}
	return p.paint.good.Render(text)
}
