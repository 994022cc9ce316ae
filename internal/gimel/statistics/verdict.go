package statistics

// Verdict says what may be concluded now.
type Verdict string

const (
	// NoData: no comparison is possible yet, for lack of participants.
	NoData Verdict = "no data"
	// NotComparable: a variant has more successes than trials.
	NotComparable Verdict = "not comparable"
	// Estimated: the counts are estimates, too coarse to be tested.
	Estimated Verdict = "estimated"
	// Untrusted: something is wrong with how the participants were split, so no
	// difference can be put down to the variants.
	Untrusted Verdict = "untrusted"
	// NotYet: the planned size is not reached, or none was planned, and the
	// sequential test has not decided.
	NotYet Verdict = "not yet"
	// EarlyDifference: the sequential test has decided before the planned size.
	EarlyDifference Verdict = "early difference"
	// Difference: the rates differed when the planned size was reached.
	Difference Verdict = "difference"
	// LateDifference: they did not, and the sequential test has decided since.
	LateDifference Verdict = "late difference"
	// NoDifference: the planned size was reached and no difference was shown.
	NoDifference Verdict = "no difference"
	// NotTested: there is no test for what was counted.
	NotTested Verdict = "not tested"
	// AfterPrimary: this goal would show a difference, and the primary goal has
	// not, of all variants: with enough goals, one shows something by chance.
	AfterPrimary Verdict = "after the primary goal"
)

// shows reports whether a verdict is one of a difference.
func (v Verdict) shows() bool {
	return v == EarlyDifference || v == Difference || v == LateDifference
}

// Distrust is why a verdict is Untrusted or NotTested.
type Distrust string

const (
	Mismatch     Distrust = "sample ratio mismatch"
	SplitChanged Distrust = "split changed"
	// VisitorsUnknown: some events of a count do not say whose they are.
	VisitorsUnknown Distrust = "visitors unknown"
	// ValuesMissing: some conversions were counted before the goal was declared to
	// have values.
	ValuesMissing Distrust = "values missing"
	// GoalNotDeclared, GoalDeclaredLate and KindChanged are of goals that were not
	// declared so before participants came: strangers can send any goal, and who has
	// seen the numbers can choose one.
	GoalNotDeclared  Distrust = "goal not declared"
	GoalDeclaredLate Distrust = "goal declared late"
	KindChanged      Distrust = "kind changed"
	// SpreadLost: the values lie so close together, for their size, that their
	// spread is lost in the rounding of their sums.
	SpreadLost Distrust = "spread lost"
)

// decide applies the rule: the sequential p may decide at any time, the fixed p
// once, at the planned size; each at its part of Alpha, after Holm's correction.
func decide(r *Report, design Design) {
	r.Verdict = obstacle(r, design)
	if r.Verdict != "" {
		return
	}
	sequential, fixed := design.shownByLooking, design.shownAtSize
	looked := r.Progress.Reached && shown(*r, func(c Comparison) bool { return c.AdjustedP != nil })
	switch {
	case looked && shown(*r, fixed):
		r.Verdict, r.Leader = Difference, leader(*r, fixed)
	case shown(*r, sequential):
		r.Verdict, r.Leader = EarlyDifference, leader(*r, sequential)
		if looked {
			r.Verdict = LateDifference
		}
	case looked:
		r.Verdict = NoDifference
	default:
		r.Verdict = NotYet
	}
}

func (d Design) shownByLooking(c Comparison) bool {
	return c.AdjustedSequentialP <= d.sequentialLevel()
}

func (d Design) shownAtSize(c Comparison) bool {
	return c.AdjustedP != nil && *c.AdjustedP <= d.FixedLevel()
}

// opens says whether the primary goal has shown all that it compares. Alpha is
// handed on to the other goals then and not before: a variant of which nothing is
// shown yet may still be shown wrongly, and that is what Alpha bounds (gatekeeping:
// A. Dmitrienko et al., "Multiple Testing Problems in Pharmaceutical Statistics",
// 2010, chapter 5).
func opens(primary Report, shares []float64, design Design) bool {
	if !primary.Verdict.shows() {
		return false
	}
	for i, v := range primary.Variants {
		if c := v.Comparison; i > 0 && shares[i] > 0 && (c == nil || !design.shownByLooking(*c) && !design.shownAtSize(*c)) {
			return false
		}
	}
	return true
}

// obstacle is the verdict where nothing may be concluded from the rates, or "".
func obstacle(r *Report, design Design) Verdict {
	if r.untested != "" {
		r.Distrust = r.untested
		return NotTested
	}
	var compared, missing bool
	for _, v := range r.Variants {
		if v.Impossible {
			return NotComparable
		}
		compared = compared || v.Comparison != nil
		missing = missing || r.Kind != Unique && v.Values != v.Successes
	}
	switch {
	case missing && !design.Estimated:
		r.Distrust = ValuesMissing
		if r.Kind == Count {
			r.Distrust = VisitorsUnknown
		}
		return NotTested
	case !compared:
		return NoData
	case design.Estimated:
		return Estimated
	case design.Ramped:
		r.Distrust = SplitChanged
		return Untrusted
	case design.Declared && r.SampleRatio != nil && r.SampleRatio.Confirmed:
		r.Distrust = Mismatch
		return Untrusted
	}
	return ""
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
	best, lead := r.Variants[0], 0.0
	for _, v := range r.Variants[1:] {
		if v.Comparison != nil && v.Comparison.Difference > lead {
			best, lead = v, v.Comparison.Difference
		}
	}
	if best.Comparison != nil && !significant(*best.Comparison) {
		return ""
	}
	return best.Label
}
