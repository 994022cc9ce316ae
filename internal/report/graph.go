package report

import (
	"cmp"
	"fmt"
	"time"

	"provision/internal/report/chart"
)

const (
	graphRows  = 14
	graphWidth = 80 // where it is not known: a pipe
)

// graph draws what a host's Graphite has, below the host's name and the time.
func (p page) graph(record *graphed, zone *time.Location) []string {
	if len(record.Series) == 0 {
		return []string{p.join(p.paint.strong.Render(record.Host), "no such metric has arrived yet")}
	}
	var series []chart.Series
	for _, one := range record.Series {
		series = append(series, chart.Series(one))
	}
	look := chart.Look{Width: cmp.Or(p.width, graphWidth), Height: graphRows, Color: p.colored, ASCII: p.ascii, Zone: zone}
	lines := []string{p.join(p.paint.strong.Render(record.Host), p.paint.faint.Render(timeSpan(record.From, record.Until, zone)))}
	return append(lines, chart.Lines(series, record.From, record.Until, look)...)
}

// timeSpan says a time, of a day or of several, with its zone.
func timeSpan(from, until int64, zone *time.Location) string {
	first, last := time.Unix(from, 0).In(zone), time.Unix(until, 0).In(zone)
	format := "Mon 2 Jan 2006 15:04"
	end := "15:04 MST"
	if first.YearDay() != last.YearDay() || first.Year() != last.Year() {
		end = format + " MST"
	}
	return fmt.Sprintf("%s to %s", first.Format(format), last.Format(end))
}
