package results

import (
	"slices"
	"time"

	"provision/internal/gimel/statistics"
)

// Analyse reports on the goals of an experiment, in their order.
func Analyse(d Detail, alpha float64, now time.Time) []statistics.Report {
	return statistics.Analyse(goalsOf(d, alpha, now))
}

// Judge is Analyse without the odds, which take the longest.
func Judge(d Detail, alpha float64, now time.Time) []statistics.Report {
	return statistics.Judge(goalsOf(d, alpha, now))
}

func goalsOf(d Detail, alpha float64, now time.Time) ([]statistics.Goal, statistics.Design) {
	design := statistics.Design{
		Plan:     statistics.Plan{TrialsPerVariant: d.PlannedTrials, Alpha: alpha},
		Declared: d.Declared, Ramped: d.Ramped, Estimated: d.Estimated, Primary: d.Primary,
		AnyControl: d.Before != nil && d.Before.Control != control(d.Declaration),
		PassedOver: d.PassedOver(),
	}
	goals := make([]statistics.Goal, len(d.Results))
	for i, goal := range d.Results {
		goals[i] = statistics.Goal{Name: goal.Name, Kind: goal.Kind, Variants: goal.Variants, AtSize: atSize(goal, design.Plan, now)}
		if !d.Estimated { // else nothing is tested
			goals[i].Untested, goals[i].Charged = d.standing(goal.Name)
		}
	}
	return goals, design
}

// atSize are the counts at the end of the day (UTC) on which the planned size
// was reached, so that the test of that size looks once, whenever people do.
// They are nil before that day is over, and where it cannot be told, as of
// counts that were imported.
func atSize(goal Goal, plan statistics.Plan, now time.Time) []statistics.Variant {
	running := slices.Clone(goal.Variants)
	place := map[string]int{}
	for i, v := range running {
		place[v.Label] = i
	}
	count := func(day Day, sign int64) {
		for _, v := range day.Variants {
			if i, known := place[v.Label]; known {
				running[i].Trials += sign * v.Trials
				running[i].Successes += sign * v.Successes
				running[i].Values += sign * v.Values
				running[i].Sum += float64(sign) * v.Sum
				running[i].Squares += float64(sign) * v.Squares
			}
		}
	}
	days := slices.SortedFunc(slices.Values(goal.Days), func(a, b Day) int { return a.Date.Compare(b.Date) })
	for _, day := range days {
		count(day, -1) // what is left has no day
	}
	if statistics.ProgressOf(running, plan).Reached {
		return nil
	}
	today := now.UTC().Truncate(24 * time.Hour)
	for _, day := range days {
		count(day, 1)
		if statistics.ProgressOf(running, plan).Reached {
			if !day.Date.Before(today) {
				return nil
			}
			return running
		}
	}
	return nil
}
