package chart

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// scale is that of the values: from low to high, marked at each step.
type scale struct{ low, high, step float64 }

// scaleOf is a scale with round marks, about three rows apart, on which all values are; false is for no
// value at all. It begins at nought, unless that would flatten what is drawn.
func scaleOf(series []Series, rows int) (scale, bool) {
	low, high := math.Inf(1), math.Inf(-1)
	for _, s := range series {
		for _, value := range s.Values {
			if drawable(value) {
				low, high = min(low, *value), max(high, *value)
			}
		}
	}
	if low > high {
		return scale{}, false
	}
	if low >= 0 && low <= high*0.75 || low == high && low >= 0 {
		low = 0
	}
	if high <= 0 && high >= low*0.75 {
		high = 0
	}
	if low == high {
		high = low + 1
	}
	step := rounded((high - low) / float64(max(rows/3, 1)))
	return scale{math.Floor(low/step) * step, math.Ceil(high/step) * step, step}, true
}

// drawable is a value that has a place on a scale: one that is known, and whose distance from others is a number.
func drawable(value *float64) bool { return value != nil && math.Abs(*value) < 1e300 }

// rounded is the next 1, 2 or 5 with noughts behind.
func rounded(size float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(size)))
	for _, factor := range []float64{1, 2, 5} {
		if factor*power >= size*(1-1e-9) {
			return factor * power
		}
	}
	return 10 * power
}

// labels are what stands at each row, "" at most.
func (s scale) labels(rows int) []string {
	labels := make([]string, rows)
	largest := max(math.Abs(s.low), math.Abs(s.high))
	for i := 0; ; i++ {
		value := s.low + float64(i)*s.step
		if value > s.high+s.step/2 {
			return labels
		}
		row := round((s.high - value) / (s.high - s.low) * float64(rows-1))
		labels[row] = number(value, largest, s.step)
	}
}

// Number writes a value with three digits that count: 1234567 is 1.23M.
func Number(value float64) string { return number(value, math.Abs(value), 0) }

// number writes a value in the thousands that suit the largest beside it, with the places that steps
// need, or for 0 with three digits.
func number(value, largest, step float64) string {
	factor, suffix := 1.0, ""
	for i, name := range []string{"k", "M", "G", "T", "P"} {
		if power := math.Pow(1000, float64(i+1)); largest >= power {
			factor, suffix = power, name
		}
	}
	if value == 0 {
		return "0"
	}
	smallest, places := math.Abs(value)/factor/100, 0
	if step > 0 {
		smallest = step / factor
	}
	for smallest < 1-1e-9 && places < 9 {
		smallest *= 10
		places++
	}
	text := strconv.FormatFloat(value/factor, 'f', places, 64)
	if strings.Contains(text, ".") && step == 0 {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	return text + suffix
}

// span is a time.
type span struct{ from, until int64 }

// share is how far a time is in the span, from 0 to 1.
func (s span) share(at int64) float64 { return float64(at-s.from) / float64(s.until-s.from) }

// mark is one of the time axis.
type mark struct {
	column int
	text   string
}

const (
	day   = 86400
	month = 31 * day // and as long as it is
	year  = 366 * day
)

// times are the steps of a time axis, in seconds.
var times = []int64{1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 2 * 3600, 3 * 3600, 6 * 3600, 12 * 3600, day, 2 * day, 7 * day, 14 * day, month, 3 * month, year}

// marks are at round times of the zone, as many as there is room for what is written below.
func (s span) marks(columns int, zone *time.Location) []mark {
	const room = 12 // columns between two
	step := times[len(times)-1]
	for _, candidate := range times {
		if float64(candidate)/float64(s.until-s.from)*float64(columns) >= room {
			step = candidate
			break
		}
	}
	var marks []mark
	at := time.Unix(s.from, 0).In(zone)
	first := time.Date(at.Year(), at.Month(), at.Day(), 0, 0, 0, 0, zone)
	switch {
	case step >= year:
		first = time.Date(at.Year(), 1, 1, 0, 0, 0, 0, zone)
	case step >= month:
		first = time.Date(at.Year(), at.Month(), 1, 0, 0, 0, 0, zone)
	}
	for next := first; !next.After(time.Unix(s.until, 0)); next = after(next, step) {
		if next.Unix() < s.from {
			continue
		}
		column := round(s.share(next.Unix()) * float64(columns-1))
		if len(marks) == 0 || column-marks[len(marks)-1].column >= room-2 { // an hour may be there twice, or not at all
			marks = append(marks, mark{column, written(next, step)})
		}
	}
	return marks
}

// after is the next mark. Days are as long as the zone has them, and months and years as the calendar.
func after(at time.Time, step int64) time.Time {
	switch {
	case step >= year:
		return at.AddDate(1, 0, 0)
	case step >= month:
		return at.AddDate(0, int(step/month), 0)
	case step >= day:
		return at.AddDate(0, 0, int(step/day))
	}
	return at.Add(time.Duration(step) * time.Second)
}

// written is what stands below a mark.
func written(at time.Time, step int64) string {
	switch {
	case step >= year:
		return at.Format("2006")
	case step >= day || at.Hour() == 0 && at.Minute() == 0 && at.Second() == 0:
		return at.Format("2 Jan")
	case step < 60:
		return at.Format("15:04:05")
	}
	return at.Format("15:04")
}
