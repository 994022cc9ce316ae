package dashboard

import (
	"strings"
	"testing"
	"time"

	"provision/internal/gimel/results"
	"provision/internal/gimel/statistics"
	"provision/internal/gimel/store"
)

// grown is an experiment that has passed its size in one day: so many participants in each of two
// variants, and their conversions.
func grown(participants, a, b int64) results.Detail {
	variants := func() []statistics.Variant {
		return []statistics.Variant{{Label: "a", Weight: 1, Trials: participants, Successes: a}, {Label: "b", Weight: 1, Trials: participants, Successes: b}}
	}
	return results.Detail{
		Summary:     results.Summary{Name: "e", Variants: variants(), PlannedTrials: 10_000, Declared: true, Primary: "goal"},
		Declaration: store.Declaration{Goals: []string{"goal", "other", "clicks"}, Planned: 10_000},
		Results: []results.Goal{{Name: "goal", Variants: variants(),
			Days: []results.Day{{Date: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), Variants: variants()}}}},
	}
}

// Numbers that cannot be trusted have no headline that says who wins, and say why.
func TestWhatCannotBeTrustedHasNoWinner(t *testing.T) {
	for want, change := range map[string]func(*results.Detail){
		"The split was changed while": func(d *results.Detail) { d.Ramped = true },
		"are estimates":               func(d *results.Detail) { d.Estimated = true },
		"not split as declared": func(d *results.Detail) {
			d.Results[0].Variants[1].Trials += 4000
			d.Variants[1].Trials = d.Results[0].Variants[1].Trials
		},
	} {
		d := grown(12_000, 600, 900)
		change(&d)
		view := newExperimentView(d, time.Date(2026, 11, 9, 0, 0, 0, 0, time.UTC))
		if got := view.Goals[0].Verdict; got.Tone == "good" || !strings.Contains(got.Text, want) {
			t.Errorf("%s: %+v", want, got)
		}
		if view.Goals[0].Rows[1].Best != "" {
			t.Errorf("%s: the odds are told", want)
		}
	}
}

// One primary goal decides; another that shows something by itself is said to wait for it.
func TestOtherGoalsWaitForThePrimaryOne(t *testing.T) {
	d := grown(12_000, 600, 610)
	d.Results = append(d.Results, results.Goal{Name: "other", Variants: grown(12_000, 600, 900).Variants,
		Days: grown(12_000, 600, 900).Results[0].Days})
	now := time.Date(2026, 11, 9, 0, 0, 0, 0, time.UTC)
	if got := results.Analyse(d, 0.05, now)[1].Verdict; got != statistics.AfterPrimary {
		t.Errorf("%s", got)
	}
	view := newExperimentView(d, now)
	if !view.Goals[0].Primary || view.Goals[1].Primary || !strings.Contains(view.Goals[1].Verdict.Title, "goal") {
		t.Errorf("%+v, %+v", view.Goals[0].Primary, view.Goals[1].Verdict)
	}
}

// A goal is shown as what it counts: values in their own unit and not in per cent, events without
// an interval that would have to know who they are of.
func TestGoalsAreShownAsTheirKind(t *testing.T) {
	d := grown(12_000, 600, 610)
	d.Results[0].Kind = statistics.Value
	for i, sum := range []float64{18_000, 27_000} {
		for _, v := range []*statistics.Variant{&d.Results[0].Variants[i], &d.Results[0].Days[0].Variants[i]} {
			v.Values, v.Sum, v.Squares = v.Successes, sum, sum*100
		}
	}
	clicks := grown(12_000, 30_000, 31_000).Results[0]
	clicks.Name, clicks.Kind = "clicks", statistics.Count
	d.Results = append(d.Results, clicks)
	view := newExperimentView(d, time.Date(2026, 11, 9, 0, 0, 0, 0, time.UTC))
	values, events := view.Goals[0], view.Goals[1]
	row := values.Rows[1]
	if values.Measure != "Value a participant" || values.Unit != "" || row.Rate != "2.25" || row.Difference != "+0.75" || row.Relative != "+50.0%" {
		t.Errorf("%q in %q: %+v", values.Measure, values.Unit, row)
	}
	if day := values.Days[0].Cells[1]; values.Wide.Series[1].Rate != "2.25" || day.Rate != "2.25" || strings.Contains(day.Interval+values.Wide.YTicks[1].Label, "%") || !strings.Contains(values.Caption, "Value") {
		t.Errorf("the chart: %q, %+v, %+v, %q", values.Wide.Series[1].Rate, values.Wide.YTicks, day, values.Caption)
	}
	if values.Verdict.Title != "“b” does better than the control" || strings.Contains(row.Interval, "%") {
		t.Errorf("%q, %s", values.Verdict.Title, row.Interval)
	}
	row = events.Rows[1]
	if events.Verdict.Title != "Not tested" || row.Rate != "2.58" || row.RateInterval != "" || row.Difference != "" || row.Impossible || strings.Contains(events.Caption, "interval") {
		t.Errorf("%q: %+v", events.Verdict.Title, row)
	}
}

