package statistics

import (
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"
)

// By that size the sequential test, looked at fifty times, has decided at least as often as the power
// says, and not much more often: the price is neither hidden nor inflated.
func TestSequentialSizeHasItsPower(t *testing.T) {
	const baseline, effect, alpha, power = 0.1, 0.015, 0.05, 0.8
	size, err := SequentialSize(baseline, effect, alpha, power)
	if err != nil {
		t.Fatal(err)
	}
	fixed, _ := SampleSize(baseline, effect, alpha, power)
	if ratio := float64(size) / float64(fixed); ratio < 1.2 || ratio > 3 {
		t.Errorf("%d for the sequential test, %d for one look", size, fixed)
	}
	const rounds, looks = 1000, 50
	source := rand.NewPCG(11, 3)
	decided := 0
	for range rounds {
		var a, b Variant
		for range looks {
			step := float64(size) / looks
			a.Trials, b.Trials = a.Trials+int64(step), b.Trials+int64(step)
			a.Successes += int64(distuv.Binomial{N: step, P: baseline, Src: source}.Rand())
			b.Successes += int64(distuv.Binomial{N: step, P: baseline + effect, Src: source}.Rand())
			if SequentialP(a, b, Plan{}) <= alpha {
				decided++
				break
			}
		}
	}
	if share := float64(decided) / rounds; share < power-0.03 || share > power+0.12 {
		t.Errorf("it has decided in %.3f of experiments at %d, want %.2f or a little more", share, size, power)
	}
	if _, err := SequentialSize(0.1, 0, alpha, power); err == nil {
		t.Error("no effect, no error")
	}
}
