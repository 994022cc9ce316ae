package statistics

import "math"

// SequentialP is an always-valid p-value for a difference between two rates:
// with no difference, the chance that it is ever at or below a level, at any
// of any number of looks, is at most that level. Looking early is honest; the
// price is that it needs more participants than the fixed p for the same
// certainty.
//
// It is the mixture sequential probability ratio test of R. Johari,
// P. Koomen, L. Pekelis and D. Walsh, "Always valid inference: continuous
// monitoring of A/B tests", Operations Research 70 (2022), with a normal
// mixture of variance τ² over the difference:
//
//	Λ = √(v/(v+τ²)) · exp(d²τ²/(2v(v+τ²))),  p = min(1, 1/Λ)
//
// where d is the difference and v = p(1−p)/m its pooled variance. We take τ
// relative to the spread of the rates, τ² = κ·p(1−p), so that it serves a rate
// of 1 % as it does one of 50 %.
//
// The normal approximation of d must hold from the first look that counts:
// until both variants can expect minimumExpected successes and as many
// failures, the p-value is 1. TestSequentialUnderPeeking measures the result.
//
// Of values, d is the difference of the means and v their estimated variance
// (valueDeviation), which makes the same mixture an asymptotic confidence sequence:
// I. Waudby-Smith et al., "Time-uniform central limit theory and asymptotic
// confidence sequences", Annals of Statistics 52 (2024), arXiv 2103.06476.
func SequentialP(a, b Variant, plan Plan) float64 { return contrastOf(Unique, a, b).sequentialP(plan) }

// SequentialMeanP is SequentialP for the values of two variants.
func SequentialMeanP(a, b Variant, plan Plan) float64 {
	return contrastOf(Value, a, b).sequentialP(plan)
}

func (c contrast) sequentialP(plan Plan) float64 {
	if !c.begun {
		return 1
	}
	g := c.size * mixtureVariance(plan)
	logRatio := c.z()*c.z()/2*g/(1+g) - math.Log1p(g)/2
	return math.Min(1, math.Exp(-logRatio))
}

// z is the difference in standard errors. Without any spread (nobody or
// everybody converted) it is 0: such counts say nothing of a difference.
func (c contrast) z() float64 {
	if c.deviation == 0 {
		return 0
	}
	return c.difference / c.deviation
}

// sequentialZ is how many standard errors the confidence sequence of that level
// reaches to either side: the differences that sequentialP would not reject. It
// is infinite until that test begins.
func (c contrast) sequentialZ(level float64, plan Plan) float64 {
	if !c.begun {
		return math.Inf(1)
	}
	g := c.size * mixtureVariance(plan)
	return math.Sqrt(2 * (1 + g) / g * (math.Log(1/level) + math.Log1p(g)/2))
}

// minimumExpected is the expected count in each cell below which a normal
// approximation is not trusted: twice Cochran's 5, because every look counts.
const minimumExpected = 10

// defaultSize is the size a variant is tuned for when none was planned.
const defaultSize = 10_000

// mixtureVariance is κ, which is best near the squared effect looked for, in
// standard deviations. A plan with two-sided alpha 0.05 and power 0.8 looks
// for an effect of z = 1.96 + 0.84 at the planned size, where m is half of it.
// Any κ that does not depend on the data is valid; this only tunes the power.
func mixtureVariance(plan Plan) float64 {
	const z = 1.959964 + 0.841621
	size := plan.TrialsPerVariant
	if size <= 0 {
		size = defaultSize
	}
	return z * z / (float64(size) / 2)
}
