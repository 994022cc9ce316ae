package report

import (
	"fmt"
	"strings"

	"provision/internal/engine"
)

// The ends of hosts that have no Finished.
const (
	notTried   engine.Status = "not tried"   // the run stopped before it
	unfinished engine.Status = "interrupted" // the run stopped in it
)

// outcome is a row of the summary.
type outcome struct {
	host   string
	status engine.Status
	end    *finished // nil for a host that did not come to its end
}

// summary is the table at the end of a run on several hosts, and the command to run the
// failed ones again.
func (p page) summary(rows []outcome, again string) []string {
	host, status := len("host"), len("status")
	for _, row := range rows {
		host = max(host, width(row.host))
		status = max(status, len(row.status))
	}
	if p.width > 0 {
		host = min(host, max(p.width-status-32, 12))
	}
	head := fmt.Sprintf("  %s  %s  %7s  %4s  %10s", pad("host", host), pad("status", status), "changed", "same", "time")
	lines := []string{"", p.paint.faint.Render(head)}
	for _, row := range rows {
		lines = append(lines, p.summaryRow(row, host, status)...)
	}
	lines = append(lines, "", p.totals(rows))
	if again != "" {
		lines = append(lines, p.command("again: ", again)...)
	}
	return lines
}

func (p page) summaryRow(row outcome, host, status int) []string {
	sign := p.paint.good.Render(p.sign.good)
	if failed(row.status) {
		sign = p.paint.bad.Render(p.sign.bad)
	}
	line := sign + " " + pad(p.cut(row.host, host), host) + "  " + p.statusText(row.status, status)
	if row.end == nil {
		return []string{strings.TrimRight(line, " ")}
	}
	if row.status == engine.StatusUnreachable || row.status == engine.StatusRefused {
		line += fmt.Sprintf("  %7s  %4s", "", "")
	} else {
		line += fmt.Sprintf("  %7d  %4d", row.end.Changed, row.end.Same)
	}
	lines := []string{line + fmt.Sprintf("  %10s", secondsText(row.end.Seconds))}
	if row.end.Error != "" {
		reason := oneLine(row.end.Error)
		if p.width > 0 {
			reason = p.cut(reason, p.width-5)
		}
		lines = append(lines, "    "+reason)
	}
	return lines
}

// totals counts the hosts by how they ended.
func (p page) totals(rows []outcome) string {
	var order []engine.Status
	number := map[engine.Status]int{}
	for _, row := range rows {
		if number[row.status] == 0 {
			order = append(order, row.status)
		}
		number[row.status]++
	}
	words := []string{fmt.Sprintf("%d hosts", len(rows))}
	for _, status := range order {
		words = append(words, fmt.Sprintf("%d %s", number[status], status))
	}
	return p.join(words...)
}
