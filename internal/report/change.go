package report

import (
	"fmt"
	"strings"

	"provision/internal/engine"
	"provision/internal/recipe"
)

// did are the words for a change that is done.
var did = map[recipe.ChangeKind]string{
	recipe.Create: "created",
	recipe.Update: "updated",
	recipe.Delete: "removed",
	recipe.Act:    "done",
}

// change is the line of a change that is done, with the time that it took.
func (p page) change(r resource, seconds float64) []string {
	kind, name := shortName(r.Resource)
	word, details := did[r.Kind], p.details(r)
	switch {
	case r.Kind == recipe.Create && kind == "package":
		word, details = "installed", ""
	case r.Kind == recipe.Create:
		details = "" // the plan had them
	case r.Kind == recipe.Delete:
		details = "" // it is gone, whatever it was
	case kind == "service" && r.Kind != recipe.Delete:
		word = ""
	}
	line := "  " + p.paint.good.Render(p.sign.good) + " " + p.paint.faint.Render(pad(kind, len("directory"))) + "  " + name
	return p.withDetails(line, p.join(word, details, noticeable(seconds)))
}

// step is the line of a step that ended, told at -v.
func (p page) step(record *stepEnded) string {
	return p.paint.faint.Render("    " + p.join(oneLine(record.Title), noticeable(record.Seconds)))
}

// check is the line of a check of a verify.
func (p page) check(record *checked) []string {
	sign := p.paint.good.Render(p.sign.good)
	switch {
	case record.LeftOut:
		return []string{"  " + p.paint.faint.Render("- "+oneLine(record.Name)+": "+oneLine(record.Error))}
	case !record.Passed:
		sign = p.paint.bad.Render(p.sign.bad)
	}
	at := record.At
	if record.Passed && !p.at {
		at = ""
	}
	lines := p.withDetails("  "+sign+" "+oneLine(record.Name), p.join(at, noticeable(record.Seconds)))
	if !record.Passed {
		lines = append(lines, p.barred("    ", record.Error, p.paint.plain)...)
	}
	return lines
}

// restored says what was put back, when a service did not survive its change.
func (p page) restored(record *restored) []string {
	end := "and it does not run"
	if record.Runs {
		end = "and it runs as before"
	}
	first := "  " + p.paint.update.Render(p.sign.restored) + " "
	if record.Undone {
		lines := p.prose(first, fmt.Sprintf("the change to %s is undone: all is as before it", oneLine(record.Unit)), p.paint.plain)
		return append(lines, p.barred("    ", strings.Join(record.Paths, "\n"), p.paint.faint)...)
	}
	lines := p.prose(first, fmt.Sprintf("%s did not survive the change: its files are put back, %s", oneLine(record.Unit), end), p.paint.plain)
	return append(lines, p.barred("    ", strings.Join(record.Paths, "\n"), p.paint.faint)...)
}

// notice is something that a person should know.
func (p page) notice(text string) []string {
	return p.prose("  "+p.paint.update.Render("note:")+" ", oneLine(text), p.paint.plain)
}

// transfer is the line of a transfer that begins or ends, where nothing is redrawn.
func (p page) transfer(record *progress) string {
	return "  " + p.paint.faint.Render(p.join(oneLine(record.Title),
		bytesText(record.Done)+" of "+bytesText(record.Total)))
}

// result is the line that ends the work on a host.
func (p page) result(record *finished, columns, checks int) string {
	begin := p.paint.good.Render(p.sign.good) + " " + p.paint.strong.Render(pad(record.Host, columns)) + "  "
	time := secondsText(record.Seconds)
	switch record.Status {
	case engine.StatusVerified:
		passed := fmt.Sprintf("%d checks passed", checks)
		if checks == 1 {
			passed = "1 check passed"
		}
		return begin + p.join(string(record.Status), passed, time)
	case engine.StatusDone:
		return begin + p.join(string(record.Status), time)
	}
	return begin + p.tally(record)
}

// tally is what was changed and what was not.
func (p page) tally(record *finished) string {
	changed := fmt.Sprintf("changed %d", record.Changed)
	if record.Changed > 0 {
		changed = p.paint.update.Render(changed)
	}
	return p.join(changed, fmt.Sprintf("same %d", record.Same), secondsText(record.Seconds))
}

// printedLine is a line of a command of exec.
func (p page) printedLine(record *printed, columns int) string {
	bar := p.paint.faint
	if record.Stream == "stderr" {
		bar = p.paint.remove
	}
	return strings.TrimRight(p.paint.strong.Render(pad(record.Host, columns))+" "+bar.Render(p.sign.bar)+" "+record.Line, " ")
}

// label puts a host's name before each of its lines, when several hosts' are mixed.
func (p page) label(host string, columns int, lines []string) []string {
	var out []string
	for _, line := range lines {
		out = append(out, p.paint.strong.Render(pad(host, columns))+line)
	}
	return out
}

// after is what the tasks tell a person at the end.
func (p page) after(texts []string) []string {
	lines := []string{""}
	for _, text := range texts {
		if strings.HasPrefix(text, "  ") { // to be copied as it is
			lines = append(lines, "  "+text)
			continue
		}
		lines = append(lines, p.prose("  ", text, p.paint.plain)...)
	}
	return lines
}
