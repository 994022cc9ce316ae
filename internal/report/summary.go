package report

import (
	"fmt"
	"slices"
	"strings"

	"provision/internal/address"
	"provision/internal/engine"
)

// The ends of hosts that the engine has no word for.
const (
	notTried   engine.Status = "not tried"   // the run stopped before it
	unfinished engine.Status = "interrupted" // the run stopped in it
)

// outcome is a row of the summary.
type outcome struct {
	host    string
	address string // where it was reached, "" where nobody tried
	status  engine.Status
	end     *finished // nil for a host that did not come to its end
}

// severalHosts is the most hosts of which each is told at the end; of more, only those that did not end well.
const severalHosts = 20

// summary is the table at the end of a run on several hosts, or of those of them that did not end
// well alone, how many ended in which way, and the command to run the failed ones again.
func (p page) summary(all []outcome, badAlone bool, again string) []string {
	rows := all
	if badAlone || len(all) > severalHosts {
		rows = slices.DeleteFunc(slices.Clone(all), func(row outcome) bool { return !failed(row.status) })
	}
	var lines []string
	switch {
	case len(rows) > 0 && len(all) > severalHosts:
		lines = append(p.reasons(rows), "")
	case len(rows) > 0:
		lines = append(p.table(rows), "")
	}
	lines = append(lines, p.wrapped("", append(p.totals(all), p.slowest(all))...)...)
	lines = append(lines, p.stopped(all)...)
	if again != "" {
		lines = append(lines, p.command("again: ", again)...)
	}
	return lines
}

// reasons says of many hosts what is wrong with which of them: those of which it is the same, together.
func (p page) reasons(rows []outcome) []string {
	hosts, first := map[string][]string{}, map[string]outcome{}
	var order []string
	for _, row := range rows {
		reason := string(row.status)
		if row.end != nil && row.end.Error != "" && row.status != engine.StatusNotBegun {
			reason += ": " + row.alike()
		}
		reason += row.drained()
		if hosts[reason] == nil {
			order, first[reason] = append(order, reason), row
		}
		hosts[reason] = append(hosts[reason], row.host)
	}
	var lines []string
	for _, reason := range order {
		its, one := hosts[reason], first[reason]
		sign := p.rowSign(one.status) + " "
		if len(its) > 1 {
			lines = append(lines, p.prose(sign, fmt.Sprintf("%d %s", len(its), reason), p.paint.plain)...)
			lines = append(lines, p.prose("    ", strings.Join(address.Fold(its), ", "), p.paint.strong)...)
			continue
		}
		if strings.Contains(reason, ": ") {
			reason = string(one.status) + ": " + oneLine(one.end.Error) + one.drained()
		}
		if width(one.host) > longName {
			lines = append(lines, p.prose(sign, one.host+": "+reason, p.paint.plain)...)
			continue
		}
		lines = append(lines, p.prose(sign+p.paint.strong.Render(one.host)+"  ", reason, p.paint.plain)...)
	}
	return lines
}

// drained says of a host that it was left out of service.
func (o outcome) drained() string {
	if o.end != nil && o.end.Drained {
		return "; stays drained"
	}
	return ""
}

// alike is what went wrong, without where: so that it is the same of hosts of which it is the same.
func (o outcome) alike() string {
	text := strings.TrimPrefix(oneLine(o.end.Error), o.host+": ")
	place := o.address[strings.LastIndex(o.address, "@")+1:]
	if place == "" {
		return text
	}
	return strings.ReplaceAll(strings.TrimPrefix(text, place+": "), place, "the host")
}

// table is a line for each host, and the reason of one that did not end well.
func (p page) table(rows []outcome) []string {
	c := p.columnsOf(rows)
	head := fmt.Sprintf("  %s  %s", pad("host", c.host), pad("status", c.status))
	if c.tally {
		head += fmt.Sprintf("  %7s  %4s", "changed", "same")
	}
	if c.time {
		head += fmt.Sprintf("  %10s", "time")
	}
	lines := []string{p.paint.faint.Render(head)}
	for _, row := range rows {
		lines = append(lines, p.summaryRow(row, c)...)
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

// summaryColumns are the widths of the table, and whether it counts changes and says times: where it is narrow, it says
// how hosts ended.
type summaryColumns struct {
	host, status int
	tally, time  bool
}

func (p page) columnsOf(rows []outcome) summaryColumns {
	c := summaryColumns{host: len("host"), status: len("status"), time: true}
	for _, row := range rows {
		c.host = max(c.host, width(row.host))
		c.status = max(c.status, len(row.status))
		c.tally = c.tally || row.end != nil && row.end.Changed+row.end.Same > 0
	}
	if p.width > 0 {
		const tally, time, least = 15, 12, 12
		room := p.width - c.status - 5 // the sign, and what is between
		c.tally = c.tally && room-time-tally >= min(c.host, least)
		c.time = room-time >= min(c.host, least)
		if c.tally {
			room -= tally
		}
		if c.time {
			room -= time
		}
		c.host = min(c.host, max(room, least))
	}
	return c
}

// rowSign says whether a host ended well.
func (p page) rowSign(status engine.Status) string {
	switch {
	case status == engine.StatusNotBegun:
		return p.paint.faint.Render("-")
	case failed(status):
		return p.paint.bad.Render(p.sign.bad)
	}
	return p.paint.good.Render(p.sign.good)
}

func (p page) summaryRow(row outcome, c summaryColumns) []string {
	line := p.rowSign(row.status) + " " + pad(p.cut(row.host, c.host), c.host) + "  "
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
	if c.time {
		line += fmt.Sprintf("  %10s", secondsText(row.end.Seconds))
	}
	lines := []string{line}
	if row.end.Error != "" && row.status != engine.StatusNotBegun {
		reason := oneLine(row.end.Error)
		if p.width > 0 {
			reason = p.cut(reason, p.width-5)
		}
		lines = append(lines, "    "+reason)
	}
	if row.end.Drained {
		lines = append(lines, "    "+p.paint.bad.Render("stays drained"))
	}
	return lines
}

// totals counts the hosts by how they ended.
func (p page) totals(rows []outcome) []string {
	var order []engine.Status
	number := map[engine.Status]int{}
	for _, row := range rows {
		if number[row.status] == 0 {
			order = append(order, row.status)
		}
		number[row.status]++
	}
	slices.SortStableFunc(order, func(a, b engine.Status) int { return ordinal(failed(a)) - ordinal(failed(b)) })
	words := []string{counted(len(rows), "host")}
	for _, status := range order {
		words = append(words, fmt.Sprintf("%d %s", number[status], status))
	}
	return words
}

// slowest names the host that took longest, of many: where each has its line, that says it.
func (p page) slowest(rows []outcome) string {
	if len(rows) <= severalHosts {
		return ""
	}
	var last outcome
	for _, row := range rows {
		if row.end != nil && (last.end == nil || row.end.Seconds > last.end.Seconds) {
			last = row
		}
	}
	if last.end == nil {
		return ""
	}
	return fmt.Sprintf("slowest %s, %s", last.host, secondsText(last.end.Seconds))
}

// wrapped sets words side by side, with a dot between, on as many lines as they need.
func (p page) wrapped(indent string, words ...string) []string {
	var lines []string
	line := ""
	for _, word := range words {
		longer := p.join(line, word)
		if p.width > 0 && line != "" && width(indent+longer) >= p.width {
			lines, longer = append(lines, indent+line), word
		}
		line = longer
	}
	return append(lines, indent+line)
}
