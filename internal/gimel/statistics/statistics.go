// Package statistics turns the counts of an A/B experiment into statements
// that can be defended: rates and differences with intervals, p-values for one
// look and for many, the probability to be best, and whether the traffic was
// split as declared. Everything is a pure function of the counts, and the same
// counts always give the same numbers.
package statistics

import "slices"

// Variant is one arm of an experiment for one goal.
type Variant struct {
	Label string `json:"label"`
	// Weight is the declared share of traffic, on any scale (1:1, 50:50).
	// When no variant has a weight, all are taken to be equal.
	Weight float64 `json:"weight"`
	// Trials counts the participants, Successes those who reached the goal.
	Trials    int64 `json:"trials"`
	Successes int64 `json:"successes"`
	// Of a goal that counts values: how many successes brought one, the sum of
	// the values, and that of their squares. Of a count: of how many successes
	// the visitor is known, and the visitors' numbers likewise.
	Values  int64   `json:"values,omitempty"`
	Sum     float64 `json:"sum,omitempty"`
	Squares float64 `json:"squares,omitempty"`
}

// Kind is what a goal counts, which says how it can be tested.
type Kind string

const (
	// Unique is whether a participant reaches the goal: a proportion. It is that
	// of a goal without a kind.
	Unique Kind = "unique"
	// Count is how often the goal is reached. Its variance is larger than that of a
	// proportion and of Poisson's law, for some participants come back and others
	// do not: it is tested where each event says whose it is.
	Count Kind = "count"
	// Value is what a participant brings.
	Value Kind = "value"
)

// comparable reports whether the counts can be a binomial outcome. A goal that
// is counted more than once a participant, or without a participant, cannot.
func (v Variant) comparable() bool {
	return v.Trials > 0 && v.Successes >= 0 && v.Successes <= v.Trials
}

// comparableAs is comparable for a kind of goal.
func (v Variant) comparableAs(kind Kind) bool {
	if kind == Unique {
		return v.comparable()
	}
	return v.Trials > 1 && v.Successes >= 0 && v.Values == v.Successes && (kind == Count || v.comparable())
}

// rate is successes per trial; call it only when there are trials.
func (v Variant) rate() float64 { return float64(v.Successes) / float64(v.Trials) }

