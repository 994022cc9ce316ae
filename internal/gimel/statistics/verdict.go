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
	if !compared {
		return NoData, ""
	}
	if r.Progress.Reached {
		significant := func(c Comparison) bool { return c.AdjustedP <= r.Alpha }
		if shown(r, significant) {
			return Difference, leader(r, significant)
		}
		return NoDifference, ""
	}
	level := r.Alpha
	if r.Progress.Planned > 0 {
		level *= earlyShare
	}
	significant := func(c Comparison) bool { return c.AdjustedSequentialP <= level }
	if shown(r, significant) {
		return EarlyDifference, leader(r, significant)
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

// leader is the variant with the highest rate, if that one differs from the
// control or is the control. Otherwise the difference shown is another
// variant's, and nobody leads.
func leader(r Report, significant func(Comparison) bool) string {
	best := r.Variants[0]
	for _, v := range r.Variants[1:] {
		if v.Comparison != nil && v.rate() > best.rate() {
			best = v
		}
	}
	if best.Comparison != nil && !significant(*best.Comparison) {
		return ""
	}
	return best.Label
}
