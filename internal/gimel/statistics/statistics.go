// Package statistics turns the counts of an A/B experiment into statements
// that can be defended: rates and differences with intervals, p-values for one
// look and for many, the probability to be best, and whether the traffic was
// split as declared. Everything is a pure function of the counts, and the same
// counts always give the same numbers.
package statistics

// Variant is one arm of an experiment for one goal.
type Variant struct {
	Label string `json:"label"`
	// Weight is the declared share of traffic, on any scale (1:1, 50:50).
	// When no variant has a weight, all are taken to be equal.
	Weight float64 `json:"weight"`
	// Trials counts the participants, Successes those who reached the goal.
	Trials    int64 `json:"trials"`
	Successes int64 `json:"successes"`
}

// comparable reports whether the counts can be a binomial outcome. A goal that
// is counted more than once a participant, or without a participant, cannot.
func (v Variant) comparable() bool {
	return v.Trials > 0 && v.Successes >= 0 && v.Successes <= v.Trials
}

// rate is successes per trial; call it only when there are trials.
func (v Variant) rate() float64 { return float64(v.Successes) / float64(v.Trials) }

// Plan is what was decided before the data came in. The zero Plan is usable.
type Plan struct {
	// TrialsPerVariant is the size each variant has to reach before the
	// fixed-size p-value may decide; 0 means that no size was planned.
	TrialsPerVariant int64
	// Alpha is the accepted risk of a false positive; 0 means 0.05. Intervals
	// have the confidence 1 − Alpha.
	Alpha float64
}

// DefaultAlpha is the accepted risk of a false positive when a plan names none.
const DefaultAlpha = 0.05

func (p Plan) alpha() float64 {
	if p.Alpha > 0 && p.Alpha < 1 {
		return p.Alpha
	}
	return DefaultAlpha
}

// Interval is a closed interval of rates or of differences of rates, as
// fractions (0.05 is five per cent).
type Interval struct {
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// Contains reports whether x lies in the interval.
func (i Interval) Contains(x float64) bool { return i.Low <= x && x <= i.High }

// Report is the analysis of one goal.
type Report struct {
	Alpha    float64         `json:"alpha"`
	Variants []VariantReport `json:"variants"`
	// SampleRatio is nil when there is nothing to check: fewer than two
	// variants, or no participant at all.
	SampleRatio *SampleRatio `json:"sample_ratio,omitempty"`
	Progress    Progress     `json:"progress"`
	Verdict     Verdict      `json:"verdict"`
	// Leader is the variant with the highest rate when the verdict is
	// EarlyDifference or Difference, provided that it is the control or was
	// shown to differ from it. Among several variants it is proven better than
	// the control, not than each of the others. Otherwise it is empty.
	Leader string `json:"leader,omitempty"`
}

// VariantReport is one variant's part of a report.
type VariantReport struct {
	Variant
	// Rate is nil without participants. It may exceed 1; see Impossible.
	Rate *float64 `json:"rate,omitempty"`
	// RateInterval is Wilson's; nil without participants or when Impossible.
	RateInterval *Interval `json:"rate_interval,omitempty"`
	// Impossible marks more successes than trials: the goal is counted more
	// than once a participant, or participants are missing. The rate is shown,
	// and everything that assumes a proportion is left out.
	Impossible bool `json:"impossible,omitempty"`
	// ProbabilityBest is the posterior probability that this variant has the
	// highest rate; nil when any variant lacks participants or is Impossible.
	ProbabilityBest *float64 `json:"probability_best,omitempty"`
	// Comparison with the control; nil for the control itself and when either
	// side cannot be compared.
	Comparison *Comparison `json:"comparison,omitempty"`
}

// Comparison of a variant with the control.
type Comparison struct {
	// Difference is the variant's rate minus the control's.
	Difference float64  `json:"difference"`
	Interval   Interval `json:"interval"`
	// Relative is the difference as a fraction of the control's rate; nil when
	// that is zero.
	Relative *float64 `json:"relative,omitempty"`
	// P is two-sided and valid for one look, at a size planned in advance.
	P float64 `json:"p"`
	// AdjustedP is P after Holm's correction for several variants.
	AdjustedP float64 `json:"adjusted_p"`
	// SequentialP is valid at every look (see SequentialP); AdjustedSequentialP
	// is the same after Holm's correction.
	SequentialP         float64 `json:"sequential_p"`
	AdjustedSequentialP float64 `json:"adjusted_sequential_p"`
}

// Progress towards the planned size.
type Progress struct {
	// Planned and Smallest are participants in a variant: those planned, and
	// those of the variant that has the fewest.
	Planned  int64 `json:"planned"`
	Smallest int64 `json:"smallest"`
	// Reached is true once Smallest is at least Planned; false without a plan.
	Reached bool `json:"reached"`
}

// Analyse reports on one goal. The first variant is the control.
func Analyse(variants []Variant, plan Plan) Report {
	alpha := plan.alpha()
	report := Report{
		Alpha:       alpha,
		SampleRatio: CheckSampleRatio(variants),
		Progress:    ProgressOf(variants, plan),
	}
	for i, v := range variants {
		entry := describe(v, alpha)
		if i > 0 {
			entry.Comparison = compare(variants[0], v, plan)
		}
		report.Variants = append(report.Variants, entry)
	}
	for i, p := range ProbabilityBest(variants) {
		report.Variants[i].ProbabilityBest = &p
	}
	adjust(report.Variants)
	report.Verdict, report.Leader = decide(report)
	return report
}

func describe(v Variant, alpha float64) VariantReport {
	entry := VariantReport{Variant: v, Impossible: v.Successes > v.Trials || v.Successes < 0 || v.Trials < 0}
	if v.Trials > 0 {
		rate := v.rate()
		entry.Rate = &rate
	}
	if v.comparable() {
		interval := Wilson(v.Successes, v.Trials, 1-alpha)
		entry.RateInterval = &interval
	}
	return entry
}

func compare(control, v Variant, plan Plan) *Comparison {
	if !control.comparable() || !v.comparable() {
		return nil
	}
	c := Comparison{
		Difference:  v.rate() - control.rate(),
		Interval:    Newcombe(v, control, 1-plan.alpha()),
		P:           TwoProportionP(v, control),
		SequentialP: SequentialP(v, control, plan),
	}
	if control.Successes > 0 {
		relative := c.Difference / control.rate()
		c.Relative = &relative
	}
	return &c
}

// adjust fills in the corrected p-values over all comparisons there are.
func adjust(entries []VariantReport) {
	var comparisons []*Comparison
	var fixed, sequential []float64
	for _, e := range entries {
		if e.Comparison != nil {
			comparisons = append(comparisons, e.Comparison)
			fixed = append(fixed, e.Comparison.P)
			sequential = append(sequential, e.Comparison.SequentialP)
		}
	}
	fixed, sequential = Holm(fixed), Holm(sequential)
	for i, c := range comparisons {
		c.AdjustedP, c.AdjustedSequentialP = fixed[i], sequential[i]
	}
}

// ProgressOf tells how far the smallest variant is. Variants without a share
// do not count: a stray label must not hold up the others for ever.
func ProgressOf(variants []Variant, plan Plan) Progress {
	shares := Shares(variants)
	p := Progress{Planned: plan.TrialsPerVariant, Smallest: -1}
	for i, v := range variants {
		if shares[i] > 0 && (p.Smallest < 0 || v.Trials < p.Smallest) {
			p.Smallest = v.Trials
		}
	}
	p.Smallest = max(0, p.Smallest)
	p.Reached = p.Planned > 0 && p.Smallest >= p.Planned
	return p
}
