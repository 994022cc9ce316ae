package statistics

import (
	"math/rand/v2"
	"testing"
)

// One of three variants is truly better at the primary goal, and nothing else differs. What is told
// beside that is wrong no more often than Alpha says: the other goals wait until the primary one has
// shown all that it compares, or its third variant and they would each have Alpha to themselves.
func TestTheOtherGoalsDoNotSpendAlphaTwice(t *testing.T) {
	const repetitions, size = 2000, 10_000
	source := rand.NewPCG(31, 40_000)
	design := Design{Plan: Plan{TrialsPerVariant: size}, Primary: "buy"}
	wrong := 0
	for range repetitions {
		var goals []Goal
		for _, name := range []string{"buy", "look", "ask"} {
			goal := Goal{Name: name}
			for i, label := range []string{"a", "b", "c"} {
				rate := 0.1
				if name == "buy" && i == 1 {
					rate = 0.15
				}
				goal.Variants = append(goal.Variants, Variant{Label: label, Weight: 1, Trials: size, Successes: draw(size, rate, source)})
			}
			goal.AtSize = goal.Variants
			goals = append(goals, goal)
		}
		reports := judge(goals, design)
		c := *reports[0].Variants[2].Comparison
		mistaken := *c.AdjustedP <= design.FixedLevel() || c.AdjustedSequentialP <= design.sequentialLevel()
		for _, r := range reports[1:] {
			mistaken = mistaken || r.Verdict.shows()
		}
		wrong += count(mistaken)
	}
	atMost(t, "experiments that showed a difference that is not there", wrong, repetitions, 0.05)
}
