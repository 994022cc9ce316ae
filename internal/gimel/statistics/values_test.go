package statistics

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"
)

// bring lets so many visitors come to a variant of a goal that counts values: some convert, each
// with a value as orders have them, log-normal around 30 with a tail (σ of the logarithm is spread);
// or, of a count, come again with that probability after each time.
func bring(kind Kind, v *Variant, visitors int64, rate, spread, lift float64, random *rand.Rand) {
	v.Trials += visitors
	conversions := draw(visitors, rate, random)
	if kind == Count {
		for range conversions {
			times := 1.0
			for ; random.Float64() < spread; times++ {
			}
			v.Successes, v.Values = v.Successes+int64(times), v.Values+int64(times)
			v.Sum, v.Squares = v.Sum+times, v.Squares+times*times
		}
		return
	}
	for range conversions {
		value := lift * math.Exp(math.Log(30)+spread*random.NormFloat64())
		v.Sum, v.Squares = v.Sum+value, v.Squares+value*value
	}
	v.Successes, v.Values = v.Successes+conversions, v.Values+conversions
}

// shop is an experiment on values that is looked at every day, and what its two variants bring.
type shop struct {
	kind                      Kind
	share, rate, spread, lift float64
	perDay                    int64
	days                      int
}

// run tells whether a difference was ever shown, and the smallest p of Welch's test of all looks.
func (s shop) run(plan Plan, random *rand.Rand) (shown bool, smallest float64) {
	goal := Goal{Name: "orders", Kind: s.kind, Variants: []Variant{{Label: "a", Weight: s.share}, {Label: "b", Weight: 1 - s.share}}}
	smallest = 1
	for range s.days {
		first := draw(s.perDay, s.share, random)
		bring(s.kind, &goal.Variants[0], first, s.rate, s.spread, 1, random)
		bring(s.kind, &goal.Variants[1], s.perDay-first, s.rate, s.spread, s.lift, random)
		if goal.AtSize == nil && ProgressOf(goal.Variants, plan).Reached {
			goal.AtSize = append([]Variant(nil), goal.Variants...)
		}
		r := judge([]Goal{goal}, Design{Plan: plan})[0]
		shown = shown || r.Verdict.shows()
		if contrastOf(s.kind, goal.Variants[0], goal.Variants[1]).begun {
			smallest = min(smallest, 2*distuv.UnitNormal.Survival(math.Abs(welchOf(goal.Variants[0], goal.Variants[1]).t)))
		}
	}
	return shown, smallest
}

// Looking on at values without any difference, every day, before the size and long after it. The
// plain test at every look, which is what a spreadsheet does, would be wrong five times as often; and
// Welch's standard error alone twice as often as it says, where the split is 90:10.
func TestValuesUnderPeeking(t *testing.T) {
	for _, c := range []struct {
		name  string
		of    shop
		plan  int64
		alpha float64
	}{
		{"orders of 5 %", shop{Value, 0.5, 0.05, 1, 1, 2000, 30}, 10_000, 0.05},
		{"orders of 5 %, at 0.01", shop{Value, 0.5, 0.05, 1, 1, 2000, 30}, 10_000, 0.01},
		{"no plan", shop{Value, 0.5, 0.05, 1, 1, 2000, 30}, 0, 0.05},
		{"rare, a long tail", shop{Value, 0.5, 0.01, 1.5, 1, 2000, 30}, 10_000, 0.05},
		{"90:10, a long tail", shop{Value, 0.9, 0.05, 1.5, 1, 2000, 30}, 2000, 0.05},
		{"90:10, a long tail, at 0.01", shop{Value, 0.9, 0.05, 1.5, 1, 2000, 30}, 2000, 0.01},
		{"clicks, five a visitor", shop{Count, 0.5, 0.05, 0.8, 1, 2000, 30}, 10_000, 0.05},
		{"clicks, five a visitor, at 0.01", shop{Count, 0.5, 0.05, 0.8, 1, 2000, 30}, 10_000, 0.01},
		{"clicks, twenty a visitor, 90:10", shop{Count, 0.9, 0.05, 0.95, 1, 2000, 30}, 2000, 0.05},
		{"few a day, from the first", shop{Value, 0.5, 0.2, 1, 1, 80, 50}, 0, 0.05},
	} {
		t.Run(c.name, func(t *testing.T) {
			const repetitions = 500
			random := rand.New(rand.NewPCG(10, 40_000))
			wrong, plain := 0, 0
			for range repetitions {
				shown, smallest := c.of.run(Plan{TrialsPerVariant: c.plan, Alpha: c.alpha}, random)
				wrong += count(shown)
				plain += count(smallest <= c.alpha)
			}
			t.Logf("the plain test at every look: %d", plain)
			atMost(t, "experiments that ever showed a difference", wrong, repetitions, c.alpha)
			if float64(plain) < 2*c.alpha*repetitions {
				t.Error("the example misleads nobody")
			}
		})
	}
}

