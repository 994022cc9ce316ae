package statistics

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// SampleRatioLevel is the p-value below which a split of the participants is
// reported as not being the declared one.
const SampleRatioLevel = 0.01

// SampleRatio compares the participants of the variants with the declared
// weights. A mismatch means that participants are lost or counted wrongly in
// some variants, and that no other number of the experiment can be trusted.
type SampleRatio struct {
	// Undeclared counts the participants of variants that have no share among
	// variants that do. They are left out of the test: one stray event must not
	// look like a broken split.
	Undeclared int64 `json:"undeclared"`
	// Expected participants of each variant, in order.
	Expected []float64 `json:"expected"`
	// P is Pearson's chi-square test; valid for one look. On a dashboard that
	// is opened every day it falls below 0.01 sooner or later.
	P float64 `json:"p"`
	// SequentialP is valid at every look.
	SequentialP float64 `json:"sequential_p"`
	// Alarm is P < SampleRatioLevel: worth a look.
	Alarm bool `json:"alarm"`
	// Confirmed is SequentialP < SampleRatioLevel: a mismatch, however often
	// somebody looked.
	Confirmed bool `json:"confirmed"`
}

// CheckSampleRatio tests the participants against the declared weights. It
// returns nil when there is nothing to test: fewer than two variants with a
// share, or no participant in them. When no variant has a weight, all are
// taken to be equal.
func CheckSampleRatio(variants []Variant) *SampleRatio {
	shares := Shares(variants)
	check := SampleRatio{Expected: make([]float64, len(variants))}
	var total float64
	degrees := -1
	for i, v := range variants {
		if shares[i] == 0 {
			check.Undeclared += v.Trials
			continue
		}
		total += float64(v.Trials)
		degrees++
	}
	if degrees < 1 || total <= 0 {
		return nil
	}
	var statistic float64
	for i, v := range variants {
		if shares[i] > 0 {
			check.Expected[i] = shares[i] * total
			deviation := float64(v.Trials) - check.Expected[i]
			statistic += deviation * deviation / check.Expected[i]
		}
	}
	check.P = distuv.ChiSquared{K: float64(degrees)}.Survival(statistic)
	check.SequentialP = multinomialP(variants, shares)
	check.Alarm = check.P < SampleRatioLevel
	check.Confirmed = check.SequentialP < SampleRatioLevel
	return &check
}

// Shares are the declared weights scaled to a sum of 1; all equal when no
// variant has a weight. A weight that is negative or not a number counts as 0.
func Shares(variants []Variant) []float64 {
	shares := make([]float64, len(variants))
	var sum, largest float64
	for _, v := range variants {
		if v.Weight > 0 && !math.IsInf(v.Weight, 0) {
			largest = max(largest, v.Weight)
		}
	}
	for i, v := range variants {
		if v.Weight > 0 && !math.IsInf(v.Weight, 0) {
			shares[i] = v.Weight / largest // or the sum may be too large a number
			sum += shares[i]
		}
	}
	for i := range shares {
		if sum > 0 {
			shares[i] /= sum
		} else {
			shares[i] = 1 / float64(len(shares))
		}
	}
	return shares
}

// ratioConcentration is the weight of the Dirichlet mixture, in participants.
// A mismatch is a defect and small against the split (one participant in a
// hundred lost, not one in two), so the mixture is kept close to the declared
// shares: a spread of about 1.6 points around a half. It only tunes the power.
const ratioConcentration = 1000

// multinomialP is the always-valid p-value for a multinomial with the given
// shares: the Dirichlet mixture likelihood ratio of M. Lindon and A. Malek,
// "Anytime-valid inference for multinomial count data", NeurIPS 2022
// (arXiv 2011.03567). It is exact, at every sample size and every look.
func multinomialP(variants []Variant, shares []float64) float64 {
	var total, logRatio float64
	for i, v := range variants {
		if shares[i] == 0 {
			continue
		}
		n := float64(v.Trials)
		alpha := ratioConcentration * shares[i]
		logRatio += logGamma(alpha+n) - logGamma(alpha) - n*math.Log(shares[i])
		total += n
	}
	logRatio += logGamma(ratioConcentration) - logGamma(ratioConcentration+total)
	return math.Min(1, math.Exp(-logRatio))
}

func logGamma(x float64) float64 {
	y, _ := math.Lgamma(x)
	return y
}
