package dashboard

import (
	"math"

	"provision/internal/gimel/statistics"
)

// forest is the small picture of a difference: an interval, its estimate and
// the zero line, on a scale shared by all variants of a goal.
type forest struct {
	Class                            string
	Width, Zero, Low, High, Estimate float64
}

const (
	forestWidth  = 168.0
	forestMargin = 6.0
)

// forestScale is the largest absolute bound of all intervals.
func forestScale(r statistics.Report) (largest float64) {
	for _, v := range r.Variants {
		if v.Comparison != nil {
			largest = max(largest, math.Abs(v.Comparison.Interval.Low), math.Abs(v.Comparison.Interval.High))
		}
	}
	return largest
}

func newForest(class string, c statistics.Comparison, scale float64) *forest {
	if scale <= 0 {
		return nil
	}
	at := func(difference float64) float64 {
		return rounded(forestWidth/2 + difference/scale*(forestWidth/2-forestMargin))
	}
	return &forest{Class: class, Width: forestWidth, Zero: at(0), Low: at(c.Interval.Low), High: at(c.Interval.High), Estimate: at(c.Difference)}
}

// rounded keeps drawings short: a tenth of a pixel is enough.
func rounded(x float64) float64 { return math.Round(x*10) / 10 }
