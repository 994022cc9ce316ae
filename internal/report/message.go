package report

import (
	"fmt"
	"io"
	"time"
)

// Message writes what somebody is told of a run that did not end well and at which nobody looked: plain text,
// how it ended, what is amiss beside the hosts, what is wrong on which of them, and the command to run these again.
func Message(w io.Writer, run PastRun, by string, amiss []error, again string) error {
	p := newPage(Options{})
	lines := []string{
		fmt.Sprintf("provision %s: exit code %d", run.Command, run.ExitCode),
		fmt.Sprintf("began %s, took %s, by %s, run %s", run.Began.Format(time.RFC3339), secondsText(run.Seconds), by, run.ID),
		"",
	}
	for _, err := range amiss {
		lines = append(lines, "✗ "+oneLine(err.Error()), "")
	}
	rows := run.rows()
	var bad []outcome
	for _, row := range rows {
		if failed(row.status) {
			bad = append(bad, row)
		}
	}
	if len(bad) > 0 {
		lines = append(append(lines, p.reasons(bad)...), "")
	}
	lines = append(append(lines, p.wrapped("", p.totals(rows)...)...), p.stopped(rows)...)
	if again != "" {
		lines = append(lines, "again: "+oneLine(again))
	}
	for i, line := range lines {
		lines[i] = sanitize(line, false)
	}
	return writeLines(w, lines)
}