// Or the test above could be passed by silence: orders that are a quarter larger are found.
func TestADifferenceOfValuesIsFound(t *testing.T) {
	random := rand.New(rand.NewPCG(11, 40_000))
	found, more := 0, 0
	for range 200 {
		shown, _ := shop{Value, 0.5, 0.1, 0.7, 1.25, 2000, 20}.run(Plan{TrialsPerVariant: 15_000}, random)
		found += count(shown)
		clicks := Goal{Kind: Count, Variants: make([]Variant, 2)}
		bring(Count, &clicks.Variants[0], 20_000, 0.05, 0.8, 1, random)
		bring(Count, &clicks.Variants[1], 20_000, 0.05, 0.86, 1, random) // seven clicks, not five
		more += count(judge([]Goal{clicks}, Design{})[0].Verdict.shows())
	}
	t.Logf("%d and %d of 200 found", found, more)
	if found < 180 || more < 180 {
		t.Errorf("%d and %d of 200 found", found, more)
	}
}

// A goal that one participant reaches often, tested as a proportion, misleads: the visitors of a shop
// who click come back for more (a geometric number of clicks).
func TestCountsAreNotTestedAsProportions(t *testing.T) {
	random := rand.New(rand.NewPCG(12, 40_000))
	const repetitions, size = 500, 10_000
	fooled, shown := 0, 0
	for range repetitions {
		var variants []Variant
		for _, label := range []string{"a", "b"} {
			v := Variant{Label: label, Trials: size}
			for range draw(size, 0.05, random) { // who clicks does so five times on average
				for v.Successes++; random.Float64() < 0.8; v.Successes++ {
				}
			}
			variants = append(variants, v)
		}
		plan := Plan{TrialsPerVariant: size / 2}
		asProportion := judge([]Goal{{Name: "click", Variants: variants, AtSize: variants}}, Design{Plan: plan})[0]
		asCount := judge([]Goal{{Name: "click", Kind: Count, Variants: variants, AtSize: variants}}, Design{Plan: plan})[0]
		fooled += count(asProportion.Verdict.shows())
		shown += count(asCount.Verdict != NotTested || asCount.Variants[1].Comparison != nil || asCount.Variants[1].RateInterval != nil)
	}
	t.Logf("as a proportion: %d of %d show a difference", fooled, repetitions)
	if fooled < repetitions/3 {
		t.Error("the example misleads nobody")
	}
	if shown > 0 {
		t.Errorf("%d counts were tested", shown)
	}
}

// A goal that is never tested cannot be what the others wait for, and takes nothing of their alpha.
func TestACountIsNoPrimaryGoal(t *testing.T) {
	clicks := []Variant{{Label: "a", Trials: 10_000, Successes: 30_000}, {Label: "b", Trials: 10_000, Successes: 31_000}}
	orders := []Variant{{Label: "a", Trials: 10_000, Successes: 520}, {Label: "b", Trials: 10_000, Successes: 640}}
	reports := judge([]Goal{{Name: "clicks", Kind: Count, Variants: clicks}, {Name: "orders", Variants: orders, AtSize: orders}},
		Design{Plan: Plan{TrialsPerVariant: 10_000}, Primary: "clicks"})
	if reports[0].Verdict != NotTested || reports[0].Variants[0].Impossible || reports[1].Verdict != Difference {
		t.Errorf("%s, %s", reports[0].Verdict, reports[1].Verdict)
	}
	// But one that was tested, and of which one event has come without a visitor, holds the others back
	// as before: a single request would give them Alpha once more.
	for i := range clicks {
		clicks[i].Values, clicks[i].Sum, clicks[i].Squares = clicks[i].Successes-int64(i), 30_000, 900_000
	}
	reports = judge([]Goal{{Name: "clicks", Kind: Count, Variants: clicks}, {Name: "orders", Variants: orders, AtSize: orders}},
		Design{Plan: Plan{TrialsPerVariant: 10_000}, Primary: "clicks"})
	if reports[0].Distrust != VisitorsUnknown || reports[1].Verdict != AfterPrimary {
		t.Errorf("%s, %s", reports[0].Distrust, reports[1].Verdict)
	}
}

