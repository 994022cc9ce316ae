package dashboard

import (
	"strconv"
	"time"

	"provision/internal/gimel/statistics"
)

type experimentView struct {
	Detail
	Participants int64
	Running      string // "21 days"; empty when the start is unknown
	Progress     *progressView
	Split        *notice
	Shares       []shareRow
	SplitP       string
	SplitAnyP    string
	Goals        []goalView
}

// shareRow is a variant's part of the traffic.
type shareRow struct {
	Class, Label                 string
	Participants                 int64
	Declared, Observed, Expected string
}

type goalView struct {
	Name, ID       string
	Verdict        notice
	Confidence     string // "95%"
	Rows           []resultRow
	Several        bool // more than one comparison: p-values are corrected
	Wide, Narrow   *chart
	Days           []dayRow
	BeforeFirstDay int64
}

// resultRow is one line of the results table; fields are empty when the
// counts do not allow them.
type resultRow struct {
	Class, Label               string
	Control                    bool
	Participants, Conversions  int64
	Rate, RateInterval         string
	Impossible                 bool
	Difference, Interval       string
	Relative                   string
	Forest                     *forest
	P, SequentialP, Best       string
	Significant, SequentialYes bool
}

// classOf is the style class that gives a variant its colour; the style sheet
// has seven, the first for the control.
func classOf(index int) string {
	if index > 6 {
		index = 1 + (index-1)%6
	}
	return "s" + strconv.Itoa(index)
}

func newExperimentView(d Detail, now time.Time) experimentView {
	view := experimentView{
		Detail:       d,
		Participants: participants(d.Variants),
		Progress:     newProgressView(d.Variants, d.PlannedTrials),
	}
	if !d.Started.IsZero() && !d.Archived {
		view.Running = plural(1+int(now.Sub(d.Started).Hours()/24), "day", "days")
	}
	if check := statistics.CheckSampleRatio(d.Variants); check != nil {
		view.Split = splitNotice(check, d.Declared)
		view.SplitP, view.SplitAnyP = formatP(check.P), formatP(check.SequentialP)
		view.Shares = shareRows(d.Variants, check, view.Participants)
	}
	for i, goal := range d.Results {
		view.Goals = append(view.Goals, newGoalView(goal, d.PlannedTrials, i))
	}
	return view
}

func shareRows(variants []statistics.Variant, check *statistics.SampleRatio, total int64) (rows []shareRow) {
	shares := statistics.Shares(variants)
	for i, v := range variants {
		rows = append(rows, shareRow{
			Class: classOf(i), Label: v.Label, Participants: v.Trials,
			Declared: formatPercent(shares[i]),
			Observed: formatPercent(float64(v.Trials) / float64(max(1, total))),
			Expected: formatCount(int64(check.Expected[i] + 0.5)), // of those in variants with a share
		})
	}
	return rows
}

func newGoalView(goal Goal, planned int64, index int) goalView {
	plan := statistics.Plan{TrialsPerVariant: planned}
	report := statistics.Analyse(goal.Variants, plan)
	view := goalView{
		Name: goal.Name, ID: "goal-" + strconv.Itoa(index),
		Verdict:    explain(report),
		Confidence: strconv.Itoa(int(100*(1-report.Alpha)+0.5)) + "%",
		Several:    len(goal.Variants) > 2,
	}
	scale := forestScale(report)
	for i, v := range report.Variants {
		view.Rows = append(view.Rows, newResultRow(i, v, report, scale))
	}
	timeline := newTimeline(goal, 1-report.Alpha)
	view.Days, view.BeforeFirstDay = timeline.rows(), timeline.before
	if len(timeline.days) > 0 {
		view.Wide = newChart(timeline, view.ID+"-wide", wide)
		view.Narrow = newChart(timeline, view.ID+"-narrow", narrow)
	}
	return view
}

func newResultRow(i int, v statistics.VariantReport, report statistics.Report, scale float64) resultRow {
	row := resultRow{
		Class: classOf(i), Label: v.Label, Control: i == 0,
		Participants: v.Trials, Conversions: v.Successes, Impossible: v.Impossible,
	}
	if v.Rate != nil {
		row.Rate = formatPercent(*v.Rate)
	}
	if v.RateInterval != nil {
		places := intervalDecimals(*v.RateInterval)
		row.Rate = percentTo(*v.Rate, places)
		row.RateInterval = percentTo(v.RateInterval.Low, places) + " to " + percentTo(v.RateInterval.High, places)
	}
	if v.ProbabilityBest != nil {
		row.Best = formatProbability(*v.ProbabilityBest)
	}
	c := v.Comparison
	if c == nil {
		return row
	}
	places := intervalDecimals(c.Interval)
	row.Difference = pointsTo(c.Difference, places)
	row.Interval = pointsTo(c.Interval.Low, places) + " to " + pointsTo(c.Interval.High, places)
	if c.Relative != nil {
		row.Relative = signed(100**c.Relative, 1) + "%"
	}
	row.Forest = newForest(row.Class, *c, scale)
	row.P, row.SequentialP = formatP(c.AdjustedP), formatP(c.AdjustedSequentialP)
	// Before the planned size the fixed p is not evidence and gets no emphasis.
	row.Significant = report.Progress.Reached && c.AdjustedP <= report.Alpha
	row.SequentialYes = c.AdjustedSequentialP <= report.Alpha
	return row
}
