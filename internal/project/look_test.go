package project

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"provision/internal/recipe"
)

// Whatever a build reads of its host is noted: another host, in which that is another, does not get what was
// built for this one.
func TestWhatBuildsReadIsNoted(t *testing.T) {
	reads := []string{"v.domain", "v.token + ''", "str(host)", "host.facts.disks", "host.peers()", "[getattr(p.exports, 'ca', '') for p in host.peers()]", "nginx.site('shop', '').path"}
	for _, fact := range slices.Sorted(maps.Keys(hostFacts)) {
		reads = append(reads, "host."+fact)
	}
	var source strings.Builder
	for i, read := range reads {
		fmt.Fprintf(&source, "-- tasks/reads%02d.star --\nneeds = ['nginx']\nvariables = [var('domain', str), var('token', secret)]\nfacts = [fact('disks', 'lsblk')]\nexports = [export('ca', '/etc/ca')]\ndef build(v, host):\n    read = %s\n    return []\n", i, read)
	}
	p, _ := open(t, source.String())
	for i, task := range p.Tasks() {
		here := hostOf(task, "a", 1)
		var looks []recipe.Look
		if _, err := task.Build(here.Noted(func(look recipe.Look) { looks = append(looks, look) })); err != nil && !strings.Contains(err.Error(), "does not return it") { // of a part that was made
			t.Fatal(err)
		}
		there := hostOf(task, "b", 2)
		if !slices.Contains([]string{"v.domain", "v.token + ''", "nginx.site('shop', '').path", "host.release", "host.codename", "host.arch"}, reads[i]) {
			there.Vars, there.System = here.Vars, here.System // it differs in what is read of it alone
		}
		differs := slices.ContainsFunc(looks, func(look recipe.Look) bool {
			return !reflect.DeepEqual(look.At(there), look.Seen)
		})
		same := !slices.ContainsFunc(looks, func(look recipe.Look) bool {
			return !reflect.DeepEqual(look.At(here), look.Seen)
		})
		if !differs || !same {
			t.Errorf("%s: it tells of %d looks; another host differs in them: %v; the same one does not: %v", reads[i], len(looks), differs, same)
		}
	}
}

// hostOf is a host of which everything has to do with a word or a number.
func hostOf(task recipe.Task, word string, number int) recipe.Input {
	said := func() (recipe.Said, bool) { return recipe.Said{Text: word}, true }
	system := recipe.System{Release: number, Codename: word, Arch: word}
	return recipe.Input{
		Vars:   recipe.Values{"domain": word, "token": recipe.NewSecret(word)},
		System: system,
		Host: recipe.HostOf(
			recipe.Listed{Name: word, Address: word, Groups: []string{word}, Tasks: []string{word}},
			recipe.Platform{System: system, Hostname: word, CPUs: number, MemoryMB: number},
		),
		Ask:      func(recipe.Probe, string) (recipe.Said, bool) { return said() },
		Exported: func(string, string, string) (recipe.Said, bool) { return said() },
		Peers: func(string) ([]recipe.Peer, error) {
			return []recipe.Peer{{Listed: recipe.Listed{Name: word}}}, nil
		},
	}
}
