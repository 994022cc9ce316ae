package results

import (
	"slices"

	"provision/internal/gimel/event"
	"provision/internal/gimel/statistics"
	"provision/internal/gimel/store"
)

// What verdicts go by is what was declared before participants came. Who has
// seen numbers can choose the size, the goal, its kind or the control that suits
// them; chosen so from eight goals without any difference, one shows something in
// a third of the experiments.

// chosen are the goals that were declared before participants came. Where there
// are none, any goal was counted.
func (d Detail) chosen() []string {
	if d.Before != nil {
		return d.Before.Goals
	}
	return d.Declaration.Goals
}

// standing says why a goal is not tested, or "", and whether the others are
// corrected for it all the same.
//
// Where goals had been chosen they are the family, those that were given up since
// too, and others are not tested. Where none were, all goals that have been counted
// are: of these the ones that are declared since may be tested, for whoever chose
// them chose among all. Nothing can be chosen by a stranger, who may send any goal.
func (d Detail) standing(goal string) (untested statistics.Distrust, charged bool) {
	chosen := d.chosen()
	declared := slices.Contains(d.Declaration.Goals, goal)
	switch {
	case !d.Declared:
		return "", true
	case len(chosen) > 0 && !slices.Contains(chosen, goal):
		return statistics.GoalDeclaredLate, false
	case len(chosen) == 0 && !declared:
		return statistics.GoalNotDeclared, true
	case declared && d.Was[goal] != "" && d.Was[goal] != kindOf(d.Declaration, goal):
		return statistics.KindChanged, true
	}
	return "", true
}

// fewest is how many participants a variant has that might have been chosen, at
// the least: with fewer it was a rehearsal, see declare.lua.
const fewest = 20

// PassedOver is how many variants had participants when none was declared, and are
// not declared since: whoever declared some chose among all. Strays do not count.
func (d Detail) PassedOver() (passedOver int) {
	if d.Before == nil || d.Before.Control != "" || len(d.Declaration.Variants) == 0 {
		return 0
	}
	var others []int64
	for _, v := range d.Variants {
		if v.Weight == 0 {
			others = append(others, v.Trials)
		}
	}
	for _, trials := range others {
		if trials >= fewest && trials*strayShare >= slices.Max(others) {
			passedOver++
		}
	}
	return passedOver
}

func kindOf(d store.Declaration, goal string) event.Kind {
	if kind := d.Kinds[goal]; kind != "" {
		return kind
	}
	return event.Unique
}

// control is the first declared variant, or "".
func control(d store.Declaration) string {
	if len(d.Variants) == 0 {
		return ""
	}
	return d.Variants[0].Label
}
