package statistics

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// Wilson is the score interval for a proportion at the given confidence
// (0.95), without continuity correction: E. B. Wilson, "Probable inference,
// the law of succession, and statistical inference", JASA 22 (1927).
// It needs 0 ≤ successes ≤ trials and trials > 0.
func Wilson(successes, trials int64, confidence float64) Interval {
	z := distuv.UnitNormal.Quantile(1 - (1-confidence)/2)
	n := float64(trials)
	p := float64(successes) / n
	centre := p + z*z/(2*n)
	margin := z * math.Sqrt(p*(1-p)/n+z*z/(4*n*n))
	scale := 1 + z*z/n
	interval := Interval{Low: (centre - margin) / scale, High: (centre + margin) / scale}
	// At the ends the bound is exact; rounding must not leave [0, 1].
	if successes == 0 {
		interval.Low = 0
	}
	if successes == trials {
		interval.High = 1
	}
	return interval
}

// Newcombe is the hybrid score interval for the difference a − b of two rates:
// method 10 of R. G. Newcombe, "Interval estimation for the difference between
// independent proportions: comparison of eleven methods", Statistics in
// Medicine 17 (1998). Both variants need trials, and no more successes.
func Newcombe(a, b Variant, confidence float64) Interval {
	ra, rb := a.rate(), b.rate()
	ia := Wilson(a.Successes, a.Trials, confidence)
	ib := Wilson(b.Successes, b.Trials, confidence)
	difference := ra - rb
	return Interval{
		Low:  difference - math.Hypot(ra-ia.Low, ib.High-rb),
		High: difference + math.Hypot(ia.High-ra, rb-ib.Low),
	}
}
