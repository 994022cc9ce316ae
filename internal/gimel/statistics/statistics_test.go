package statistics

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"gonum.org/v1/gonum/integrate/quad"
	"gonum.org/v1/gonum/stat/distuv"
)

// The mixture's closed form must be the mixture: the likelihood ratio
// integrated over the effects.
func TestSequentialPIsTheMixture(t *testing.T) {
	a, b, plan := Variant{Trials: 9000, Successes: 560}, Variant{Trials: 10000, Successes: 500}, Plan{TrialsPerVariant: 12000}
	p := pooledRate(a, b)
	m := contrastOf(Unique, a, b).size
	tau := math.Sqrt(mixtureVariance(plan) * p * (1 - p))
	sigma := math.Sqrt(p * (1 - p) / m)
	d := a.rate() - b.rate()
	null := distuv.Normal{Sigma: sigma}.Prob(d)
	ratio := quad.Fixed(func(effect float64) float64 {
		return distuv.Normal{Mu: effect, Sigma: sigma}.Prob(d) / null * distuv.Normal{Sigma: tau}.Prob(effect)
	}, -10*tau, 10*tau, 400, nil, 0)
	near(t, "sequential p", SequentialP(a, b, plan), 1/ratio, 1e-9)
	if SequentialP(a, b, plan) <= TwoProportionP(a, b) {
		t.Error("the sequential p must cost something against the fixed p")
	}
}

func TestSequentialPWaitsForExpectedCounts(t *testing.T) {
	a, b := Variant{Trials: 90, Successes: 18}, Variant{Trials: 90, Successes: 0}
	if p := SequentialP(a, b, Plan{TrialsPerVariant: 100}); p != 1 {
		t.Errorf("9 expected successes: p = %g, want 1", p)
	}
	a, b = Variant{Trials: 110, Successes: 22}, Variant{Trials: 110, Successes: 0}
	if p := SequentialP(a, b, Plan{TrialsPerVariant: 100}); p >= 1 {
		t.Errorf("11 expected successes: p = %g, want below 1", p)
	}
}

// The Dirichlet mixture is the product of its one-step predictions, so the
// closed form must equal the product over any order of arrival.
func TestMultinomialPIsTheProductOfPredictions(t *testing.T) {
	shares := []float64{0.5, 0.3, 0.2}
	counts, final := [3]float64{}, [3]int64{230, 90, 80}
	var logRatio, seen float64
	for i, n := range final {
		for range n {
			predicted := (ratioConcentration*shares[i] + counts[i]) / (ratioConcentration + seen)
			logRatio += math.Log(predicted / shares[i])
			counts[i]++
			seen++
		}
	}
	variants := []Variant{{Trials: 230, Weight: 5}, {Trials: 90, Weight: 3}, {Trials: 80, Weight: 2}}
	near(t, "sequential p", CheckSampleRatio(variants).SequentialP, math.Exp(-logRatio), 1e-9)
}

func TestSampleRatioEdges(t *testing.T) {
	if CheckSampleRatio(nil) != nil || CheckSampleRatio([]Variant{{Trials: 5}}) != nil ||
		CheckSampleRatio([]Variant{{}, {}}) != nil {
		t.Error("nothing to check must be nil")
	}
	declared := CheckSampleRatio([]Variant{{Weight: 9, Trials: 9000}, {Weight: 1, Trials: 1000}})
	near(t, "90:10 as declared", declared.P, 1, 1e-9)
	stray := CheckSampleRatio([]Variant{{Weight: 1, Trials: 500}, {Weight: 1, Trials: 500}, {Trials: 3}})
	near(t, "beside a stray label", stray.P, 1, 1e-9)
	near(t, "sequential, beside a stray label", stray.SequentialP, 1, 1e-9)
	if stray.Undeclared != 3 || stray.Expected[0] != 500 || stray.Expected[2] != 0 {
		t.Errorf("participants of a variant without a share: %+v", stray)
	}
	if CheckSampleRatio([]Variant{{Weight: 1, Trials: 500}, {Trials: 3}}) != nil {
		t.Error("a single variant with a share is nothing to check")
	}
	odd := CheckSampleRatio([]Variant{{Weight: math.NaN(), Trials: 5}, {Weight: math.Inf(1), Trials: 5}})
	near(t, "unusable weights", odd.P, 1, 1e-9)
}

// analyse reports on the only goal of an experiment, that is looked at when its planned size is reached.
func analyse(variants []Variant, design Design) Report {
	goal := Goal{Name: "goal", Variants: variants}
	if ProgressOf(variants, design.Plan).Reached {
		goal.AtSize = variants
	}
	return Analyse([]Goal{goal}, design)[0]
}

