package statistics

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// looker looks at an experiment again and again, and remembers what it said.
type looker struct {
	goals  []Goal
	design Design
	source *rand.PCG

	everShown bool // a difference of any goal, at any look
	everLate  bool
}

// newLooker begins an experiment without any difference, with so many variants and goals.
func newLooker(variants, goals int, design Design, source *rand.PCG) *looker {
	l := &looker{design: design, source: source}
	for g := range goals {
		l.goals = append(l.goals, Goal{Name: fmt.Sprint("goal", g), Variants: make([]Variant, variants)})
	}
	return l
}

// day brings visitors to each variant, who convert at that rate, and somebody looks.
func (l *looker) day(perVariant int64, rate float64) []Report {
	for v := range l.goals[0].Variants {
		visitors := draw(2*perVariant, 0.5, l.source)
		for g := range l.goals {
			l.goals[g].Variants[v].Label = string(rune('a' + v))
			l.goals[g].Variants[v].Trials += visitors
			l.goals[g].Variants[v].Successes += draw(visitors, rate, l.source)
		}
	}
	for g := range l.goals {
		if l.goals[g].AtSize == nil && ProgressOf(l.goals[g].Variants, l.design.Plan).Reached {
			l.goals[g].AtSize = append([]Variant(nil), l.goals[g].Variants...)
		}
	}
	reports := judge(l.goals, l.design)
	for _, r := range reports {
		l.everShown = l.everShown || r.Verdict.shows()
		l.everLate = l.everLate || r.Verdict == LateDifference
	}
	return reports
}

// Somebody looks at an experiment without any difference every day, before the planned size and
// long after it, and believes the first difference of any variant and goal that he is shown: he is
// wrong no more often than Alpha says. The fixed test at each look after the size, as it was, is wrong
// in 19.8 % after 60 looks.
func TestWhoeverLooksOnIsWrongNoMoreOftenThanAlpha(t *testing.T) {
	for _, c := range []struct {
		name            string
		variants, goals int
		primary         string
		planned         int64
		alpha           float64
	}{
		{"two variants", 2, 1, "", 10_000, 0.05},
		{"two variants, at 0.01", 2, 1, "", 10_000, 0.01},
		{"two variants, no plan", 2, 1, "", 0, 0.05},
		{"four variants", 4, 1, "", 10_000, 0.05},
		{"eight goals", 2, 8, "", 10_000, 0.05},
		{"eight goals, one of them primary", 2, 8, "goal3", 10_000, 0.05},
		{"eight goals, at 0.01", 2, 8, "", 10_000, 0.01},
	} {
		t.Run(c.name, func(t *testing.T) {
			const repetitions, looks, perLook = 1000, 80, 500 // the size is reached at the 20th
			source := rand.NewPCG(5, 40_000)
			var wrong, late int
			for range repetitions {
				l := newLooker(c.variants, c.goals, Design{Plan: Plan{TrialsPerVariant: c.planned, Alpha: c.alpha}, Primary: c.primary}, source)
				for look := 0; look < looks && !l.everShown; look++ {
					l.day(perLook, 0.05)
				}
				wrong += count(l.everShown)
				late += count(l.everLate)
			}
			t.Logf("of them late: %d", late)
			atMost(t, "experiments that ever showed a difference", wrong, repetitions, c.alpha)
		})
	}
}

// Where there is a difference it has to be found, or the test above could be passed by silence: the
// size is that of 80 % power at the level of the look at it.
func TestADifferenceIsFoundAtThePlannedSize(t *testing.T) {
	plan := Plan{}
	size, err := SampleSize(0.05, 0.01, plan.FixedLevel(), 0.8)
	if err != nil {
		t.Fatal(err)
	}
	plan.TrialsPerVariant = size
	source := rand.NewPCG(6, 40_000)
	const repetitions = 1000
	found := 0
	for range repetitions {
		variants := []Variant{
			{Label: "a", Trials: size, Successes: draw(size, 0.05, source)},
			{Label: "b", Trials: size, Successes: draw(size, 0.06, source)},
		}
		r := analyse(variants, Design{Plan: plan})
		found += count(r.Verdict == Difference && r.Leader == "b")
	}
	t.Logf("%d of %d found at %d participants a variant", found, repetitions, size)
	if found < 780 {
		t.Errorf("%d of %d found, 800 were planned", found, repetitions)
	}
}

// The intervals of the days before the planned size hold all together: who looks every day sees one
// that leaves the truth out in no more than the share of experiments that looking may cost.
func TestIntervalsHoldAtEveryLook(t *testing.T) {
	const repetitions, looks = 1000, 60
	source := rand.NewPCG(7, 40_000)
	design := Design{Plan: Plan{TrialsPerVariant: 1_000_000}}
	missed := 0
	for range repetitions {
		l := newLooker(2, 1, design, source)
		for range looks {
			r := l.day(300, 0.1)[0]
			c := r.Variants[1].Comparison
			if decided := c.AdjustedSequentialP <= design.sequentialLevel(); decided == c.Interval.Contains(0) {
				t.Fatalf("interval %+v against p %g", c.Interval, c.AdjustedSequentialP)
			}
			if !c.Interval.Contains(0) {
				missed++
				break
			}
		}
	}
	atMost(t, "experiments of which an interval ever leaves the truth out", missed, repetitions, 0.01)
}

