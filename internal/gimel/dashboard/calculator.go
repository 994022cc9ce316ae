package dashboard

import (
	"errors"
	"fmt"
	"math"
	"net/url"
	"strconv"
	"strings"

	"provision/internal/gimel/results"
	"provision/internal/gimel/statistics"
)

// calculatorView keeps what was typed, so that a mistake can be mended.
type calculatorView struct {
	Baseline, Effect, Kind, Alpha, Power, Variants, Visitors string
	Mean, Deviation                                          string // of a conversion's value; empty: conversions alone
	Problem                                                  string
	Result                                                   *calculatorResult
}

type calculatorResult struct {
	PerVariant, Total int64
	From, To          string // the rates that are told apart
	Days              string // empty without visitors a day
	Level             string // of each comparison
	Several           bool   // more than one
	Sequential        string // what looking without a plan would cost
	Values            bool   // it is means that are told apart
	Others            []otherEffect
}

// otherEffect is a line of the table "what if".
type otherEffect struct {
	Effect, To string
	PerVariant int64
	Days       string
	Chosen     bool
}

// plannedTest is a calculator form that was understood; rates as fractions.
type plannedTest struct {
	baseline, effect, alpha, power float64
	relative                       bool
	mean, deviation                float64 // of a conversion's value; 0: there is none
	variants                       int
	visitors                       float64
}

// mostVariants that the calculator plans for.
const mostVariants = 20

func newCalculatorView(query url.Values) calculatorView {
	field := func(name, preset string) string {
		if query.Has(name) {
			return strings.TrimSpace(query.Get(name))
		}
		return preset
	}
	view := calculatorView{
		Baseline: field("baseline", "5"), Effect: field("effect", "10"), Kind: field("kind", "relative"),
		Alpha: field("alpha", "5"), Power: field("power", "80"),
		Variants: field("variants", "2"), Visitors: field("visitors", ""),
		Mean: field("mean", ""), Deviation: field("deviation", ""),
	}
	planned, err := view.parse()
	if err == nil {
		view.Result, err = planned.result()
	}
	if err != nil {
		view.Problem = sentence(err.Error())
	}
	return view
}

// sentence is an error as the page shows it: with a capital.
func sentence(problem string) string { return strings.ToUpper(problem[:1]) + problem[1:] }

func (v calculatorView) parse() (plannedTest, error) {
	planned := plannedTest{relative: v.Kind != "points"}
	var problems []error
	percentage := func(name, text string, target *float64) {
		number, err := strconv.ParseFloat(strings.TrimSuffix(text, "%"), 64)
		if err != nil || !(number > 0) || math.IsInf(number, 0) {
			problems = append(problems, fmt.Errorf("%s must be a number above 0", name))
		}
		*target = number / 100
	}
	percentage("the conversion rate", v.Baseline, &planned.baseline)
	percentage("the smallest effect", v.Effect, &planned.effect)
	percentage("the false-positive risk", v.Alpha, &planned.alpha)
	percentage("the power", v.Power, &planned.power)
	var err error
	if planned.variants, err = strconv.Atoi(v.Variants); err != nil || planned.variants < 2 || planned.variants > mostVariants {
		problems = append(problems, fmt.Errorf("the number of variants must be 2 to %d", mostVariants))
	}
	optional := func(name, text string, target *float64) {
		if text == "" {
			return
		}
		number, err := strconv.ParseFloat(strings.ReplaceAll(text, ",", ""), 64)
		if err != nil || !(number > 0) || math.IsInf(number, 0) {
			problems = append(problems, fmt.Errorf("%s must be a number above 0, or empty", name))
		}
		*target = number
	}
	optional("visitors a day", v.Visitors, &planned.visitors)
	optional("the value of a conversion", v.Mean, &planned.mean)
	optional("its standard deviation", v.Deviation, &planned.deviation)
	switch {
	case v.Mean == "" && v.Deviation == "":
	case v.Mean == "" || v.Deviation == "":
		problems = append(problems, errors.New("a goal of values needs both the value of a conversion and its standard deviation"))
	case !planned.relative:
		problems = append(problems, errors.New("the effect on values is a relative one"))
	}
	if len(problems) > 0 {
		return plannedTest{}, problems[0]
	}
	return planned, nil
}

// difference is the effect as a difference of rates.
func (p plannedTest) difference(effect float64) float64 {
	if p.relative {
		return p.baseline * effect
	}
	return effect
}

