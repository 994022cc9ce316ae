package dashboard

import (
	"slices"
	"time"

	"provision/internal/gimel/results"
	"provision/internal/gimel/statistics"
)

// timeline is a goal's running totals at the end of each day.
type timeline struct {
	labels []string
	kind   statistics.Kind
	days   []timelineDay
	// before counts the participants that have no day (imported data). They
	// are in every running total.
	before int64
}

type timelineDay struct {
	date   time.Time
	points []point // by variant
	added  []statistics.Variant
}

// point is a running rate, or mean; present is false without participants, and the
// interval is nil when the counts are impossible, or of a count.
type point struct {
	present  bool
	rate     float64
	interval *statistics.Interval
}

// longest is how many days the timeline may span before it is cut to the last
// ones: a wrong clock once must not make a million rows.
const longest = 1000

// newTimeline fills missing days, so that the axis is true to the calendar.
func newTimeline(goal results.Goal, confidence float64) timeline {
	t := timeline{kind: goal.Kind}
	if t.kind == "" {
		t.kind = statistics.Unique
	}
	index := map[string]int{}
	for i, v := range goal.Variants {
		t.labels = append(t.labels, v.Label)
		index[v.Label] = i
	}
	byDate := map[time.Time][]statistics.Variant{}
	var first, last time.Time
	running := slices.Clone(goal.Variants)
	for _, day := range goal.Days {
		date := day.Date.UTC().Truncate(24 * time.Hour)
		if byDate[date] == nil {
			byDate[date] = make([]statistics.Variant, len(goal.Variants))
		}
		for _, v := range day.Variants {
			if i, known := index[v.Label]; known {
				count(&byDate[date][i], v, 1)
				count(&running[i], v, -1)
			}
		}
		if first.IsZero() || date.Before(first) {
			first = date
		}
		if date.After(last) {
			last = date
		}
	}
	for i := range running {
		running[i].Trials, running[i].Successes, running[i].Values = max(0, running[i].Trials), max(0, running[i].Successes), max(0, running[i].Values)
		t.before += running[i].Trials
	}
	if len(byDate) == 0 {
		return t
	}
	if earliest := last.AddDate(0, 0, 1-longest); first.Before(earliest) {
		first = t.addBefore(running, byDate, earliest)
	}
	for date := first; !date.After(last); date = date.AddDate(0, 0, 1) {
		added := byDate[date]
		if added == nil {
			added = make([]statistics.Variant, len(goal.Variants))
		}
		t.days = append(t.days, timelineDay{date: date, added: added, points: t.advance(running, added, confidence)})
	}
	return t
}

// count adds what was counted, or with -1 takes it away.
func count(to *statistics.Variant, v statistics.Variant, sign int64) {
	to.Trials += sign * v.Trials
	to.Successes += sign * v.Successes
	to.Values += sign * v.Values
	to.Sum += float64(sign) * v.Sum
	to.Squares += float64(sign) * v.Squares
}

// addBefore adds all days before the earliest to the totals.
func (t timeline) addBefore(running []statistics.Variant, byDate map[time.Time][]statistics.Variant, earliest time.Time) time.Time {
	for date, added := range byDate {
		if date.Before(earliest) {
			t.advance(running, added, 0.95)
		}
	}
	return earliest
}

func (t timeline) advance(running, added []statistics.Variant, confidence float64) []point {
	points := make([]point, len(running))
	for i := range running {
		count(&running[i], added[i], 1)
		rate, interval := statistics.Measure(running[i], t.kind, confidence)
		if rate == nil {
			continue
		}
		points[i] = point{present: true, rate: *rate, interval: interval}
		if t.kind == statistics.Count { // whose events a day's are is not known of all days
			points[i].interval = nil
		}
	}
	return points
}

// dayRow is a line of the table beside the chart.
type dayRow struct {
	Date  time.Time
	Cells []dayCell
}

type dayCell struct {
	Class, Label              string
	Participants, Conversions int64
	Rate, Interval            string // running; empty before the first participant
}

// rows are the days, the newest first.
func (t timeline) rows() (rows []dayRow) {
	for _, day := range slices.Backward(t.days) {
		row := dayRow{Date: day.date}
		for i, p := range day.points {
			cell := dayCell{Class: classOf(i), Label: t.labels[i], Participants: day.added[i].Trials, Conversions: day.added[i].Successes}
			in := unitOf(t.kind)
			if p.present {
				cell.Rate = in.format(p.rate)
			}
			if p.interval != nil {
				places := in.decimals(*p.interval)
				cell.Rate = in.to(p.rate, places)
				cell.Interval = in.to(p.interval.Low, places) + " to " + in.to(p.interval.High, places)
			}
			row.Cells = append(row.Cells, cell)
		}
		rows = append(rows, row)
	}
	return rows
}