// A page that is ramped up, from one in ten to half, while its rate rises by itself: without any
// difference of the variants, the one that came late looks better.
func TestARampIsNotTrusted(t *testing.T) {
	source := rand.NewPCG(8, 40_000)
	total := []Variant{{Label: "a", Weight: 1}, {Label: "b", Weight: 1}}
	grow(total, split(100_000, 0.9, 0.04, source))
	grow(total, split(100_000, 0.5, 0.06, source))
	plan := Plan{TrialsPerVariant: 20_000}
	if r := analyse(total, Design{Plan: plan}); r.Verdict != Difference {
		t.Fatalf("the example misleads nobody: %s", r.Verdict)
	}
	r := analyse(total, Design{Plan: plan, Ramped: true, Declared: true})
	if r.Verdict != Untrusted || r.Distrust != SplitChanged || r.Leader != "" || r.Variants[1].ProbabilityBest != nil {
		t.Errorf("%s (%s), leader %q", r.Verdict, r.Distrust, r.Leader)
	}
}

// A mismatch of the split that is confirmed mutes the verdict where weights were declared, and is a
// question where they were not.
func TestAMismatchMutesTheVerdict(t *testing.T) {
	variants := []Variant{{Label: "a", Weight: 1, Trials: 20_000, Successes: 1000}, {Label: "b", Weight: 1, Trials: 24_000, Successes: 1500}}
	plan := Plan{TrialsPerVariant: 20_000}
	if r := analyse(variants, Design{Plan: plan, Declared: true}); r.Verdict != Untrusted || r.Distrust != Mismatch {
		t.Errorf("declared: %s (%s)", r.Verdict, r.Distrust)
	}
	if r := analyse(variants, Design{Plan: plan}); r.Verdict != Difference {
		t.Errorf("not declared: %s", r.Verdict)
	}
}

// HyperLogLog's own error, 0.81 % of each count, looks like a difference at sizes that people have.
func TestEstimatedCountsAreNotTested(t *testing.T) {
	source := rand.New(rand.NewPCG(9, 40_000))
	const repetitions, size, hll = 300, 200_000, 0.0081
	blurred := func(n int64) int64 { return int64(float64(n) * (1 + hll*source.NormFloat64())) }
	fooled := 0
	for range repetitions {
		var variants []Variant
		for _, label := range []string{"a", "b"} {
			successes := draw(size, 0.05, rand.NewPCG(source.Uint64(), 1))
			variants = append(variants, Variant{Label: label, Trials: blurred(size), Successes: blurred(successes)})
		}
		plan := Plan{TrialsPerVariant: size / 2}
		fooled += count(analyse(variants, Design{Plan: plan}).Verdict == Difference)
		if r := analyse(variants, Design{Plan: plan, Estimated: true}); r.Verdict != Estimated || r.Variants[1].ProbabilityBest != nil {
			t.Fatalf("%s", r.Verdict)
		}
	}
	t.Logf("tested, they would show a difference in %d of %d", fooled, repetitions)
	if fooled < repetitions/10 {
		t.Error("the example misleads nobody")
	}
}

// "95 % to be best" comes sooner or later: it is told with a verdict, and not before.
func TestTheOddsAreToldWithAVerdict(t *testing.T) {
	undecided := analyse([]Variant{{Label: "a", Trials: 1000, Successes: 50}, {Label: "b", Trials: 1000, Successes: 70}}, Design{Plan: Plan{TrialsPerVariant: 2000}})
	if undecided.Verdict != NotYet || undecided.Variants[1].ProbabilityBest != nil {
		t.Errorf("%s, best %v", undecided.Verdict, undecided.Variants[1].ProbabilityBest)
	}
	decided := analyse([]Variant{{Label: "a", Trials: 10_000, Successes: 520}, {Label: "b", Trials: 10_000, Successes: 640}}, Design{Plan: Plan{TrialsPerVariant: 10_000}})
	if decided.Variants[1].ProbabilityBest == nil {
		t.Errorf("%s, and no odds", decided.Verdict)
	}
}

// A variant that has no share of the traffic, as one that a single request has invented, is compared
// with nothing.
func TestAStrayVariantIsNotCompared(t *testing.T) {
	r := analyse([]Variant{{Label: "a", Weight: 1, Trials: 10_000, Successes: 500}, {Label: "b", Weight: 1, Trials: 10_000, Successes: 505},
		{Label: "stray", Trials: 40, Successes: 40}}, Design{Plan: Plan{TrialsPerVariant: 5000}})
	if r.Variants[2].Comparison != nil || r.Verdict != NoDifference {
		t.Errorf("%s, %+v", r.Verdict, r.Variants[2].Comparison)
	}
}
