package dashboard

import (
	"strings"
	"time"

	"provision/internal/gimel/results"
	"provision/internal/gimel/statistics"
)

// explain puts a verdict into words that do not claim more than it does.
func explain(r statistics.Report, primary string) notice {
	switch r.Verdict {
	case statistics.NotComparable:
		return notice{"alarm", "These counts cannot be compared", "More conversions than participants: " + impossible(r) +
			". Either the goal is counted more than once a person, or people reach it without being counted as participants. The rates are shown as they are; an interval or a p-value would be meaningless."}
	case statistics.Estimated:
		return notice{"calm", "Not tested", "These counts are estimates (HyperLogLog), off by about 0.8 %: more than most differences. Count exactly to have a verdict."}
	case statistics.Untrusted:
		return untrusted(r)
	case statistics.NotTested:
		return notTested(r)
	case statistics.AfterPrimary:
		return notice{"calm", "Not before “" + primary + "”", "This goal would show a difference, and the primary goal has shown none" + ofEach(r) + ": with enough goals, one shows something by chance."}
	case statistics.LateDifference:
		return notice{"good", ahead(r), "There was none when the planned size was reached; the sequential test, which allows for looking on, has decided since." + several(r)}
	case statistics.NotYet:
		return notice{"calm", "Not yet", notYet(r)}
	case statistics.EarlyDifference:
		return notice{"good", ahead(r), "Decided by the sequential test, which allows for looking early and often" + before(r) + "." + several(r)}
	case statistics.Difference:
		return notice{"good", ahead(r), "The planned size was reached, and the difference was then larger than chance explains. What came later changes nothing of that." + several(r)}
	case statistics.NoDifference:
		return notice{"calm", "No difference shown", "The planned size was reached. If there is a difference, it is probably smaller than the one this size was planned for. Looking on, only the sequential test may still decide."}
	}
	if len(r.Variants) < 2 {
		return notice{"calm", "Nothing to compare yet", "A comparison needs a second variant."}
	}
	if r.TooFew {
		return notice{"calm", "Nothing to compare yet", "A comparison of means needs some thirty participants with conversions in each variant: a few large ones would decide."}
	}
	return notice{"calm", "Nothing to compare yet", "A comparison needs participants in the control and in one more variant."}
}

func notTested(r statistics.Report) notice {
	switch r.Distrust {
	case statistics.GoalNotDeclared:
		return notice{"calm", "Not tested", "Nobody declared this goal, and anybody can send one. Declare it to have it tested; it is then corrected for all goals that were counted, for it was chosen among them."}
	case statistics.GoalDeclaredLate:
		return notice{"calm", "Not tested", "This goal was not declared when participants came. Who looks at enough goals finds one that shows something by chance: declare a new experiment to test it."}
	case statistics.KindChanged:
		return notice{"warn", "Not tested", "What this goal counts was declared otherwise when participants came. Give it that kind again, or declare a new experiment."}
	case statistics.SpreadLost:
		return notice{"warn", "Not tested", "The values are all the same, or so close together for their size that their spread is lost in rounding. Send how far each is from a round number near them all."}
	case statistics.ValuesMissing:
		return notice{"warn", "Not tested", "Some conversions were counted before this goal was declared to have values, and have none. Declare a new experiment to compare what participants bring."}
	}
	return notice{"calm", "Not tested", "This goal counts events, and how many of them are one participant’s is not known: no honest test can tell their number from chance. Let each event say whose it is (visitor=), or declare a goal that each participant reaches once."}
}

// Headline is a verdict in a few words, as the pages have it.
func Headline(r statistics.Report, primary string) string { return explain(r, primary).Title }

// verdictOf is an experiment's verdict in a few words: that of the primary goal,
// or where none is declared, of the first goal that shows something. It is nil
// where there is nothing to say yet.
func verdictOf(d results.Detail, now time.Time) *notice {
	var chosen *statistics.Report
	reports := results.Judge(d, statistics.DefaultAlpha, now)
	for i := range reports {
		if d.Results[i].Name == d.Primary {
			chosen = &reports[i]
			break
		}
		untested := chosen != nil && chosen.Verdict == statistics.NotTested
		if chosen == nil || untested || !shows(*chosen) && shows(reports[i]) {
			chosen = &reports[i]
		}
	}
	if chosen == nil || chosen.Verdict == statistics.NoData {
		return nil
	}
	verdict := explain(*chosen, d.Primary)
	verdict.Text = ""
	return &verdict
}

func shows(r statistics.Report) bool {
	return r.Verdict == statistics.EarlyDifference || r.Verdict == statistics.Difference || r.Verdict == statistics.LateDifference
}

func notYet(r statistics.Report) string {
	if r.Progress.Planned == 0 {
		return "No size was planned, so only the sequential test can decide, and it has not. A size planned in advance decides sooner: see the calculator."
	}
	if r.Progress.Reached {
		return "The planned size is reached. The test of that size looks once, at the counts of the end of that day (UTC); of counts without a day, as imported ones, it cannot. The sequential test has not decided."
	}
	return formatCount(r.Progress.Smallest) + " of " + formatCount(r.Progress.Planned) +
		" planned participants in the smallest variant. Until then a small p is not evidence, and the sequential test, which allows for looking early, has not decided."
}

func untrusted(r statistics.Report) notice {
	if r.Distrust == statistics.SplitChanged {
		return notice{"alarm", "Not to be trusted", "The split was changed while participants came: a rate that changes by itself looks like a difference of the variants. Whatever the numbers say, no verdict is given."}
	}
	return notice{"alarm", "Not to be trusted", "The participants are not split as declared, so some variants lose or gain some. Whatever the numbers say, no verdict is given until the cause is found."}
}

func before(r statistics.Report) string {
	if r.Progress.Planned == 0 {
		return ""
	}
	return ", before the planned size"
}

// ahead says no more than was shown: each variant is compared with the control
// only, not with the others.
func ahead(r statistics.Report) string {
	several, converts := len(r.Variants) > 2, "converts"
	if r.Kind == statistics.Value || r.Kind == statistics.Count {
		converts = "does" // by what its participants bring
	}
	switch {
	case r.Leader == "":
		return "At least one variant differs from the control"
	case r.Leader != r.Variants[0].Label:
		return "“" + r.Leader + "” " + converts + " better than the control"
	case several:
		return "At least one variant " + converts + " worse than the control"
	}
	return "The control, “" + r.Leader + "”, " + converts + " better"
}

func several(r statistics.Report) string {
	if len(r.Variants) <= 2 {
		return ""
	}
	return " Each variant is compared with the control, not with the others."
}

func ofEach(r statistics.Report) string {
	if len(r.Variants) <= 2 {
		return ""
	}
	return " of each variant yet"
}

func impossible(r statistics.Report) string {
	var labels []string
	for _, v := range r.Variants {
		if v.Impossible {
			labels = append(labels, "“"+v.Label+"”")
		}
	}
	return strings.Join(labels, ", ")
}