// bringing is what participants bring, if the goal counts values.
func (p plannedTest) bringing() statistics.Bringing {
	return statistics.Bringing{Rate: p.baseline, Mean: p.mean, Deviation: p.deviation}
}

// level is that of the look at the planned size, shared among the comparisons
// with the control (Bonferroni), which is never less strict than the correction
// used for the results (Holm).
func (p plannedTest) level() float64 {
	return statistics.Plan{Alpha: p.alpha}.FixedLevel() / float64(p.variants-1)
}

func (p plannedTest) size(effect float64) (int64, error) {
	if of := p.bringing(); of.Mean > 0 {
		return statistics.MeanSize(of, of.Of()*effect, p.level(), p.power)
	}
	return statistics.SampleSize(p.baseline, p.difference(effect), p.level(), p.power)
}

func (p plannedTest) result() (*calculatorResult, error) {
	size, err := p.size(p.effect)
	if err != nil {
		return nil, errors.New(strings.TrimPrefix(err.Error(), statistics.ErrSampleSize.Error()+": "))
	}
	result := &calculatorResult{
		PerVariant: size, Total: size * int64(p.variants), Days: p.days(size),
		From: p.from(), To: p.other(p.effect), Level: formatPercent(p.level()), Several: p.variants > 2, Values: p.mean > 0,
	}
	result.Sequential = p.sequential(size)
	for _, factor := range []float64{0.5, 0.75, 1, 1.5, 2} {
		size, err := p.size(p.effect * factor)
		if err != nil {
			continue // outside the possible rates; the others still help
		}
		result.Others = append(result.Others, otherEffect{
			Effect: p.words(p.effect * factor), To: p.other(p.effect * factor),
			PerVariant: size, Days: p.days(size), Chosen: factor == 1,
		})
	}
	return result, nil
}

// sequential says what it costs to plan no size, as against the one given.
func (p plannedTest) sequential(planned int64) string {
	alpha, of := p.alpha/float64(p.variants-1), p.bringing()
	size, err := statistics.SequentialSize(p.baseline, p.difference(p.effect), alpha, p.power)
	if of.Mean > 0 {
		size, err = statistics.SequentialMeanSize(of, of.Of()*p.effect, alpha, p.power)
	}
	if err != nil {
		return ""
	}
	text := fmt.Sprintf("With no planned size the sequential test decides alone, at any look: of such an effect by %s in each variant at the latest, %.1f times as many",
		formatCount(size), float64(size)/float64(planned))
	if days := p.days(size); days != "" {
		text += ": " + days
	}
	return text + ". A larger effect it finds sooner; with this size planned it decides too, where the effect is clear."
}

func (p plannedTest) from() string {
	if of := p.bringing(); of.Mean > 0 {
		return unitOf(statistics.Value).format(of.Of())
	}
	return formatPercent(p.baseline)
}

func (p plannedTest) other(effect float64) string {
	if of := p.bringing(); of.Mean > 0 {
		return unitOf(statistics.Value).format(of.Of() * (1 + effect))
	}
	if up := p.baseline + p.difference(effect); up < 1 {
		return formatPercent(up)
	}
	return formatPercent(p.baseline - p.difference(effect))
}

func (p plannedTest) words(effect float64) string {
	text := strconv.FormatFloat(100*effect, 'g', 4, 64)
	if p.relative {
		return text + "%"
	}
	return text + " points"
}

func (p plannedTest) days(size int64) string {
	if p.visitors == 0 {
		return ""
	}
	days := math.Ceil(float64(size) * float64(p.variants) / p.visitors)
	if days > 36500 {
		return "more than a century"
	}
	return plural(int(days), "day", "days")
}

// basis is what a calculation needs of a goal that counts values, as a form has it.
type basis struct{ Rate, Mean, Deviation string }

// basisOf is that of the control; nil where it is not known yet.
func basisOf(goal results.Goal) *basis {
	if goal.Kind != statistics.Value || len(goal.Variants) == 0 {
		return nil
	}
	control := goal.Variants[0]
	n := float64(control.Values)
	if n < 2 || control.Sum <= 0 || control.Trials == 0 {
		return nil
	}
	mean := control.Sum / n
	number := func(x float64) string { return strconv.FormatFloat(x, 'f', decimals(x), 64) }
	return &basis{Rate: number(100 * float64(control.Successes) / float64(control.Trials)), Mean: number(mean),
		Deviation: number(math.Sqrt(max(0, control.Squares-control.Sum*mean) / (n - 1)))}
}
