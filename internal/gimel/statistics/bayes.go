package statistics

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/integrate/quad"
	"gonum.org/v1/gonum/stat/distuv"
)

// ProbabilityBest is, for each variant, the posterior probability that its
// rate is the highest. Every rate has a uniform prior, so its posterior is
// Beta(1+successes, 1+failures); the probability is the integral of the
// variant's density times the others' distribution functions, by
// Gauss–Legendre quadrature: deterministic, with an error below 1e-6.
//
// It is no licence to peek: a rule "stop at 95 %" has no bound on its false
// positives. It returns nil unless there are two variants or more, all with
// participants and none with more successes than trials.
func ProbabilityBest(variants []Variant) []float64 {
	if len(variants) < 2 {
		return nil
	}
	posteriors := make([]distuv.Beta, len(variants))
	for i, v := range variants {
		if !v.comparable() {
			return nil
		}
		posteriors[i] = distuv.Beta{
			Alpha: 1 + float64(v.Successes),
			Beta:  1 + float64(v.Trials-v.Successes),
		}
	}
	return integrate(posteriors)
}

// nodesPerPiece Gauss–Legendre points between two breakpoints: a beta density
// is close to a polynomial over three standard deviations.
const nodesPerPiece = 24

// integrate evaluates all variants' integrals over the same nodes, so that
// each distribution function is computed once a node.
func integrate(posteriors []distuv.Beta) []float64 {
	best := make([]float64, len(posteriors))
	cumulative := make([]float64, len(posteriors))
	x, weight := make([]float64, nodesPerPiece), make([]float64, nodesPerPiece)
	points := breakpoints(posteriors)
	for k := 1; k < len(points); k++ {
		quad.Legendre{}.FixedLocations(x, weight, points[k-1], points[k])
		for n := range x {
			for i, p := range posteriors {
				cumulative[i] = p.CDF(x[n])
			}
			for i, p := range posteriors {
				best[i] += weight[n] * p.Prob(x[n]) * productWithout(cumulative, i)
			}
		}
	}
	for i := range best {
		best[i] = min(1, max(0, best[i]))
	}
	return best
}

// breakpoints cut [0, 1] where the posteriors change fast. Forty standard
// deviations cover even the exponential tail of a variant without successes.
func breakpoints(posteriors []distuv.Beta) []float64 {
	points := []float64{0, 1}
	for _, p := range posteriors {
		mean, deviation := p.Mean(), p.StdDev()
		for _, k := range []float64{0, 1.5, 3, 6, 12, 40} {
			for _, x := range []float64{mean - k*deviation, mean + k*deviation} {
				if x > 0 && x < 1 {
					points = append(points, x)
				}
			}
		}
	}
	slices.Sort(points)
	return slices.CompactFunc(points, func(a, b float64) bool { return math.Abs(a-b) < 1e-12 })
}

func productWithout(values []float64, skip int) float64 {
	product := 1.0
	for i, v := range values {
		if i != skip {
			product *= v
		}
	}
	return product
}
