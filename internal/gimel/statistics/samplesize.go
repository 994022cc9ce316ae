package statistics

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// ErrSampleSize says that a sample size was asked for with a value out of
// range; the wrapping error names it.
var ErrSampleSize = errors.New("sample size")

// SampleSize is the number of participants each variant needs so that the
// two-sided test at alpha finds a difference of effect with the given power.
// All arguments are fractions: a baseline of 0.20 and an effect of 0.05 ask
// for 0.20 against 0.25. The effect may go either way, so the larger size of
// the two directions is returned (of the one possible, near 0 and 1).
//
// The formula is the usual one with pooled variance under the null (Fleiss,
// "Statistical methods for rates and proportions", and R's power.prop.test),
// which is the variance the test itself uses. Evan Miller's calculator takes
// the baseline's variance there and is a little lower: 1,030 for 20 % + 5
// points at 80 % power, where this gives 1,094.
func SampleSize(baseline, effect, alpha, power float64) (int64, error) {
	for _, argument := range []struct {
		name  string
		value float64
	}{{"baseline", baseline}, {"effect", effect}, {"alpha", alpha}, {"power", power}} {
		if !(argument.value > 0 && argument.value < 1) {
			return 0, fmt.Errorf("%w: %s must lie between 0 and 1, is %g", ErrSampleSize, argument.name, argument.value)
		}
	}
	if power <= alpha {
		return 0, fmt.Errorf("%w: power %g must exceed alpha %g", ErrSampleSize, power, alpha)
	}
	var size float64
	for _, other := range []float64{baseline + effect, baseline - effect} {
		if other > 0 && other < 1 {
			size = max(size, sizeBetween(baseline, other, alpha, power))
		}
	}
	switch {
	case size == 0:
		return 0, fmt.Errorf("%w: no rate is %g away from %g", ErrSampleSize, effect, baseline)
	case size > 1e15:
		return 0, fmt.Errorf("%w: effect %g is too small", ErrSampleSize, effect)
	}
	return int64(math.Ceil(size)), nil
}

func sizeBetween(p1, p2, alpha, power float64) float64 {
	mean := (p1 + p2) / 2
	zAlpha := distuv.UnitNormal.Quantile(1 - alpha/2)
	zPower := distuv.UnitNormal.Quantile(power)
	null := math.Sqrt(2 * mean * (1 - mean))
	alternative := math.Sqrt(p1*(1-p1) + p2*(1-p2))
	root := (zAlpha*null + zPower*alternative) / (p1 - p2)
	return root * root
}
