package statistics

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// SequentialSize is the number of participants in each variant by which the
// sequential test alone, without a planned size, has found a difference of
// effect with the given power: at the latest, for it may have decided at any
// look before. Its arguments and errors are SampleSize's.
func SequentialSize(baseline, effect, alpha, power float64) (int64, error) {
	if _, err := SampleSize(baseline, effect, alpha, power); err != nil {
		return 0, err
	}
	var size float64
	for _, other := range []float64{baseline + effect, baseline - effect} {
		if other > 0 && other < 1 {
			size = max(size, sequentialBetween(baseline, other, alpha, power))
		}
	}
	return int64(math.Ceil(size)), nil
}

// sequentialBetween solves for the size at which a look at that moment has the
// power. The bound that it has to pass grows with the root of the size's
// logarithm, the difference in standard errors with its root: it is passed once.
func sequentialBetween(p1, p2, alpha, power float64) float64 {
	mean := (p1 + p2) / 2
	null := math.Sqrt(2 * mean * (1 - mean))
	alternative := math.Sqrt(p1*(1-p1) + p2*(1-p2))
	zPower := distuv.UnitNormal.Quantile(power)
	return sizeWhere(func(n float64) bool {
		return math.Abs(p1-p2)*math.Sqrt(n) >= plainSequentialZ(n, alpha)*null+zPower*alternative && n*min(mean, 1-mean) >= minimumExpected
	})
}

// plainSequentialZ is sequentialZ without a planned size, of two variants of n.
func plainSequentialZ(n, alpha float64) float64 {
	return contrast{size: n / 2, begun: true}.sequentialZ(alpha, Plan{})
}

// sizeWhere is the smallest size at which something is found, to half a participant.
func sizeWhere(found func(n float64) bool) float64 {
	low, high := 0.0, 2.0
	for !found(high) && high < 1e18 {
		low, high = high, 2*high
	}
	for high-low > 0.5 {
		middle := (low + high) / 2
		if middle == low || middle == high { // too large for halves
			break
		}
		if found(middle) {
			high = middle
		} else {
			low = middle
		}
	}
	return high
}
