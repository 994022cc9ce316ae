package statistics

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// contrast is the difference of two variants as the tests take it.
type contrast struct {
	difference float64
	deviation  float64 // its standard error; 0 where there is no spread
	size       float64 // the effective size m = ab/(a+b)
	begun      bool    // the normal approximation holds
	flat       bool    // it would, but the spread is lost
}

func contrastOf(kind Kind, a, b Variant) contrast {
	na, nb := float64(a.Trials), float64(b.Trials)
	p, m := pooledRate(a, b), na*nb/(na+nb)
	if kind != Unique {
		deviation, enough := valueDeviation(a, b), min(na, nb)/(na+nb)*bringers(kind, a, b) >= minimumValues
		flat := a.flat() || b.flat() || deviation == 0
		return contrast{
			difference: a.mean() - b.mean(), deviation: deviation, size: m,
			begun: enough && !flat, flat: enough && flat,
		}
	}
	return contrast{
		difference: a.rate() - b.rate(), deviation: math.Sqrt(p * (1 - p) / m), size: m,
		begun: min(na, nb)*min(p, 1-p) >= minimumExpected,
	}
}

// compare tests a variant of a goal against the control.
func compare(goal Goal, i int, plan Plan) *Comparison {
	kind := goal.kind()
	control, v := goal.Variants[0], goal.Variants[i]
	if !control.comparableAs(kind) || !v.comparableAs(kind) {
		return nil
	}
	now := contrastOf(kind, v, control)
	c := Comparison{SequentialP: now.sequentialP(plan), unbegun: kind != Unique && !now.begun, flat: now.flat}
	if goal.AtSize == nil {
		return &c
	}
	control, v = goal.AtSize[0], goal.AtSize[i]
	if control.comparableAs(kind) && v.comparableAs(kind) && (kind == Unique || contrastOf(kind, v, control).begun) {
		p := fixedP(kind, v, control)
		c.P = &p
	}
	return &c
}

// fixedP is for the one look at the planned size.
func fixedP(kind Kind, a, b Variant) float64 {
	if kind == Unique {
		return TwoProportionP(a, b)
	}
	return ValueP(a, b)
}

// withdraw takes away the comparisons of too few values, or of such without a
// spread, which have no interval.
func withdraw(r *Report) {
	for i, entry := range r.Variants {
		if c := entry.Comparison; c != nil && c.unbegun {
			r.Variants[i].Comparison, r.TooFew = nil, r.TooFew || !c.flat
			if c.flat {
				r.untested = SpreadLost
			}
		}
	}
}

// measured is a comparison, and what its interval is made from.
type measured struct {
	*Comparison
	kind             Kind
	control, variant Variant // at the planned size where that decides
}

func comparisonsOf(goal Goal, report *Report) []measured {
	var all []measured
	for i, entry := range report.Variants {
		switch c := entry.Comparison; {
		case c == nil:
		case c.P != nil:
			all = append(all, measured{c, goal.kind(), goal.AtSize[0], goal.AtSize[i]})
		default:
			all = append(all, measured{c, goal.kind(), goal.Variants[0], goal.Variants[i]})
		}
	}
	return all
}

// adjust corrects the p-values of a family for being several, with so many more
// that were not computed and count as 1, and makes their intervals at the level
// that each then has.
func adjust(family []measured, more int, plan Plan) {
	sequential := slices.Repeat([]float64{1}, len(family)+more)
	fixed := slices.Repeat([]float64{1}, len(family)+more)
	for i, one := range family {
		sequential[i] = one.SequentialP
		if one.P != nil {
			fixed[i] = *one.P
		}
	}
	adjusted, among := holm(sequential)
	adjustedFixed, amongFixed := holm(fixed)
	for i, one := range family {
		one.AdjustedSequentialP = adjusted[i]
		if one.P != nil {
			one.AdjustedP = &adjustedFixed[i]
			one.measureFixed(plan.FixedLevel() / amongFixed[i])
		} else {
			one.measureSequential(plan.sequentialLevel()/among[i], plan)
		}
	}
}

// measureFixed fills in the difference and its intervals, of the planned size.
func (m measured) measureFixed(level float64) {
	z := distuv.UnitNormal.Quantile(1 - level/2)
	if m.kind != Unique {
		z = welchOf(m.variant, m.control).students().Quantile(1 - level/2)
		c := contrastOf(m.kind, m.variant, m.control)
		m.Interval = Interval{Low: c.difference - z*c.deviation, High: c.difference + z*c.deviation}
	} else {
		m.Interval = Newcombe(m.variant, m.control, 1-level)
	}
	m.measureRelative(z)
}

// measureSequential does so at any time, with the variance of the sequential
// test itself, so that both agree.
func (m measured) measureSequential(level float64, plan Plan) {
	c := contrastOf(m.kind, m.variant, m.control)
	z := c.sequentialZ(level, plan)
	low, high := c.difference-z*c.deviation, c.difference+z*c.deviation
	if m.kind == Unique {
		if c.deviation == 0 || math.IsInf(z, 0) {
			low, high = -1, 1
		}
		low, high = max(-1, low), min(1, high)
	}
	m.Interval = Interval{Low: low, High: high}
	m.measureRelative(z)
}

func (m measured) measureRelative(z float64) {
	control, v := m.control, m.variant
	m.Difference = v.measure(m.kind) - control.measure(m.kind)
	if control.measure(m.kind) <= 0 {
		return
	}
	relative := m.Difference / control.measure(m.kind)
	m.Relative = &relative
	switch {
	case math.IsInf(z, 0):
	case m.kind != Unique:
		m.RelativeInterval = relativeMeans(v, control, z)
	case v.Successes > 0:
		m.RelativeInterval = relativeInterval(v, control, z)
	}
}

// relativeInterval is that of the ratio of two rates, less one, by the normal
// approximation of its logarithm: D. Katz et al., "Obtaining confidence intervals
// for the risk ratio in cohort studies", Biometrics 34 (1978).
func relativeInterval(v, control Variant, z float64) *Interval {
	ratio := v.rate() / control.rate()
	spread := z * math.Sqrt((1-v.rate())/float64(v.Successes)+(1-control.rate())/float64(control.Successes))
	return intervalOfRatio(ratio, spread)
}

// intervalOfRatio is nil where its end is out of all bounds, as where the control's
// mean is all but nothing: it says nothing then.
func intervalOfRatio(ratio, spread float64) *Interval {
	high := ratio*math.Exp(spread) - 1
	if math.IsInf(high, 0) {
		return nil
	}
	return &Interval{Low: ratio*math.Exp(-spread) - 1, High: high}
}
