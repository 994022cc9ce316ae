package dashboard

import (
	"math"

	"provision/internal/gimel/statistics"
)

// forest is the small picture of a difference: an interval, its estimate and
// the zero line, on the axis that all variants of a goal share.
type forest struct {
	Class               string
	Low, High, Estimate float64
	Axis                *forestAxis
}

// forestAxis is the scale of a goal's forests, in its unit.
type forestAxis struct {
	Width, Zero float64
	Ticks       []tick
	largest     float64
}

const (
	forestWidth  = 168.0
	forestMargin = 12.0 // half a label
)

// newForestAxis reaches to the largest bound of all intervals, to either side;
// it is nil where there is none.
func newForestAxis(r statistics.Report) *forestAxis {
	axis := &forestAxis{Width: forestWidth, Zero: forestWidth / 2}
	for _, v := range r.Variants {
		if v.Comparison != nil {
			axis.largest = max(axis.largest, math.Abs(v.Comparison.Interval.Low), math.Abs(v.Comparison.Interval.High))
		}
	}
	if axis.largest <= 0 {
		return nil
	}
	step := niceStep(axis.largest / 2) // one tick or two to either side
	for k := -2.0; k <= 2; k++ {
		if math.Abs(k*step) <= axis.largest {
			axis.Ticks = append(axis.Ticks, tick{axis.at(k * step), unitOf(r.Kind).tick(k*step, step)})
		}
	}
	return axis
}

func (a *forestAxis) at(difference float64) float64 {
	return rounded(a.Zero + difference/a.largest*(forestWidth/2-forestMargin))
}

func newForest(class string, c statistics.Comparison, axis *forestAxis) *forest {
	if axis == nil {
		return nil
	}
	return &forest{Class: class, Axis: axis, Low: axis.at(c.Interval.Low), High: axis.at(c.Interval.High), Estimate: axis.at(c.Difference)}
}

// rounded keeps drawings short: a tenth of a pixel is enough.
func rounded(x float64) float64 { return math.Round(x*10) / 10 }
