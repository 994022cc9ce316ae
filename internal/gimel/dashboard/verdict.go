package dashboard

import (
	"strings"

	"provision/internal/gimel/statistics"
)

// explain puts a verdict into words that do not claim more than it does.
func explain(r statistics.Report) notice {
	switch r.Verdict {
	case statistics.NotComparable:
		return notice{"alarm", "These counts cannot be compared", "More conversions than participants: " + impossible(r) +
			". Either the goal is counted more than once a person, or people reach it without being counted as participants. The rates are shown as they are; an interval or a p-value would be meaningless."}
	case statistics.NotYet:
		return notice{"calm", "Not yet", notYet(r)}
	case statistics.EarlyDifference:
		return notice{"good", ahead(r), "Decided by the sequential test, which allows for looking early and often" + before(r) + "." + several(r)}
	case statistics.Difference:
		return notice{"good", ahead(r), "The planned size is reached, and the difference is larger than chance explains." + several(r)}
	case statistics.NoDifference:
		return notice{"calm", "No difference shown", "The planned size is reached. If there is a difference, it is probably smaller than the one this size was planned for."}
	}
	if len(r.Variants) < 2 {
		return notice{"calm", "Nothing to compare yet", "A comparison needs a second variant."}
	}
	return notice{"calm", "Nothing to compare yet", "A comparison needs participants in the control and in one more variant."}
}

func notYet(r statistics.Report) string {
	if r.Progress.Planned == 0 {
		return "No size was planned, so only the sequential test can decide, and it has not. A size planned in advance decides sooner: see the calculator."
	}
	return formatCount(r.Progress.Smallest) + " of " + formatCount(r.Progress.Planned) +
		" planned participants in the smallest variant. Until then a small p is not evidence, and the sequential test, which allows for looking early, has not decided."
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
	several := len(r.Variants) > 2
	switch {
	case r.Leader == "":
		return "At least one variant differs from the control"
	case r.Leader != r.Variants[0].Label:
		return "“" + r.Leader + "” converts better than the control"
	case several:
		return "At least one variant converts worse than the control"
	}
	return "The control, “" + r.Leader + "”, converts better"
}

func several(r statistics.Report) string {
	if len(r.Variants) <= 2 {
		return ""
	}
	return " Each variant is compared with the control, not with the others."
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
