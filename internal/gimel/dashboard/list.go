package dashboard

import (
	"cmp"
	"slices"
	"time"

	"provision/internal/gimel/results"
	"provision/internal/gimel/statistics"
)

type listView struct {
	Running, Archived []listEntry
	TurnedAway        *notice
	Namespaces        []string // to choose from; none where there is no choice
}

type listEntry struct {
	Name, Namespace string
	Participants    int64
	Makeup          string // "2 variants · 3 goals"
	Started         time.Time
	Declared        bool
	Progress        *progressView
	Split           *notice
	Verdict         *notice // of its primary goal, without a text
	Unreadable      bool
}

// progressView feeds a <progress> element and the words beside it.
type progressView struct {
	Smallest, Planned int64
	Percent           int
	Reached           bool
}

// notice is a line that calls for attention.
type notice struct {
	Tone  string // "alarm", "warn", "good" or "calm"
	Title string
	Text  string
}

// newListView sorts the newest first; what has no start goes last, by name.
func newListView(details []results.Detail, now time.Time) listView {
	details = slices.Clone(details)
	slices.SortStableFunc(details, func(a, b results.Detail) int {
		return cmp.Or(b.Started.Compare(a.Started), cmp.Compare(a.Name, b.Name))
	})
	var view listView
	for _, d := range details {
		entry := listEntry{
			Name: d.Name, Namespace: d.Namespace, Started: d.Started, Declared: d.Declared,
			Participants: participants(d.Variants),
			Makeup:       plural(len(d.Variants), "variant", "variants") + " · " + plural(len(d.Goals), "goal", "goals"),
			Progress:     newProgressView(d.Variants, d.PlannedTrials),
			Split:        splitNoticeOf(d.Summary),
			Verdict:      verdictOf(d, now),
			Unreadable:   d.Problem != nil,
		}
		if d.Archived {
			view.Archived = append(view.Archived, entry)
		} else {
			view.Running = append(view.Running, entry)
		}
	}
	return view
}

// choices are the namespaces to choose from, with the one shown; nil where that
// is the only one.
func choices(namespaces []string, shown string) []string {
	if !slices.Contains(namespaces, shown) {
		namespaces = append([]string{shown}, namespaces...)
	}
	if len(namespaces) < 2 {
		return nil
	}
	return namespaces
}

// turnedAwayNotice is nil while every experiment found room.
func turnedAwayNotice(events int64) *notice {
	if events == 0 {
		return nil
	}
	return &notice{Tone: "warn", Title: "Events were dropped",
		Text: formatCount(events) + " since gimel was started: pages sent more experiments that nobody declared than are let in (undeclared-cap). " +
			"Somebody may be inventing names. An experiment that is declared is always counted."}
}

func participants(variants []statistics.Variant) (total int64) {
	for _, v := range variants {
		total += v.Trials
	}
	return total
}

// newProgressView is nil when no size was planned.
func newProgressView(variants []statistics.Variant, planned int64) *progressView {
	if planned <= 0 || len(variants) == 0 {
		return nil
	}
	p := statistics.ProgressOf(variants, statistics.Plan{TrialsPerVariant: planned})
	percent := int(100 * float64(p.Smallest) / float64(planned))
	return &progressView{Smallest: p.Smallest, Planned: planned, Percent: min(100, percent), Reached: p.Reached}
}

// splitNoticeOf is nil while nothing is wrong with an experiment's split.
func splitNoticeOf(s results.Summary) *notice {
	switch {
	case s.Estimated: // its error would look like a mismatch
		return nil
	case s.Ramped:
		return &notice{Tone: "alarm", Title: "The split was changed",
			Text: "The weights were declared anew after participants had come. Which conversions belong to which time is not known, so a rate that changes by itself looks like a difference of the variants. Declare a new experiment with the weights that it is to keep."}
	}
	return splitNotice(statistics.CheckSampleRatio(s.Variants), s.Declared)
}

// splitNotice is nil while the split agrees with the declared weights. When
// nobody declared any, equal shares are only an assumption, so a deviation is
// put as a question: an alarm against the wrong weights is worse than none.
func splitNotice(check *statistics.SampleRatio, declared bool) *notice {
	switch {
	case check == nil:
		return nil
	case check.Confirmed && !declared:
		return &notice{Tone: "warn", Title: "Unequal split",
			Text: "No weights were declared, and the participants are not split equally. If the page splits them unequally on purpose, declare its weights; if not, participants are being lost, and no other number here can be trusted."}
	case check.Confirmed:
		return &notice{Tone: "alarm", Title: "Sample ratio mismatch",
			Text: "The participants are not split as declared (sequential p " + formatP(check.SequentialP) +
				", valid however often one looks). Some variants lose or gain participants, so no other number here can be trusted until the cause is found."}
	case check.Alarm && declared:
		return &notice{Tone: "warn", Title: "Check the split",
			Text: "The participants are not split quite as declared (p " + formatP(check.P) +
				" for a single look). On a page that is opened often this can be chance: the sequential test has not confirmed it (p " + formatP(check.SequentialP) + ")."}
	case check.Undeclared > 0:
		return &notice{Tone: "warn", Title: "Undeclared variants",
			Text: formatCount(check.Undeclared) + " participants came with a variant that has no declared share. They are shown, and left out of the check of the split."}
	}
	return nil
}
