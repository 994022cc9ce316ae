package statistics

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// Bringing is what is known beforehand of a goal that counts values: the share of
// the participants who bring one, and the mean and the standard deviation of what
// they bring.
type Bringing struct{ Rate, Mean, Deviation float64 }

// Of is the mean of a participant, those who bring nothing included.
func (b Bringing) Of() float64 { return b.Rate * b.Mean }

// variance is that of a participant.
func (b Bringing) variance() float64 {
	return b.Rate*(b.Deviation*b.Deviation+b.Mean*b.Mean) - b.Of()*b.Of()
}

// spread is the sum of two variants' variances, of which one brings so much more
// by larger values.
func (b Bringing) spread(effect float64) float64 {
	lift := 1 + effect/b.Of()
	return b.variance() * (1 + lift*lift)
}

func (b Bringing) check(effect, alpha, power float64) error {
	switch {
	case !(b.Rate > 0 && b.Rate <= 1):
		return fmt.Errorf("%w: rate must lie between 0 and 1, is %g", ErrSampleSize, b.Rate)
	case !(b.Mean > 0 && b.Deviation >= 0 && b.variance() > 0) || math.IsInf(b.variance(), 0):
		return fmt.Errorf("%w: values of mean %g and deviation %g have no spread to plan with", ErrSampleSize, b.Mean, b.Deviation)
	case !(effect > 0) || math.IsInf(effect, 0):
		return fmt.Errorf("%w: effect must be above 0, is %g", ErrSampleSize, effect)
	case !(alpha > 0 && alpha < power && power < 1):
		return fmt.Errorf("%w: alpha %g and power %g must be between 0 and 1, and power the larger", ErrSampleSize, alpha, power)
	}
	return nil
}

// MeanSize is the number of participants each variant needs so that the two-sided
// test of means at alpha finds a difference of effect, in the unit of the values,
// with the given power: the usual formula (R's power.t.test, by the normal
// distribution), with the variance that larger values have, and so many that means
// are compared at all.
func MeanSize(of Bringing, effect, alpha, power float64) (int64, error) {
	if err := of.check(effect, alpha, power); err != nil {
		return 0, err
	}
	z := distuv.UnitNormal.Quantile(1-alpha/2) + distuv.UnitNormal.Quantile(power)
	return wholeSize(max(of.spread(effect)*z*z/(effect*effect), minimumValues/of.Rate), effect)
}

// SequentialMeanSize is SequentialSize for means.
func SequentialMeanSize(of Bringing, effect, alpha, power float64) (int64, error) {
	if err := of.check(effect, alpha, power); err != nil {
		return 0, err
	}
	deviation := math.Sqrt(of.spread(effect))
	return wholeSize(sizeWhere(func(n float64) bool {
		return effect*math.Sqrt(n) >= (plainSequentialZ(n, alpha)+distuv.UnitNormal.Quantile(power))*deviation && n*of.Rate >= minimumValues
	}), effect)
}

func wholeSize(size, effect float64) (int64, error) {
	if size > 1e15 {
		return 0, fmt.Errorf("%w: effect %g is too small", ErrSampleSize, effect)
	}
	return int64(math.Ceil(size)), nil
}
