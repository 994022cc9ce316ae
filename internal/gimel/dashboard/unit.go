package dashboard

import (
	"math"
	"strconv"

	"provision/internal/gimel/statistics"
)

// unit is how what a goal is measured by is written: a proportion in per cent
// and percentage points, anything else as it is.
type unit struct {
	name   string // of a difference
	factor float64
	suffix string
}

func unitOf(kind statistics.Kind) unit {
	if kind == statistics.Count || kind == statistics.Value {
		return unit{factor: 1}
	}
	return unit{name: "points", factor: 100, suffix: "%"}
}

// measureOf is the heading of what variants are compared by.
func measureOf(kind statistics.Kind) string {
	switch kind {
	case statistics.Count:
		return "Events a participant"
	case statistics.Value:
		return "Value a participant"
	}
	return "Rate"
}

// format writes about three significant digits.
func (u unit) format(x float64) string { return u.to(x, decimals(x*u.factor)) }

// decimals show about two significant digits of an interval's width: more would
// be noise.
func (u unit) decimals(i statistics.Interval) int {
	width := u.factor * (i.High - i.Low)
	if !(width > 0) {
		return 2
	}
	return min(4, max(1, 1-int(math.Floor(math.Log10(width/3)))))
}

func (u unit) to(x float64, places int) string {
	text := strconv.FormatFloat(math.Abs(x*u.factor), 'f', places, 64) + u.suffix
	if x < 0 {
		return minus + text
	}
	return text
}

// signed writes a difference: of proportions in percentage points.
func (u unit) signed(x float64, places int) string { return signed(x*u.factor, places) }

// tick has as many digits as the step between two labels needs.
func (u unit) tick(difference, step float64) string {
	if difference == 0 {
		return "0"
	}
	return u.signed(difference, u.places(step))
}

// label is that of an axis, with as many digits.
func (u unit) label(x, step float64) string {
	return u.to(x, u.places(step))
}

func (u unit) places(step float64) int {
	return max(0, int(math.Ceil(-math.Log10(step*u.factor)-1e-9)))
}
