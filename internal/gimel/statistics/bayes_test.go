package statistics

import (
	"math"
	"testing"
)

// R 4.2.2: integrate(dbeta(x, 1+s, 1+f) * pbeta(x, …), 0, 1).
func TestProbabilityBestAgainstR(t *testing.T) {
	for _, c := range []struct {
		variants []Variant
		want     []float64
	}{
		{[]Variant{{Trials: 1000, Successes: 50}, {Trials: 1000, Successes: 65}}, []float64{1 - 0.9244803789, 0.9244803789}},
		{[]Variant{{Trials: 10}, {Trials: 10}}, []float64{0.5, 0.5}},
		{[]Variant{{Trials: 10, Successes: 3}, {Trials: 10, Successes: 9}}, []float64{1 - 0.9962406015, 0.9962406015}},
		{[]Variant{{Trials: 1000, Successes: 50}, {Trials: 1000, Successes: 65}, {Trials: 900, Successes: 60}},
			[]float64{0.01891246157, 0.43076964820, 0.55031789023}},
	} {
		for i, got := range ProbabilityBest(c.variants) {
			near(t, "probability", got, c.want[i], 1e-8)
		}
	}
}

// Evan Miller, "Formulas for Bayesian A/B testing"
// (evanmiller.org/bayesian-ab-testing.html), the closed form
// P(pB > pA) = Σ_{i<αB} B(αA+i, βA+βB) / ((βB+i) B(1+i, βB) B(αA, βA)).
func evanMiller(a, b Variant) float64 {
	alphaA, betaA := float64(1+a.Successes), float64(1+a.Trials-a.Successes)
	alphaB, betaB := float64(1+b.Successes), float64(1+b.Trials-b.Successes)
	logBeta := func(x, y float64) float64 { return logGamma(x) + logGamma(y) - logGamma(x+y) }
	var sum float64
	for i := 0.0; i < alphaB; i++ {
		sum += math.Exp(logBeta(alphaA+i, betaA+betaB) - math.Log(betaB+i) - logBeta(1+i, betaB) - logBeta(alphaA, betaA))
	}
	return sum
}

func TestProbabilityBestAgainstEvanMiller(t *testing.T) {
	for _, c := range [][2]Variant{
		{{Trials: 40000, Successes: 2000}, {Trials: 40000, Successes: 2100}},
		{{Trials: 2_000_000, Successes: 60_000}, {Trials: 100, Successes: 4}},
		{{Trials: 100_000}, {Trials: 100_000, Successes: 1}},
		{{Trials: 5, Successes: 5}, {Trials: 1_000_000, Successes: 999_990}},
	} {
		got := ProbabilityBest(c[:])
		near(t, "probability", got[1], evanMiller(c[0], c[1]), 1e-6)
		near(t, "sum", got[0]+got[1], 1, 1e-6)
	}
}

func TestProbabilityBestSumsToOne(t *testing.T) {
	got := ProbabilityBest([]Variant{
		{Trials: 1_000_000, Successes: 31_000}, {Trials: 1_000, Successes: 30}, {Trials: 50, Successes: 2},
		{Trials: 2_000_000, Successes: 62_500}, {Trials: 10}})
	var sum float64
	for _, p := range got {
		sum += p
	}
	near(t, "sum", sum, 1, 1e-6)
}

func BenchmarkProbabilityBestOfFive(b *testing.B) {
	variants := []Variant{{Trials: 40000, Successes: 2000}, {Trials: 40000, Successes: 2100},
		{Trials: 40000, Successes: 2010}, {Trials: 40000, Successes: 1990}, {Trials: 40000, Successes: 2050}}
	for b.Loop() {
		ProbabilityBest(variants)
	}
}
