package statistics

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
)

// Of ten variants without any difference the owner looks and makes the one that is furthest from
// the others the control. Corrected for all pairs he is wrong no more often than Alpha says.
func TestAControlThatIsChosenAfterLooking(t *testing.T) {
	const repetitions, size = 1000, 5000
	wrong := map[bool]int{}
	source := rand.NewPCG(51, 40_000)
	for range repetitions {
		variants := make([]Variant, 10)
		for i := range variants {
			variants[i] = Variant{Label: fmt.Sprint(i), Weight: 1, Trials: size, Successes: draw(size, 0.1, source)}
		}
		furthest := 0
		for i, v := range variants {
			if v.Successes < variants[furthest].Successes {
				furthest = i
			}
		}
		variants[0], variants[furthest] = variants[furthest], variants[0]
		for _, known := range []bool{false, true} {
			r := judge([]Goal{{Name: "g", Variants: variants, AtSize: variants}}, Design{Plan: Plan{TrialsPerVariant: size}, AnyControl: known})[0]
			wrong[known] += count(r.Verdict.shows())
		}
	}
	t.Logf("not corrected for: %d of %d", wrong[false], repetitions)
	if wrong[false] < repetitions/13 {
		t.Error("the example misleads nobody")
	}
	atMost(t, "differences shown", wrong[true], repetitions, 0.05)
}

// Of ten variants that nobody had declared the owner looks and declares the two that are furthest
// apart: one comparison is made, and it was chosen among 45.
func TestVariantsThatAreChosenAfterLooking(t *testing.T) {
	const repetitions, size = 1000, 5000
	wrong := map[int]int{}
	source := rand.NewPCG(53, 40_000)
	for range repetitions {
		variants := make([]Variant, 10)
		for i := range variants {
			variants[i] = Variant{Label: fmt.Sprint(i), Trials: size, Successes: draw(size, 0.1, source)}
		}
		slices.SortFunc(variants, func(a, b Variant) int { return cmp.Compare(a.Successes, b.Successes) })
		variants[1], variants[9] = variants[9], variants[1]
		variants[0].Weight, variants[1].Weight = 1, 1
		for _, passedOver := range []int{0, 8} {
			r := judge([]Goal{{Name: "g", Variants: variants, AtSize: variants}},
				Design{Plan: Plan{TrialsPerVariant: size}, AnyControl: true, PassedOver: passedOver})[0]
			wrong[passedOver] += count(r.Verdict.shows())
		}
	}
	t.Logf("not corrected for: %d of %d", wrong[0], repetitions)
	if wrong[0] < repetitions/4 {
		t.Error("the example misleads nobody")
	}
	atMost(t, "differences shown", wrong[8], repetitions, 0.05)
}

// Goals that are not tested have no verdict and no comparison; those that were chosen among count in
// the corrections of the others, and those that strangers invent do not.
func TestGoalsThatAreNotTested(t *testing.T) {
	variants := []Variant{{Label: "a", Trials: 10_000, Successes: 500}, {Label: "b", Trials: 10_000, Successes: 590}}
	strangers := func(n int, charged bool) []Goal {
		goals := []Goal{{Name: "buy", Variants: variants, AtSize: variants}}
		for i := range n {
			goals = append(goals, Goal{Name: strconv.Itoa(i), Variants: variants, Untested: GoalDeclaredLate, Charged: charged})
		}
		return goals
	}
	p := TwoProportionP(variants[1], variants[0])
	for _, c := range []struct {
		charged bool
		want    float64
	}{{false, p}, {true, min(1, 100*p)}} {
		reports := judge(strangers(99, c.charged), Design{Plan: Plan{TrialsPerVariant: 10_000}})
		if got := *reports[0].Variants[1].Comparison.AdjustedP; math.Abs(got-c.want) > 1e-12 {
			t.Errorf("charged %v: %g, want %g", c.charged, got, c.want)
		}
		if r := reports[7]; r.Verdict != NotTested || r.Distrust != GoalDeclaredLate || r.Variants[1].Comparison != nil || r.Variants[1].RateInterval == nil {
			t.Errorf("%+v", r)
		}
	}
}

// Values that lie close together for their size, as points in time do, are summed up as the script
// does: what is left of their spread is rounding, and a verdict from it would be one of that.
func TestASpreadThatIsLostIsNotTested(t *testing.T) {
	random := rand.New(rand.NewPCG(52, 40_000))
	of := func(label string, centre, spread float64) Variant {
		v := Variant{Label: label, Trials: 3000, Successes: 3000, Values: 3000}
		for range v.Values {
			x := math.Round(centre + spread*random.NormFloat64())
			v.Sum, v.Squares = v.Sum+x, v.Squares+x*x
		}
		return v
	}
	for _, c := range []struct {
		name           string
		centre, spread float64
		lost           bool
	}{{"points in time", 9e8, 40, true}, {"all the same", 20, 0, true}, {"of a day", 9e8, 90_000, false}, {"prices", 2000, 300, false}} {
		variants := []Variant{of("a", c.centre, c.spread), of("b", c.centre, c.spread)}
		r := judge([]Goal{{Name: "g", Kind: Value, Variants: variants, AtSize: variants}}, Design{Plan: Plan{TrialsPerVariant: 3000}})[0]
		if got := r.Verdict == NotTested && r.Distrust == SpreadLost; got != c.lost || r.TooFew {
			t.Errorf("%s: %s (%s), too few %v, variances %g, %g", c.name, r.Verdict, r.Distrust, r.TooFew, variants[0].variance(), variants[1].variance())
		}
	}
}

// Weights of any size have shares.
func TestSharesOfAnyWeights(t *testing.T) {
	for _, weight := range []float64{1, 1e308, 1e-300} {
		if got := Shares([]Variant{{Weight: weight}, {Weight: weight}, {}}); got[0] != 0.5 || got[1] != 0.5 || got[2] != 0 {
			t.Errorf("%g: %v", weight, got)
		}
	}
}
