package run

import (
	"cmp"
	"slices"

	"provision/internal/recipe"
)

// asking is what a host's builds ask about the host itself, and what is known of it.
type asking struct {
	known recipe.Facts // what the host has said
	asked map[string]recipe.Probe
}

// ask is recipe.Input's: nil knows nothing.
func (a *asking) ask(question recipe.Probe, madeUp string) (recipe.Said, bool) {
	if a == nil {
		return recipe.Said{Text: madeUp}, false
	}
	name := question.Key.Name
	if a.asked == nil {
		a.asked = map[string]recipe.Probe{}
	}
	a.asked[name] = question
	if _, known := a.known[question.Key]; known {
		return a.known.Said(name), true
	}
	return recipe.Said{Text: madeUp}, false
}

// learn takes in what the host has said.
func (a *asking) learn(facts recipe.Facts) {
	if a.known == nil {
		a.known = recipe.Facts{}
	}
	for key, fact := range facts {
		if key.Kind == recipe.KindFact {
			a.known[key] = fact
		}
	}
}

// missing are the questions that builds have asked and the host has not answered, by name.
func (a *asking) missing() []recipe.Probe {
	var probes []recipe.Probe
	for _, question := range a.asked {
		if _, known := a.known[question.Key]; !known {
			probes = append(probes, question)
		}
	}
	slices.SortFunc(probes, func(x, y recipe.Probe) int { return cmp.Compare(x.Key.Name, y.Key.Name) })
	return probes
}
