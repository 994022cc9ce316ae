package statistics

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"
)

// period is what was counted between two declarations of the weights: who took part in it, and
// conversions that came in it, whenever those who converted had taken part.
type period []Variant

// ramped is an experiment without any difference that goes from 90:10 to 50:50 while its rate rises by
// itself; of those who convert, so many do in the period after the one that they took part in.
func ramped(late float64, source *rand.PCG) (before, after period) {
	before, after = split(100_000, 0.9, 0.04, source), split(100_000, 0.5, 0.06, source)
	for i := range before {
		moved := draw(before[i].Successes, late, source)
		before[i].Successes -= moved
		after[i].Successes += moved - draw(after[i].Successes, late, source)
	}
	return before, after
}

// stratified is the p-value of the differences in each period, weighted by their variances.
func stratified(periods ...period) float64 {
	var sum, weights float64
	for _, of := range periods {
		c := contrastOf(Unique, of[1], of[0])
		weight := 1 / (c.deviation * c.deviation)
		sum, weights = sum+weight*c.difference, weights+weight
	}
	return 2 * distuv.UnitNormal.Survival(math.Abs(sum)/math.Sqrt(weights))
}

// Why the verdict of an experiment whose split was changed is Untrusted, and not that of its periods:
// with the counts at the change they can be told apart, and the comparison by period is right where
// everybody converts at once. But conversions come later, from those of a period with another split,
// and whose they are is not known: without a user_id AlephBet sends each event with a uuid of its own.
// One late conversion in ten is enough to show a difference that is not there.
func TestPeriodsDoNotMendARamp(t *testing.T) {
	const repetitions = 300
	source := rand.NewPCG(13, 40_000)
	shown := func(late float64) (wrong int) {
		for range repetitions {
			before, after := ramped(late, source)
			wrong += count(stratified(before, after) <= 0.05)
		}
		return wrong
	}
	between(t, "nobody late, differences shown", shown(0), repetitions, 0.05)
	if wrong := shown(0.1); wrong < repetitions/2 {
		t.Errorf("one in ten late: %d of %d show a difference: periods could be compared", wrong, repetitions)
	} else {
		t.Logf("one in ten late: %d of %d show a difference", wrong, repetitions)
	}
}
