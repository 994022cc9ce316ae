package run

import (
	"cmp"
	"maps"
	"slices"

	"provision/internal/recipe"
)

// Known is what a host has said of itself.
type Known struct {
	Platform recipe.Platform   `json:"platform"`
	Said     map[string]string `json:"said,omitempty"` // the answers to questions of tasks, by name
}

// Last keeps what each host has said of itself, for the guess of the next run. Its methods are
// called from several goroutines at once. What it loses, or cannot keep, costs time.
type Last interface {
	Of(host string) (Known, bool)
	Keep(host string, known Known)
}

// asking is what a host's builds ask about the host itself, and what is known of it.
type asking struct {
	known recipe.Facts            // what the host has said
	last  Known                   // what builds take it to say
	kept  Known                   // what it had said before this run
	asked map[string]recipe.Probe // what builds have read, by name
	given map[string]recipe.Said  // and what they were told
	keep  func(Known)             // nil keeps nothing

	guessed *built // was made of what the host had said last
}

// ask is recipe.Input's: nil knows nothing.
func (a *asking) ask(question recipe.Probe, madeUp string) (recipe.Said, bool) {
	said := recipe.Said{Text: madeUp}
	if a == nil {
		return said, false
	}
	name := question.Key.Name
	_, known := a.known[question.Key]
	if before, there := a.last.Said[name]; there {
		said.Text = before
	}
	if known {
		said = a.known.Said(name)
	}
	if a.asked == nil {
		a.asked, a.given = map[string]recipe.Probe{}, map[string]recipe.Said{}
	}
	a.asked[name], a.given[name] = question, said
	return said, known
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

// right returns what was built of what the host had said last, where it says the same now.
func (a *asking) right(now recipe.Platform) *built {
	if a.guessed == nil || now != a.last.Platform {
		return nil
	}
	for name, said := range a.given {
		if a.known.Said(name) != said {
			return nil
		}
	}
	return a.guessed
}

// note keeps what the host has said, where that is something new. Who asks less than another run
// keeps what that one was told.
func (a *asking) note(platform recipe.Platform) {
	now := Known{Platform: platform, Said: maps.Clone(a.kept.Said)}
	if now.Said == nil {
		now.Said = map[string]string{}
	}
	for key := range a.known {
		if said := a.known.Said(key.Name); said.Problem == "" {
			now.Said[key.Name] = said.Text
		}
	}
	if a.keep == nil || now.Platform == a.kept.Platform && maps.Equal(now.Said, a.kept.Said) {
		return
	}
	a.keep(now)
	a.kept = now
}
