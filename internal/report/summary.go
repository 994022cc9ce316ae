package report

import (
	"fmt"

	"provision/internal/engine"
)

// The ends of hosts that the engine has no word for.
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
	c := p.columnsOf(rows)
	head := fmt.Sprintf("  %s  %s", pad("host", c.host), pad("status", c.status))
	if c.tally {
		head += fmt.Sprintf("  %7s  %4s", "changed", "same")
	}
	lines := []string{"", p.paint.faint.Render(head + fmt.Sprintf("  %10s", "time"))}
	for _, row := range rows {
		lines = append(lines, p.summaryRow(row, c)...)
	}
	lines = append(lines, "", p.totals(rows))
	lines = append(lines, p.stopped(rows)...)
	if again != "" {
		lines = append(lines, p.command("again: ", again)...)
	}
	return lines
}

// stopped says why hosts were not begun: it is the same of all.
func (p page) stopped(rows []outcome) []string {
	for _, row := range rows {
		if row.status == engine.StatusNotBegun && row.end != nil {
			return p.prose("stopped: ", oneLine(row.end.Error)+"; -l @notbegun are the hosts that were not begun", p.paint.plain)
		}
	}
	return nil
}

// summaryColumns are the widths of the table, and whether it counts changes.
type summaryColumns struct {
	host, status int
	tally        bool
}

func (p page) columnsOf(rows []outcome) summaryColumns {
	c := summaryColumns{host: len("host"), status: len("status")}
	for _, row := range rows {
		c.host = max(c.host, width(row.host))
		c.status = max(c.status, len(row.status))
		c.tally = c.tally || row.end != nil && row.end.Changed+row.end.Same > 0
	}
	if p.width > 0 {
		c.host = min(c.host, max(p.width-c.status-32, 12))
	}
	return c
}

func (p page) summaryRow(row outcome, c summaryColumns) []string {
	sign := p.paint.good.Render(p.sign.good)
	switch {
	case row.status == engine.StatusNotBegun:
		sign = p.paint.faint.Render("-")
	case failed(row.status):
		sign = p.paint.bad.Render(p.sign.bad)
	}
	line := sign + " " + pad(p.cut(row.host, c.host), c.host) + "  "
	if row.end == nil {
		return []string{line + p.statusText(row.status, 0)}
	}
	line += p.statusText(row.status, c.status)
	switch {
	case c.tally && row.end.Changed+row.end.Same > 0:
		line += fmt.Sprintf("  %7d  %4d", row.end.Changed, row.end.Same)
	case c.tally:
		line += fmt.Sprintf("  %7s  %4s", "", "")
	}
	lines := []string{line + fmt.Sprintf("  %10s", secondsText(row.end.Seconds))}
	if row.end.Error != "" && row.status != engine.StatusNotBegun {
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
	if len(rows) == 1 {
		words[0] = "1 host"
	}
	for _, status := range order {
		words = append(words, fmt.Sprintf("%d %s", number[status], status))
	}
	return p.join(words...)
}
