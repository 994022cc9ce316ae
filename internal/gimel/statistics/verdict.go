package statistics

// Verdict says what may be concluded now.
type Verdict string

const (
	// NoData: no comparison is possible yet, for lack of participants.
	NoData Verdict = "no data"
	// NotComparable: a variant has more successes than trials.
	NotComparable Verdict = "not comparable"
	// NotYet: the planned size is not reached, or none was planned, and the
	// sequential test has not decided.
	NotYet Verdict = "not yet"
	// EarlyDifference: the sequential test has decided before the planned size.
	EarlyDifference Verdict = "early difference"
	// Difference: the planned size is reached and the rates differ.
	Difference Verdict = "difference"
	// NoDifference: the planned size is reached and no difference was shown.
	NoDifference Verdict = "no difference"
)

// earlyShare is the part of Alpha that may be spent before the planned size.
// Deciding early at Alpha and again at Alpha when the size is reached would
// give chance two attempts. As in Haybittle and Peto's rule (Peto et al.,
// British Journal of Cancer 34, 1976), the early one is made so strict that
// the last look can keep nearly all of Alpha; TestVerdictUnderPeeking measures
// what remains.
const earlyShare = 0.2

// decide applies the rule: the sequential p may decide at any time, the fixed
// p only once the planned size is reached. Both after Holm's correction.
func decide(r Report) (Verdict, string) {
	var compared bool
	for _, v := range r.Variants {
		if v.Impossible {
			return NotComparable, ""
		}
		compared = compared || v.Comparison != nil
	}
	switch {
	case !compared:
		return NoData, ""
	case r.Progress.Reached:
		if shown(r, func(c Comparison) bool { return c.AdjustedP <= r.Alpha }) {
			return Difference, leader(r)
		}
		return NoDifference, ""
	}
	level := r.Alpha
	if r.Progress.Planned > 0 {
		level *= earlyShare
	}
	if shown(r, func(c Comparison) bool { return c.AdjustedSequentialP <= level }) {
		return EarlyDifference, leader(r)
	}
	return NotYet, ""
}

func shown(r Report, significant func(Comparison) bool) bool {
	for _, v := range r.Variants {
		if v.Comparison != nil && significant(*v.Comparison) {
			return true
		}
	}
	return false
}

// leader is the variant with the highest rate. Variants are compared with the
// control only, so among several better ones it is the best guess, not a
// proven winner.
func leader(r Report) string {
	best := -1
	for i, v := range r.Variants {
		if v.Rate != nil && (best < 0 || *v.Rate > *r.Variants[best].Rate) {
			best = i
		}
	}
	if best < 0 {
		return ""
	}
	return r.Variants[best].Label
}
