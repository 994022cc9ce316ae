package statistics

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// A goal that counts values is compared by what a participant brings on
// average, nothing included: most bring nothing, and a few bring much. The
// variance is that of the participants, from the sum of the squares. A count is
// the same, where a participant brings the number of times.

// mean is the value that a participant brings; call it only when there are trials.
func (v Variant) mean() float64 { return v.Sum / float64(v.Trials) }

// variance is that of the participants' values; call it when there are two.
func (v Variant) variance() float64 {
	return max(0, v.Squares-v.Sum*v.mean()) / float64(v.Trials-1)
}

// flatness is the share of the sum of squares below which what spread there is
// may be the rounding of it: sums of doubles are off by some 1e-15 of themselves.
const flatness = 1e-11

// flat says that no spread of the values can be told: they are all the same, or
// lie closer together than a 300,000th of their size, and nobody brings nothing.
func (v Variant) flat() bool {
	return v.Squares > 0 && v.Squares-v.Sum*v.mean() <= flatness*v.Squares
}

// deviation is the standard error of the mean.
func (v Variant) deviation() float64 { return math.Sqrt(v.variance() / float64(v.Trials)) }

// minimumValues is how many conversions a variant must be expected to have
// before means are compared: the central limit theorem needs more of values
// that are mostly nothing than of a proportion. TestValuesUnderPeeking measures
// the result for values as spread as those of orders.
const minimumValues = 30

// bringers are those of two variants who bring something. Of a count they are
// estimated by its square over the sum of squares, which is their number where
// all come equally often, and less where a few come much oftener: L. Kish,
// "Survey Sampling" (1965), the effective size.
func bringers(kind Kind, a, b Variant) float64 {
	if kind == Value {
		return float64(a.Successes + b.Successes)
	}
	if a.Squares+b.Squares == 0 {
		return 0
	}
	return (a.Sum + b.Sum) * (a.Sum + b.Sum) / (a.Squares + b.Squares)
}

// welch is the difference of two means of unknown and unequal variances:
// B. L. Welch, "The generalization of 'Student's' problem when several different
// population variances are involved", Biometrika 34 (1947).
type welch struct{ t, degrees float64 }

func welchOf(a, b Variant) welch {
	va, vb := a.variance()/float64(a.Trials), b.variance()/float64(b.Trials)
	if va+vb == 0 {
		return welch{0, 1} // all alike: such values say nothing of a difference
	}
	return welch{
		t:       (a.mean() - b.mean()) / math.Sqrt(va+vb),
		degrees: (va + vb) * (va + vb) / (va*va/float64(a.Trials-1) + vb*vb/float64(b.Trials-1)),
	}
}

// students is what the test statistic follows where the variants do not differ.
func (w welch) students() distuv.StudentsT { return distuv.StudentsT{Sigma: 1, Nu: w.degrees} }

// valueDeviation is the standard error of a difference of means: Welch's, or
// that from the pooled variance where it is larger. A small variant that the
// few large orders have missed so far has a low mean and a low variance of its
// own at once, and Welch's test alone would call it worse: at 90:10 it is wrong
// twice as often as it says. Where the sizes are equal both are the same.
func valueDeviation(a, b Variant) float64 {
	na, nb := float64(a.Trials), float64(b.Trials)
	variance := ((na-1)*a.variance() + (nb-1)*b.variance()) / (na + nb - 2)
	pooled := math.Sqrt(variance * (1/na + 1/nb))
	return max(pooled, math.Hypot(a.deviation(), b.deviation()))
}

// ValueP is the two-sided p-value of Welch's test of the values of two variants,
// with the standard error of valueDeviation. It holds for one look at a size
// fixed in advance. Both need two trials.
func ValueP(a, b Variant) float64 {
	return 2 * welchOf(a, b).students().Survival(math.Abs(contrastOf(Value, a, b).z()))
}

// meanInterval is that of one variant's mean.
func meanInterval(v Variant, confidence float64) Interval {
	radius := v.deviation() * distuv.UnitNormal.Quantile(1-(1-confidence)/2)
	return Interval{Low: v.mean() - radius, High: v.mean() + radius}
}

// relativeMeans is the interval of the ratio of two means, less one, by the
// delta method on its logarithm, z standard errors wide, as the difference is;
// nil unless both means are above zero, and enough to be bounds.
func relativeMeans(v, control Variant, z float64) *Interval {
	if v.mean() <= 0 || control.mean() <= 0 {
		return nil
	}
	ratio := v.mean() / control.mean()
	z *= valueDeviation(v, control) / math.Hypot(v.deviation(), control.deviation())
	spread := z * math.Hypot(v.deviation()/v.mean(), control.deviation()/control.mean())
	return intervalOfRatio(ratio, spread)
}