// Who declares an experiment otherwise after participants have come is told what verdicts go by.
func TestWhatVerdictsGoByIsSaid(t *testing.T) {
	d := grown(12_000, 600, 900)
	if got := Replanned(d); got != "" {
		t.Errorf("%q", got)
	}
	d.Declaration.Variants = []store.Variant{{Label: "a", Weight: 1}, {Label: "b", Weight: 1}}
	for want, before := range map[string]store.Before{
		"": {Planned: 10_000, Primary: "goal", Goals: []string{"clicks", "goal", "other"}, Control: "a"},
		"The planned size was 7,000, which is the one that is tested.":            {Planned: 7000, Primary: "goal", Goals: []string{"clicks", "goal", "other"}, Control: "a"},
		"No size was planned: the sequential test decides alone.":                 {Primary: "goal", Goals: []string{"clicks", "goal", "other"}, Control: "a"},
		"The primary goal was “other”, and still is.":                             {Planned: 10_000, Primary: "other", Goals: []string{"clicks", "goal", "other"}, Control: "a"},
		"Not tested, for being declared since: “clicks”, “other”.":                {Planned: 10_000, Primary: "goal", Goals: []string{"goal"}, Control: "a"},
		"Given up, and the others are still corrected for it: “ask”.":             {Planned: 10_000, Primary: "goal", Goals: []string{"ask", "clicks", "goal", "other"}, Control: "a"},
		"The control was “b”: p-values are corrected for every one that might":    {Planned: 10_000, Primary: "goal", Goals: []string{"clicks", "goal", "other"}, Control: "b"},
		"No goal was declared: all that were counted share the risk, and none de": {Planned: 10_000, Control: "a"},
	} {
		d.Before = &before
		got := newExperimentView(d, time.Date(2026, 11, 9, 0, 0, 0, 0, time.UTC)).Replanned
		if (got == nil) != (want == "") || got != nil && !strings.HasPrefix(got.Text, want) {
			t.Errorf("%+v: %+v", before, got)
		}
	}
}

// A goal whose sums anybody can spoil is warned of, and what was dropped is told.
func TestAGoalWithoutABoundIsWarnedOf(t *testing.T) {
	for _, c := range []struct {
		of   results.Goal
		want bool
	}{{results.Goal{Kind: statistics.Value}, true}, {results.Goal{Kind: statistics.Count}, false},
		{results.Goal{Kind: statistics.Count, Variants: []statistics.Variant{{Values: 3}}}, true}, {results.Goal{}, false},
		{results.Goal{Kind: statistics.Value, Max: 500}, false}, {results.Goal{Kind: statistics.Value, Keyed: true}, false}} {
		if got := boundNotice(results.Summary{Declared: true}, c.of); (got != nil) != c.want {
			t.Errorf("%+v: %+v", c.of, got)
		}
	}
	d := grown(12_000, 600, 610)
	d.Results[0].Kind, d.Results[0].Max, d.Results[0].Over = statistics.Value, 500.5, 1234
	if got := newExperimentView(d, time.Now()).Goals[0].Dropped; got != "1,234 events with a value above 500.5 were dropped." {
		t.Errorf("%q", got)
	}
}
