package dashboard

import (
	"slices"
	"strconv"
	"strings"

	"provision/internal/gimel/results"
	"provision/internal/gimel/statistics"
	"provision/internal/gimel/store"
)

// replannedNotice is nil where an experiment is declared as it was when
// participants came.
func replannedNotice(d results.Detail) *notice {
	changed := Replanned(d)
	if changed == "" {
		return nil
	}
	return &notice{Tone: "warn", Title: "Declared otherwise since participants came",
		Text: changed + " Who has seen numbers can choose the size or the goal that suits them, so verdicts go by what was declared before. To be judged by another plan, declare a new experiment, or delete this one and declare it anew."}
}

// Replanned says in words what of an experiment is declared otherwise than it
// was when participants came; "" where that is nothing.
func Replanned(d results.Detail) string {
	if d.Before == nil {
		return ""
	}
	said := changesOf(termsOf(*d.Before), termsOfDeclaration(d.Declaration))
	if d.PassedOver() > 0 {
		said = strings.TrimSpace(said + " Other variants had participants when these were declared: p-values are corrected for every pair that might have been chosen.")
	}
	return said
}

// terms are what verdicts go by.
type terms struct {
	planned          int64
	primary, control string
	goals            []string
}

func termsOf(b store.Before) terms { return terms{b.Planned, b.Primary, b.Control, b.Goals} }

func termsOfDeclaration(d store.Declaration) terms {
	of := terms{planned: d.Planned, goals: d.Goals}
	if len(d.Goals) > 0 {
		of.primary = d.Goals[0]
	}
	if len(d.Variants) > 0 {
		of.control = d.Variants[0].Label
	}
	return of
}

// changesOf puts the difference of terms into sentences, and what becomes of it.
func changesOf(before, now terms) string {
	var sentences []string
	say := func(parts ...string) { sentences = append(sentences, strings.Join(parts, "")) }
	switch {
	case before.planned == now.planned:
	case before.planned == 0:
		say("No size was planned: the sequential test decides alone.")
	default:
		say("The planned size was ", formatCount(before.planned), ", which is the one that is tested.")
	}
	switch {
	case before.primary == now.primary:
	case before.primary == "":
		say("No goal was declared: all that were counted share the risk, and none decides before the others.")
	default:
		say("The primary goal was “", before.primary, "”, and still is.")
	}
	if added := without(now.goals, before.goals); len(before.goals) > 0 && len(added) > 0 {
		say("Not tested, for being declared since: ", strings.Join(added, ", "), ".")
	}
	if dropped := without(before.goals, now.goals); len(dropped) > 0 {
		say("Given up, and the others are still corrected for it: ", strings.Join(dropped, ", "), ".")
	}
	if before.control != now.control && before.control != "" {
		say("The control was “", before.control, "”: p-values are corrected for every one that might have been chosen.")
	}
	return strings.Join(sentences, " ")
}

func without(goals, others []string) (left []string) {
	for _, goal := range goals {
		if !slices.Contains(others, goal) {
			left = append(left, "“"+goal+"”")
		}
	}
	slices.Sort(left)
	return left
}

// rehearsal is below how many participants a change is none of what verdicts go
// by; declare.lua has it too.
const rehearsal = 20

// replans says in words what a declaration changes of what verdicts go by, after
// participants have come.
func replans(before results.Detail, d store.Declaration) string {
	if participants(before.Variants) < rehearsal {
		return ""
	}
	said := changesOf(termsOfDeclaration(before.Declaration), termsOfDeclaration(d))
	if said == "" || before.Before == nil {
		return said
	}
	return changesOf(termsOf(*before.Before), termsOfDeclaration(d))
}

// boundNotice warns of a goal that anybody can take its power: one value of a
// billion, or a visitor who comes a hundred thousand times, hides every difference.
func boundNotice(s results.Summary, goal results.Goal) *notice {
	if goal.Max > 0 || goal.Keyed || goal.Kind != statistics.Value && goal.Kind != statistics.Count || s.Archived || !s.Declared {
		return nil
	}
	known := func(v statistics.Variant) bool { return v.Values > 0 }
	if goal.Kind == statistics.Count && !slices.ContainsFunc(goal.Variants, known) {
		return nil // it is not tested at all
	}
	text := "Anybody can send a value, and a single one of a billion hides every difference. Declare the largest that there can be: what is above is dropped."
	if goal.Kind == statistics.Count {
		text = "Anybody can send events, and one visitor with a hundred thousand hides every difference. Declare how often one visitor is counted at most."
	}
	return &notice{Tone: "warn", Title: "No largest " + map[statistics.Kind]string{statistics.Value: "value", statistics.Count: "number"}[goal.Kind], Text: text}
}

// overWords tell of what was dropped.
func overWords(goal results.Goal) string {
	most := "the bound that was declared then"
	if goal.Max > 0 {
		most = strconv.FormatFloat(goal.Max, 'f', -1, 64)
	}
	if goal.Kind == statistics.Count {
		return formatCount(goal.Over) + " events of visitors beyond " + most + " were dropped."
	}
	return formatCount(goal.Over) + " events with a value above " + most + " were dropped."
}