// Plan is what was decided before the data came in. The zero Plan is usable.
type Plan struct {
	// TrialsPerVariant is the size each variant has to reach before the
	// fixed-size p-value may decide, once; 0 means that no size was planned.
	TrialsPerVariant int64
	// Alpha is the accepted risk of any false positive, over all looks, variants
	// and goals; 0 means 0.05.
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

// lookingShare is the part of Alpha that is for looking early and often, where a
// size is planned: the rest is for the one look at that size. Their sum bounds
// the risk of both together (Bonferroni), however long somebody looks on.
const lookingShare = 0.2

func (p Plan) sequentialLevel() float64 {
	if p.TrialsPerVariant > 0 {
		return lookingShare * p.alpha()
	}
	return p.alpha()
}

// FixedLevel is the level of the test at the planned size, for which that size
// should be calculated.
func (p Plan) FixedLevel() float64 { return (1 - lookingShare) * p.alpha() }

// Design is a plan, and what is known of how the counts came about.
type Design struct {
	Plan
	// Declared says that the weights are: a confirmed mismatch is a defect then,
	// and else no more than a question.
	Declared bool
	// Ramped says that the weights were changed while participants came. Their
	// conversions are not known by period, so a rate that changes with the time
	// looks like a difference of the variants (E. H. Simpson, "The interpretation
	// of interaction in contingency tables", JRSS B 13, 1951).
	Ramped bool
	// Estimated counts have an error of their own (HyperLogLog's is 0.81 %),
	// larger than the differences that are looked for.
	Estimated bool
	// Primary is the goal that decides; the others may show something once it
	// has, of each variant. Without one all goals share Alpha.
	Primary string
	// AnyControl says that the control was chosen after participants came. Any
	// other might have been, so the corrections are for all pairs of variants.
	AnyControl bool
	// PassedOver is how many other variants might have been declared then.
	PassedOver int
}

// Goal is the counts of one goal.
type Goal struct {
	Name     string
	Kind     Kind
	Variants []Variant // now; the first is the control
	// AtSize are the counts when the planned size was reached, at the end of that
	// day; nil before, and where they are not known.
	AtSize []Variant
	// Untested says why the goal is not tested; "" where it is. It may be Charged
	// all the same: the others are corrected for it, as for one that they were
	// chosen among.
	Untested Distrust
	Charged  bool
}

// uncounted is how many comparisons the corrections are for beside those that
// are made: of a goal that is charged, and of other controls.
func (g Goal) uncounted(design Design) int {
	compared := -1
	for _, share := range Shares(g.Variants) {
		if share > 0 {
			compared++
		}
	}
	if compared < 1 || g.Untested != "" && !g.Charged {
		return 0
	}
	among := compared
	if design.AnyControl {
		variants := compared + 1 + design.PassedOver
		among = variants * (variants - 1) / 2 // all pairs
	}
	if g.Untested == "" {
		among -= compared
	}
	return among
}

// decides says whether the goal can be the primary one. A count whose events are
// all of nobody known is never tested, so it keeps nothing from the others. One
// that was tested stays what they wait for, whatever comes without a visitor then:
// else Alpha would be theirs once more.
func (g Goal) decides() bool {
	some := func(of func(Variant) int64) bool {
		return slices.ContainsFunc(g.Variants, func(v Variant) bool { return of(v) > 0 })
	}
	return g.kind() != Count || some(func(v Variant) int64 { return v.Values }) || !some(func(v Variant) int64 { return v.Successes })
}

func (g Goal) kind() Kind {
	if g.Kind == "" {
		return Unique
	}
	return g.Kind
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
	Kind     Kind            `json:"kind"`
	Variants []VariantReport `json:"variants"`
	// SampleRatio is nil when there is nothing to check: fewer than two
	// variants, or no participant at all.
	SampleRatio *SampleRatio `json:"sample_ratio,omitempty"`
	Progress    Progress     `json:"progress"`
	Verdict     Verdict      `json:"verdict"`
	// Leader is the variant with the highest rate when the verdict is one of a
	// difference, provided that it is the control or was
	// shown to differ from it. Among several variants it is proven better than
	// the control, not than each of the others. Otherwise it is empty.
	Leader string `json:"leader,omitempty"`
	// Distrust says why, where the verdict is Untrusted or NotTested.
	Distrust Distrust `json:"distrust,omitempty"`
	// TooFew says that there are variants with too few values to compare.
	TooFew bool `json:"too_few,omitempty"`

	untested Distrust
}

// VariantReport is one variant's part of a report.
type VariantReport struct {
	Variant
	// Rate is nil without participants. It may exceed 1; see Impossible. Of a goal
	// that counts values it is what a participant brings.
	Rate *float64 `json:"rate,omitempty"`
	// RateInterval is Wilson's, or the normal one of values; nil without participants,
	// when Impossible, and where it is not known how often one participant counts.
	RateInterval *Interval `json:"rate_interval,omitempty"`
	// Impossible marks more successes than trials: the goal is counted more
	// than once a participant, or participants are missing. The rate is shown,
	// and everything that assumes a proportion is left out.
	Impossible bool `json:"impossible,omitempty"`
	// ProbabilityBest is the posterior probability that this variant has the
	// highest rate. It is nil before a verdict, for it passes 95 % in four of ten
	// experiments without any difference that are looked at again and again; and
	// when any variant lacks participants or is Impossible.
	ProbabilityBest *float64 `json:"probability_best,omitempty"`
	// Comparison with the control; nil for the control itself and when either
	// side cannot be compared.
	Comparison *Comparison `json:"comparison,omitempty"`
}

// Comparison of a variant with the control: at the planned size when that is
// reached and known, else now.
type Comparison struct {
	// Difference is the variant's rate minus the control's.
	Difference float64 `json:"difference"`
	// Interval holds for all comparisons together, and as its p-value does: at
	// the planned size for one look, before it at every look (a confidence
	// sequence). So it has no zero in it just where that p-value decides.
	Interval Interval `json:"interval"`
	// Relative is the difference as a fraction of the control's rate, with its
	// interval; nil when that rate is zero.
	Relative         *float64  `json:"relative,omitempty"`
	RelativeInterval *Interval `json:"relative_interval,omitempty"`
	// P is two-sided, for the one look at the planned size; nil before.
	// AdjustedP is P after Holm's correction for several variants and goals.
	P         *float64 `json:"p,omitempty"`
	AdjustedP *float64 `json:"adjusted_p,omitempty"`
	// SequentialP is valid at every look (see SequentialP); AdjustedSequentialP
	// is the same after Holm's correction.
	SequentialP         float64 `json:"sequential_p"`
	AdjustedSequentialP float64 `json:"adjusted_sequential_p"`

	unbegun bool // too few values, or flat: it is one of the family, and not shown
	flat    bool
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

// Analyse reports on all goals of an experiment, for they share its Alpha. The
// variants are the same in all.
func Analyse(goals []Goal, design Design) []Report {
	reports := judge(goals, design)
	for g := range reports {
		addProbabilities(&reports[g], goals[g].Variants)
	}
	return reports
}

// judge is Analyse without the odds, which take the longest.
func judge(goals []Goal, design Design) []Report {
	reports := make([]Report, len(goals))
	for g, goal := range goals {
		reports[g] = Report{Alpha: design.alpha(), Kind: goal.kind(), Progress: ProgressOf(goal.Variants, design.Plan)}
		if !design.Ramped { // else the counts are not of the weights that are declared now
			reports[g].SampleRatio = CheckSampleRatio(goal.Variants)
		}
		shares := Shares(goal.Variants)
		for i, v := range goal.Variants {
			entry := describe(v, goal.kind(), design.alpha())
			if i > 0 && shares[i] > 0 && goal.Untested == "" {
				entry.Comparison = compare(goal, i, design.Plan)
			}
			reports[g].Variants = append(reports[g].Variants, entry)
		}
	}
	primary := slices.IndexFunc(goals, func(g Goal) bool {
		return design.Primary != "" && g.Name == design.Primary && g.decides()
	})
	var family []measured
	uncounted := 0
	for g := range reports {
		reports[g].untested = goals[g].Untested
		if own := comparisonsOf(goals[g], &reports[g]); g == primary {
			adjust(own, goals[g].uncounted(design), design.Plan)
		} else {
			family = append(family, own...)
			uncounted += goals[g].uncounted(design)
		}
	}
	adjust(family, uncounted, design.Plan)
	for g := range reports {
		withdraw(&reports[g])
	}
	decided := primary < 0
	if !decided {
		decide(&reports[primary], design)
		decided = opens(reports[primary], Shares(goals[primary].Variants), design)
	}
	for g := range reports {
		if g != primary {
			decide(&reports[g], design)
			if !decided && reports[g].Verdict.shows() {
				reports[g].Verdict, reports[g].Leader = AfterPrimary, ""
			}
		}
	}
	return reports
}

// addProbabilities tells the odds where there is a verdict.
func addProbabilities(r *Report, variants []Variant) {
	if !r.Verdict.shows() && r.Verdict != NoDifference || r.Kind != Unique {
		return
	}
	for i, p := range ProbabilityBest(variants) {
		r.Variants[i].ProbabilityBest = &p
	}
}

func describe(v Variant, kind Kind, alpha float64) VariantReport {
	entry := VariantReport{Variant: v, Impossible: kind != Count && v.Successes > v.Trials || v.Successes < 0 || v.Trials < 0}
	entry.Rate, entry.RateInterval = Measure(v, kind, 1-alpha)
	return entry
}

// Measure is what variants are compared by, with its interval: nil where there is
// none, see VariantReport.
func Measure(v Variant, kind Kind, confidence float64) (rate *float64, interval *Interval) {
	if v.Trials > 0 {
		measured := v.measure(kind)
		rate = &measured
	}
	if v.comparableAs(kind) {
		of := intervalOf(v, kind, confidence)
		interval = &of
	}
	return rate, interval
}

func intervalOf(v Variant, kind Kind, confidence float64) Interval {
	if kind == Unique {
		return Wilson(v.Successes, v.Trials, confidence)
	}
	return meanInterval(v, confidence)
}

// measure is what variants are compared by; call it only when there are trials.
func (v Variant) measure(kind Kind) float64 {
	if kind == Value {
		return v.mean()
	}
	return v.rate()
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