func TestMoreSuccessesThanTrialsShowsARateAndNoP(t *testing.T) {
	r := analyse([]Variant{{Label: "a", Trials: 100, Successes: 10}, {Label: "b", Trials: 100, Successes: 130}}, Design{Plan: Plan{TrialsPerVariant: 50}})
	b := r.Variants[1]
	if !b.Impossible || b.Rate == nil || *b.Rate != 1.3 {
		t.Errorf("want an impossible rate of 1.3, got %+v", b)
	}
	if b.Comparison != nil || b.RateInterval != nil || b.ProbabilityBest != nil || r.Variants[0].ProbabilityBest != nil {
		t.Error("an impossible count must not be compared")
	}
	if r.Verdict != NotComparable {
		t.Errorf("verdict %q", r.Verdict)
	}
	text, err := json.Marshal(b)
	if err != nil || strings.Contains(string(text), `"p"`) {
		t.Errorf("json: %s, %v", text, err)
	}
}

func TestProgressIgnoresStrayLabels(t *testing.T) {
	variants := []Variant{{Weight: 1, Trials: 500}, {Weight: 1, Trials: 400}, {Trials: 3}}
	if p := ProgressOf(variants, Plan{TrialsPerVariant: 400}); p.Smallest != 400 || !p.Reached {
		t.Errorf("with a stray label: %+v", p)
	}
	if p := ProgressOf([]Variant{{Trials: 500}, {Trials: 3}}, Plan{TrialsPerVariant: 400}); p.Smallest != 3 || p.Reached {
		t.Errorf("without weights: %+v", p)
	}
	if p := ProgressOf(nil, Plan{}); p.Smallest != 0 || p.Reached {
		t.Errorf("without variants: %+v", p)
	}
}

func TestVerdicts(t *testing.T) {
	v := func(counts ...int64) (variants []Variant) {
		for i := 0; i < len(counts); i += 2 {
			variants = append(variants, Variant{Label: string(rune('a' + i/2)), Successes: counts[i], Trials: counts[i+1]})
		}
		return variants
	}
	for _, c := range []struct {
		name     string
		variants []Variant
		plan     Plan
		want     Verdict
		leader   string
	}{
		{"no variants", nil, Plan{}, NoData, ""},
		{"one variant", v(1, 10), Plan{}, NoData, ""},
		{"no participants", v(0, 0, 0, 0), Plan{TrialsPerVariant: 10}, NoData, ""},
		{"significant once, before the planned size", v(520, 10000, 600, 10000), Plan{TrialsPerVariant: 20000}, NotYet, ""},
		{"the same at the planned size", v(520, 10000, 600, 10000), Plan{TrialsPerVariant: 10000}, Difference, "b"},
		{"control leads", v(600, 10000, 520, 10000), Plan{TrialsPerVariant: 10000}, Difference, "a"},
		{"nothing at the planned size", v(520, 10000, 530, 10000), Plan{TrialsPerVariant: 10000}, NoDifference, ""},
		{"overwhelming before the planned size", v(520, 10000, 800, 10000), Plan{TrialsPerVariant: 20000}, EarlyDifference, "b"},
		{"no plan, not clear", v(520, 10000, 600, 10000), Plan{}, NotYet, ""},
		{"no plan, clear", v(520, 10000, 800, 10000), Plan{}, EarlyDifference, "b"},
		{"several variants pay for being several", v(520, 10000, 600, 10000, 530, 10000, 515, 10000, 540, 10000), Plan{TrialsPerVariant: 10000}, NoDifference, ""},
		{"one is worse, another leads by chance", v(520, 10000, 530, 10000, 400, 10000), Plan{TrialsPerVariant: 10000}, Difference, ""},
		{"one is worse, the control leads", v(520, 10000, 510, 10000, 400, 10000), Plan{TrialsPerVariant: 10000}, Difference, "a"},
		{"a variant without participants", v(520, 10000, 800, 10000, 0, 0), Plan{TrialsPerVariant: 10000}, EarlyDifference, "b"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := analyse(c.variants, Design{Plan: c.plan})
			if r.Verdict != c.want || r.Leader != c.leader {
				t.Errorf("got %q for %q, want %q for %q", r.Verdict, r.Leader, c.want, c.leader)
			}
			if _, err := json.Marshal(r); err != nil {
				t.Errorf("json: %v", err) // NaN and Inf cannot be written
			}
		})
	}
}