// Conversions that were counted before the goal had values have none, and no test can know them; and
// too few values are not compared, but are among the comparisons that the others are corrected for.
func TestValuesThatAreMissing(t *testing.T) {
	full := Variant{Label: "a", Trials: 10_000, Successes: 500, Values: 500, Sum: 15_000, Squares: 900_000}
	lacking := Variant{Label: "b", Trials: 10_000, Successes: 500, Values: 499, Sum: 15_000, Squares: 900_000}
	r := judge([]Goal{{Kind: Value, Variants: []Variant{full, lacking}}}, Design{})[0]
	if r.Verdict != NotTested || r.Distrust != ValuesMissing {
		t.Errorf("%s (%s)", r.Verdict, r.Distrust)
	}
	few := []Variant{{Label: "a", Trials: 100, Successes: 5, Values: 5, Sum: 150, Squares: 9000}, {Label: "b", Trials: 100, Successes: 9, Values: 9, Sum: 999, Squares: 99_000}}
	rates := []Variant{{Label: "a", Trials: 1000, Successes: 150}, {Label: "b", Trials: 1000, Successes: 240}}
	both := judge([]Goal{{Kind: Value, Variants: few}, {Variants: rates}}, Design{})
	if !both[0].TooFew || both[0].Verdict != NoData || both[0].Variants[1].Comparison != nil {
		t.Errorf("%+v", both[0])
	}
	if c := both[1].Variants[1].Comparison; math.Abs(c.AdjustedSequentialP-2*c.SequentialP) > 1e-12 {
		t.Errorf("%g of %g", c.AdjustedSequentialP, c.SequentialP)
	}
}

// A size that is planned for values finds what it was planned for as often as it says, at the planned
// size and by looking alone.
func TestASizeForValues(t *testing.T) {
	// R 4: power.t.test(delta = 1, sd = 10, sig.level = 0.05, power = 0.8) says n = 1570.7, of Student's
	// distribution; everybody brings something, and far more than its spread.
	if got, err := MeanSize(Bringing{1, 1e6, 10}, 1, 0.05, 0.8); err != nil || got != 1570 {
		t.Errorf("%d, %v", got, err)
	}
	if got, err := MeanSize(Bringing{0.01, 50, 10}, 40, 0.05, 0.8); err != nil || got != 3000 {
		t.Errorf("too few to compare means: %d, %v", got, err)
	}
	for _, of := range []Bringing{{0, 50, 10}, {0.1, 0, 10}, {1, 50, 0}, {2, 50, 1}, {0.1, math.Inf(1), 1}, {0.1, math.NaN(), 1}} {
		if got, err := MeanSize(of, 1, 0.05, 0.8); err == nil {
			t.Errorf("%+v: %d", of, got)
		}
	}
	random := rand.New(rand.NewPCG(14, 40_000))
	const spread, lift, repetitions = 0.7, 1.15, 300
	mean := 30 * math.Exp(spread*spread/2)
	of := Bringing{Rate: 0.1, Mean: mean, Deviation: mean * math.Sqrt(math.Exp(spread*spread)-1)}
	plan := Plan{}
	for name, c := range map[string]struct {
		size func(of Bringing, effect, alpha, power float64) (int64, error)
		p    func(a, b Variant) bool
	}{
		"at the size": {MeanSize, func(a, b Variant) bool { return ValueP(a, b) <= 0.04 }},
		"by looking":  {SequentialMeanSize, func(a, b Variant) bool { return SequentialMeanP(a, b, plan) <= 0.04 }},
	} {
		size, err := c.size(of, of.Of()*(lift-1), 0.04, 0.8)
		if err != nil {
			t.Fatal(err)
		}
		found := 0
		for range repetitions {
			var a, b Variant
			bring(Value, &a, size, of.Rate, spread, 1, random)
			bring(Value, &b, size, of.Rate, spread, lift, random)
			found += count(c.p(b, a))
		}
		t.Logf("%s: %d of %d found with %d a variant", name, found, repetitions, size)
		if found < repetitions*74/100 || found > repetitions*90/100 { // the tails cost a little
			t.Errorf("%s: %d of %d found, 80 %% were planned", name, found, repetitions)
		}
	}
}
