package run

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

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

	exporters *exporters           // nil where no host can be asked
	exports   map[wish]recipe.Said // what builds were told of other hosts
	read      map[wish]bool        // and whether that is what these say now
	told      []string

	guessed *built // was made of what the host had said last
	alike   *alike // what was built for other hosts; nil where nothing is kept
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

// wish is what a build wants to know of another host.
type wish struct{ peer, task, export string }

// exported is recipe.Input's.
func (a *asking) exported(peer, task, export string) (recipe.Said, bool) {
	if a == nil {
		return recipe.Said{}, false
	}
	w := wish{peer, task, export}
	if said, there := a.exports[w]; there {
		return said, a.read[w]
	}
	text, _ := a.exporters.copyOf(peer, exportName(task, export))
	if a.exports == nil {
		a.exports, a.read = map[wish]recipe.Said{}, map[wish]bool{}
	}
	a.exports[w] = recipe.Said{Text: text}
	return a.exports[w], false
}

// mostAsked are so many hosts that one asks at once for what they export.
const mostAsked = 30

// fetch reads what builds have wanted to know of other hosts, and reports whether something is
// another than they were told.
func (a *asking) fetch(ctx context.Context) (other bool) {
	if a.exporters == nil {
		return false
	}
	var mu sync.Mutex
	var group errgroup.Group
	group.SetLimit(mostAsked)
	unread := maps.Clone(a.exports)
	maps.DeleteFunc(unread, func(w wish, _ recipe.Said) bool { return a.read[w] })
	for w, before := range unread {
		group.Go(func() error {
			said, told := a.exporters.of(ctx, w.peer, exportName(w.task, w.export))
			mu.Lock()
			defer mu.Unlock()
			other = other || said != before
			a.exports[w], a.read[w] = said, true
			if told != "" && !slices.Contains(a.told, told) {
				a.told = append(a.told, told)
			}
			return nil
		})
	}
	group.Wait()
	if other {
		a.guessed = nil
	}
	return other
}

// waitsFor are the hosts that do not have yet what builds want of them.
func (a *asking) waitsFor() []string {
	var hosts []string
	for w, said := range a.exports {
		if said.Problem == recipe.NotYet && !slices.Contains(hosts, w.peer) {
			hosts = append(hosts, w.peer)
		}
	}
	slices.Sort(hosts)
	return hosts
}

// again has what was not there yet read once more.
func (a *asking) again() {
	for w, said := range a.exports {
		if said.Problem == recipe.NotYet {
			a.exporters.forget(w.peer)
			delete(a.exports, w)
			delete(a.read, w)
		}
	}
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
