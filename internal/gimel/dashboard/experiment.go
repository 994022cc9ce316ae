package dashboard

import (
	"slices"
	"strconv"
	"time"

	"provision/internal/gimel/results"
	"provision/internal/gimel/statistics"
	"provision/internal/gimel/store"
)

type experimentView struct {
	results.Detail
	Participants int64
	Running      string // "21 days"; empty when the start is unknown
	Progress     *progressView
	Split        *notice
	Undeclared   *notice
	Replanned    *notice
	Shares       []shareRow
	SplitP       string
	SplitAnyP    string
	Crossed      *notice // visitors in more than one variant: too many
	CrossedWords string  // a few
	Notes        notesView
	Goals        []goalView
}

// notesView is what people say of an experiment.
type notesView struct{ store.Notes }

// Any says whether there is something beside the log.
func (n notesView) Any() bool { return n.Hypothesis != "" || n.Owner != "" || n.Decision != "" }

// shareRow is a variant's part of the traffic.
type shareRow struct {
	Class, Label                 string
	Participants                 int64
	Declared, Observed, Expected string
}

type goalView struct {
	Name, ID       string
	Verdict        notice
	Bound          *notice // anybody can send what hides every difference
	Dropped        string  // what was above the bound
	Basis          *basis  // of a calculation with this goal's values
	Measure, Unit  string  // "Rate", "points"
	Caption        string  // of the chart
	Confidence     string  // "95%"
	Rows           []resultRow
	Primary        bool
	Several        bool // more than one comparison: p-values are corrected
	AtSize         bool // what is compared are the counts at the planned size
	Axis           *forestAxis
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
	Relative, RelativeInterval string
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

func newExperimentView(d results.Detail, now time.Time) experimentView {
	view := experimentView{
		Detail:       d,
		Participants: participants(d.Variants),
		Progress:     newProgressView(d.Variants, d.PlannedTrials),
		Notes:        notesView{d.Notes},
	}
	if !d.Declared && view.Participants > 0 {
		view.Undeclared = &notice{Tone: "calm", Title: "Nobody declared this experiment",
			Text: "Anybody can send a variant that it does not have. With a twentieth of the largest one’s participants it counts as one of them, and may be the control that all are compared with. Declare its variants, and no others are counted."}
	}
	view.Replanned = replannedNotice(d)
	view.Crossed, view.CrossedWords = crossed(d.Crossing)
	if !d.Started.IsZero() && !d.Archived {
		view.Running = plural(1+int(now.Sub(d.Started).Hours()/24), "day", "days")
	}
	if check := statistics.CheckSampleRatio(d.Variants); check != nil {
		view.Split = splitNoticeOf(d.Summary)
		view.SplitP, view.SplitAnyP = formatP(check.P), formatP(check.SequentialP)
		view.Shares = shareRows(d.Variants, check, view.Participants)
	}
	for i, report := range results.Analyse(d, statistics.DefaultAlpha, now) {
		view.Goals = append(view.Goals, newGoalView(d, i, report))
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

func newGoalView(d results.Detail, index int, report statistics.Report) goalView {
	goal := d.Results[index]
	view := goalView{
		Name: goal.Name, ID: "goal-" + strconv.Itoa(index), Primary: goal.Name == d.Primary && len(d.Results) > 1,
		Verdict: explain(report, d.Primary), Measure: measureOf(report.Kind), Unit: unitOf(report.Kind).name,
		Confidence: strconv.Itoa(int(100*(1-report.Alpha)+0.5)) + "%",
		Several:    (len(goal.Variants) > 2 || len(d.Results) > 1) && compares(report),
		AtSize:     atPlannedSize(report),
	}
	view.Axis = newForestAxis(report)
	view.Caption = "Conversion rate so far, with " + view.Confidence + " intervals"
	switch report.Kind {
	case statistics.Count:
		view.Caption = "Events a participant so far"
	case statistics.Value:
		view.Caption = "Value a participant so far, with " + view.Confidence + " intervals"
	}
	view.Basis = basisOf(goal)
	view.Bound = boundNotice(d.Summary, goal)
	if goal.Over > 0 {
		view.Dropped = overWords(goal)
	}
	for i, v := range report.Variants {
		view.Rows = append(view.Rows, newResultRow(i, v, report, view.Axis))
	}
	timeline := newTimeline(goal, 1-report.Alpha)
	view.Days, view.BeforeFirstDay = timeline.rows(), timeline.before
	if len(timeline.days) > 0 {
		view.Wide = newChart(timeline, view.ID+"-wide", wide)
		view.Narrow = newChart(timeline, view.ID+"-narrow", narrow)
	}
	return view
}

func newResultRow(i int, v statistics.VariantReport, report statistics.Report, axis *forestAxis) resultRow {
	row := resultRow{
		Class: classOf(i), Label: v.Label, Control: i == 0,
		Participants: v.Trials, Conversions: v.Successes, Impossible: v.Impossible,
	}
	in := unitOf(report.Kind)
	if v.Rate != nil {
		row.Rate = in.format(*v.Rate)
	}
	if v.RateInterval != nil {
		places := in.decimals(*v.RateInterval)
		row.Rate = in.to(*v.Rate, places)
		row.RateInterval = in.to(v.RateInterval.Low, places) + " to " + in.to(v.RateInterval.High, places)
	}
	if v.ProbabilityBest != nil {
		row.Best = formatProbability(*v.ProbabilityBest)
	}
	c := v.Comparison
	if c == nil {
		return row
	}
	places := in.decimals(c.Interval)
	row.Difference = in.signed(c.Difference, places)
	row.Interval = in.signed(c.Interval.Low, places) + " to " + in.signed(c.Interval.High, places)
	if c.Relative != nil {
		row.Relative = signed(100**c.Relative, 1) + "%"
	}
	if i := c.RelativeInterval; i != nil {
		row.RelativeInterval = signed(100*i.Low, 1) + "% to " + signed(100*i.High, 1) + "%"
	}
	row.Forest = newForest(row.Class, *c, axis)
	row.SequentialP = formatP(c.AdjustedSequentialP)
	if c.AdjustedP != nil {
		row.P = formatP(*c.AdjustedP)
	}
	// What decided is marked, and nothing else.
	decided := !c.Interval.Contains(0)
	row.Significant = report.Verdict == statistics.Difference && decided
	row.SequentialYes = decided && (report.Verdict == statistics.EarlyDifference || report.Verdict == statistics.LateDifference)
	return row
}

func compares(report statistics.Report) bool {
	return slices.ContainsFunc(report.Variants, func(v statistics.VariantReport) bool { return v.Comparison != nil })
}

// atPlannedSize reports whether the comparisons are of that size, once and for all.
func atPlannedSize(report statistics.Report) bool {
	for _, v := range report.Variants {
		if v.Comparison != nil {
			return v.Comparison.P != nil
		}
	}
	return false
}
