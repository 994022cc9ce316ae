package statistics

import (
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"
)

// between fails unless count is plausible for repetitions tries at the rate:
// within the central 99.8 % of the binomial. The seeds are fixed, so a failure
// is a change of the code, never bad luck.
func between(t *testing.T, what string, count, repetitions int, rate float64) {
	t.Helper()
	b := distuv.Binomial{N: float64(repetitions), P: rate}
	t.Logf("%s: %d of %d (%.2f %%)", what, count, repetitions, 100*float64(count)/float64(repetitions))
	if b.CDF(float64(count)) < 0.001 || 1-b.CDF(float64(count-1)) < 0.001 {
		t.Errorf("%s: %d of %d does not fit a rate of %g", what, count, repetitions, rate)
	}
}

// atMost fails when count is implausibly high for the rate.
func atMost(t *testing.T, what string, count, repetitions int, rate float64) {
	t.Helper()
	t.Logf("%s: %d of %d (%.2f %%)", what, count, repetitions, 100*float64(count)/float64(repetitions))
	if 1-(distuv.Binomial{N: float64(repetitions), P: rate}).CDF(float64(count-1)) < 0.001 {
		t.Errorf("%s: %d of %d exceeds a rate of %g", what, count, repetitions, rate)
	}
}

func draw(n int64, p float64, source rand.Source) int64 {
	if n == 0 {
		return 0
	}
	return int64(distuv.Binomial{N: float64(n), P: p, Src: source}.Rand())
}

// split sends n visitors to two variants, the first with the given share, who
// all convert at the same rate: an A/A experiment.
func split(n int64, share, rate float64, source rand.Source) []Variant {
	first := draw(n, share, source)
	return []Variant{
		{Label: "a", Weight: share, Trials: first, Successes: draw(first, rate, source)},
		{Label: "b", Weight: 1 - share, Trials: n - first, Successes: draw(n-first, rate, source)},
	}
}

// An A/A experiment of 40,000 a variant, a thousand times: the chance of a
// false positive and of a false sample-ratio alarm must be the nominal one.
func TestAAKeepsItsErrorRates(t *testing.T) {
	const repetitions, size = 1000, 40_000
	for _, c := range []struct {
		name        string
		share, rate float64
	}{
		{"even split, 5 %", 0.5, 0.05},
		{"even split, 0.5 %", 0.5, 0.005},
		{"90:10, 20 %", 0.9, 0.20},
	} {
		t.Run(c.name, func(t *testing.T) {
			source := rand.NewPCG(1, 40_000)
			var positives, outside, alarms, verdicts int
			for range repetitions {
				r := analyse(split(2*size, c.share, c.rate, source), Design{Plan: Plan{TrialsPerVariant: 1000}})
				comparison := r.Variants[1].Comparison
				positives += count(*comparison.P <= 0.05)
				outside += count(!comparison.Interval.Contains(0))
				alarms += count(r.SampleRatio.Alarm)
				verdicts += count(r.Verdict == Difference)
			}
			between(t, "false positives at 0.05", positives, repetitions, 0.05)
			between(t, "intervals without 0", outside, repetitions, 0.04)
			between(t, "verdicts of a difference", verdicts, repetitions, 0.04)
			between(t, "sample-ratio alarms at 0.01", alarms, repetitions, SampleRatioLevel)
		})
	}
}

// A sample ratio that is off by one participant in fifty must be found, or the
// test above could be passed by never raising an alarm.
func TestSampleRatioFindsLoss(t *testing.T) {
	source := rand.NewPCG(2, 40_000)
	var alarms, confirmed int
	for range 300 {
		variants := split(80_000, 0.5, 0.05, source)
		variants[1].Trials -= draw(variants[1].Trials, 0.03, source)
		check := CheckSampleRatio(variants)
		alarms += count(check.Alarm)
		confirmed += count(check.Confirmed)
	}
	t.Logf("3 %% lost in one of two variants of 40,000: %d of 300 alarms, %d confirmed", alarms, confirmed)
	if alarms < 270 || confirmed < 200 {
		t.Errorf("3 %% lost in one variant: %d of 300 alarms, %d confirmed", alarms, confirmed)
	}
}

// Looking 200 times while an A/A experiment grows: the always-valid p-values
// may ever fall below their level in no more than that share of experiments.
func TestSequentialUnderPeeking(t *testing.T) {
	const repetitions, looks = 1000, 200
	for _, c := range []struct {
		name        string
		share, rate float64
		perLook     int64
	}{
		{"even split, 5 %", 0.5, 0.05, 400},
		{"even split, 50 %, from the first visitors", 0.5, 0.5, 20},
		{"even split, 0.5 %", 0.5, 0.005, 400},
		{"90:10, 1 %", 0.9, 0.01, 400},
		{"99:1, 10 %", 0.99, 0.1, 400},
	} {
		t.Run(c.name, func(t *testing.T) {
			source := rand.NewPCG(3, 40_000)
			plan := Plan{TrialsPerVariant: c.perLook * looks / 2}
			var sequential, fixed, ratio, ratioFixed int
			for range repetitions {
				seen := peek(looks, c.perLook, c.share, c.rate, plan, source)
				sequential += count(seen.sequential <= 0.05)
				fixed += count(seen.fixed <= 0.05)
				ratio += count(seen.ratio < SampleRatioLevel)
				ratioFixed += count(seen.ratioFixed < SampleRatioLevel)
			}
			atMost(t, "sequential p ever at 0.05", sequential, repetitions, 0.05)
			atMost(t, "sequential sample ratio ever at 0.01", ratio, repetitions, SampleRatioLevel)
			t.Logf("for comparison, one-look tests ever: p %d, sample ratio %d", fixed, ratioFixed)
		})
	}
}

type smallest struct{ sequential, fixed, ratio, ratioFixed float64 }

func peek(looks int, perLook int64, share, rate float64, plan Plan, source rand.Source) smallest {
	seen := smallest{1, 1, 1, 1}
	total := []Variant{{Weight: share}, {Weight: 1 - share}}
	for range looks {
		grow(total, split(perLook, share, rate, source))
		if total[0].Trials == 0 || total[1].Trials == 0 {
			continue
		}
		check := CheckSampleRatio(total)
		seen.sequential = min(seen.sequential, SequentialP(total[1], total[0], plan))
		seen.fixed = min(seen.fixed, TwoProportionP(total[1], total[0]))
		seen.ratio = min(seen.ratio, check.SequentialP)
		seen.ratioFixed = min(seen.ratioFixed, check.P)
	}
	return seen
}

func grow(total, more []Variant) {
	for i := range total {
		total[i].Trials += more[i].Trials
		total[i].Successes += more[i].Successes
	}
}

func count(b bool) int {
	if b {
		return 1
	}
	return 0
}
