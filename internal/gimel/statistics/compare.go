package statistics

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// compare tests a variant of a goal against the control.
func compare(goal Goal, i int, plan Plan) *Comparison {
	control, v := goal.Variants[0], goal.Variants[i]
	if !control.comparable() || !v.comparable() {
		return nil
	}
	c := Comparison{SequentialP: SequentialP(v, control, plan)}
	if goal.AtSize != nil && goal.AtSize[0].comparable() && goal.AtSize[i].comparable() {
		p := TwoProportionP(goal.AtSize[i], goal.AtSize[0])
		c.P = &p
	}
	return &c
}

// measured is a comparison, and what its interval is made from.
type measured struct {
	*Comparison
	control, variant Variant // at the planned size where that decides
}

func comparisonsOf(goal Goal, report *Report) []measured {
	var all []measured
	for i, entry := range report.Variants {
		switch c := entry.Comparison; {
		case c == nil:
		case c.P != nil:
			all = append(all, measured{c, goal.AtSize[0], goal.AtSize[i]})
		default:
			all = append(all, measured{c, goal.Variants[0], goal.Variants[i]})
		}
	}
	return all
}

// adjust corrects the p-values of a family for being several, and makes their
// intervals at the level that each then has.
func adjust(family []measured, plan Plan) {
	sequential := make([]float64, len(family))
	fixed := make([]float64, len(family))
	for i, one := range family {
		sequential[i], fixed[i] = one.SequentialP, 1
		if one.P != nil {
			fixed[i] = *one.P
		}
	}
	adjusted, among := holm(sequential)
	adjustedFixed, amongFixed := holm(fixed)
	for i, one := range family {
		one.AdjustedSequentialP = adjusted[i]
		z := sequentialZ(one.variant, one.control, plan.sequentialLevel()/among[i], plan)
		if one.P != nil {
			one.AdjustedP = &adjustedFixed[i]
			z = distuv.UnitNormal.Quantile(1 - plan.FixedLevel()/amongFixed[i]/2)
		}
		one.measure(z)
	}
}

// measure fills in the difference and its intervals, z standard errors wide.
func (m measured) measure(z float64) {
	control, v := m.control, m.variant
	m.Difference = v.rate() - control.rate()
	if m.P != nil {
		m.Interval = Newcombe(v, control, 1-2*distuv.UnitNormal.Survival(z))
	} else {
		// With the variance of the sequential test itself, so that both agree.
		p := pooledRate(v, control)
		_, size := pooledZ(v, control)
		radius := z * math.Sqrt(p*(1-p)/size)
		if radius == 0 || math.IsInf(z, 0) {
			radius = 1
		}
		m.Interval = Interval{Low: max(-1, m.Difference-radius), High: min(1, m.Difference+radius)}
	}
	if control.Successes == 0 {
		return
	}
	relative := m.Difference / control.rate()
	m.Relative = &relative
	if v.Successes > 0 && !math.IsInf(z, 0) {
		m.RelativeInterval = relativeInterval(v, control, z)
	}
}

// relativeInterval is that of the ratio of two rates, less one, by the normal
// approximation of its logarithm: D. Katz et al., "Obtaining confidence intervals
// for the risk ratio in cohort studies", Biometrics 34 (1978).
func relativeInterval(v, control Variant, z float64) *Interval {
	ratio := v.rate() / control.rate()
	spread := z * math.Sqrt((1-v.rate())/float64(v.Successes)+(1-control.rate())/float64(control.Successes))
	return &Interval{Low: ratio*math.Exp(-spread) - 1, High: ratio*math.Exp(spread) - 1}
}
