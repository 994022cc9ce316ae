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
func SequentialP(a, b Variant, plan Plan) float64 {
	p := pooledRate(a, b)
	if float64(min(a.Trials, b.Trials))*min(p, 1-p) < minimumExpected {
		return 1
	}
	z, m := pooledZ(a, b)
	g := m * mixtureVariance(plan)
	logRatio := z*z/2*g/(1+g) - math.Log1p(g)/2
	return math.Min(1, math.Exp(-logRatio))
}

// sequentialZ is how many standard errors the confidence sequence of that level
// reaches to either side: the differences that SequentialP would not reject. It
// is infinite until that test begins.
func sequentialZ(a, b Variant, level float64, plan Plan) float64 {
	p := pooledRate(a, b)
	if float64(min(a.Trials, b.Trials))*min(p, 1-p) < minimumExpected {
		return math.Inf(1)
	}
	_, m := pooledZ(a, b)
	g := m * mixtureVariance(plan)
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
