package run

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"provision/internal/engine"
	"provision/internal/recipe"
	"provision/internal/resource"
)

// Hosts that want something of each other are changed, and then proved. Who would be begun after them is not begun
// before that, whoever is a canary; nor is more changed of them when one is broken.
func TestHostsThatWantEachOtherAreAGate(t *testing.T) {
	pair := map[int][]int{1: {2}}
	broken := map[int]error{1: errors.New("broken")}
	for _, test := range []struct {
		name  string
		pace  Pace
		fleet *fleet
		begun []int
		ends  map[int]string // with "" it is good
	}{
		{"a pair", Pace{Window: share("1")}, &fleet{hosts: 4, lacking: pair}, []int{1, 2, 1, 2, 3, 4}, nil},
		{"it breaks", Pace{Window: share("1")}, &fleet{hosts: 4, lacking: pair, ends: broken}, []int{1, 2, 1, 2},
			map[int]string{1: "broken", 3: "web1 failed, and --max-fail is 0", 4: "web1 failed, and --max-fail is 0"}},
		{"it breaks, and something is left to change on the other", Pace{Window: share("1")}, &fleet{hosts: 3, lacking: pair, halves: []int{2}, ends: broken}, []int{1, 2, 1},
			map[int]string{1: "broken", 2: "is changed in part, and not proved: web1 failed, and --max-fail is 0", 3: "web1 failed, and --max-fail is 0"}},
		{"what is changed is proved before more is", Pace{Window: share("1")}, &fleet{hosts: 3, lacking: pair, halves: []int{1}}, []int{1, 2, 2, 1, 3}, nil},
		{"one may fail", Pace{Window: share("1"), MaxFail: share("1")}, &fleet{hosts: 3, lacking: pair, halves: []int{2}, ends: broken}, []int{1, 2, 1, 2, 3}, map[int]string{1: "broken"}},
		{"pairs", Pace{Window: share("1")}, &fleet{hosts: 5, lacking: map[int][]int{1: {3}, 4: {2}, 2: {4}}}, []int{1, 3, 1, 3, 2, 4, 2, 4, 5}, nil},
		{"others before", Pace{Window: share("1")}, &fleet{hosts: 4, lacking: map[int][]int{4: {2}}}, []int{1, 2, 4, 2, 4, 3}, nil},
		{"in steps", Pace{Batches: []Share{{1, false}, {100, true}}}, &fleet{hosts: 4, lacking: pair, ends: broken}, []int{1, 2, 1, 2},
			map[int]string{1: "broken", 3: "web1 failed, and --max-fail is 0", 4: "web1 failed, and --max-fail is 0"}},
		{"no window", Pace{MaxFail: share("1")}, &fleet{hosts: 4, lacking: pair}, []int{1, 2, 3, 4, 1, 2}, nil},
		{"a canary", Pace{Canary: share("1"), MaxFail: share("3")}, &fleet{hosts: 3, lacking: map[int][]int{3: {1}}}, []int{1, 3, 1, 3, 2}, nil},
		{"a canary breaks", Pace{Canary: share("1"), MaxFail: share("3")}, &fleet{hosts: 3, lacking: map[int][]int{3: {1}}, ends: broken}, []int{1, 3, 1, 3},
			map[int]string{1: "broken", 2: "web1 failed, and is a canary"}},
		{"a canary wants something of itself", Pace{Canary: share("1"), MaxFail: share("3")}, &fleet{hosts: 3, lacking: map[int][]int{1: {1}}, waiting: []int{3}}, []int{1, 1, 2, 3}, nil},
		{"and breaks", Pace{Canary: share("1"), MaxFail: share("3")}, &fleet{hosts: 3, lacking: map[int][]int{1: {1}}, waiting: []int{3}, ends: broken}, []int{1, 1},
			map[int]string{1: "broken", 2: "web1 failed, and is a canary", 3: "web1 failed, and is a canary"}},
		{"a canary waits in its second turn", Pace{Canary: share("1"), MaxFail: share("3")}, &fleet{hosts: 4, lacking: map[int][]int{1: {1}}, circle: map[int]int{1: 3}}, []int{1, 3, 1, 2, 4}, nil},
		{"and breaks in its third", Pace{Canary: share("1"), MaxFail: share("3")}, &fleet{hosts: 4, lacking: map[int][]int{1: {1}}, circle: map[int]int{1: 3}, ends: broken}, []int{1, 3, 1},
			map[int]string{1: "broken", 2: "web1 failed, and is a canary", 4: "web1 failed, and is a canary"}},
		{"hosts wait for each other alone", Pace{Window: share("1"), MaxFail: share("3")}, &fleet{hosts: 3, circle: map[int]int{1: 2, 2: 1}}, []int{3},
			map[int]string{1: "it is not there yet", 2: "it is not there yet"}},
	} {
		f := test.fleet
		ended := f.goes(t, test.pace, 1)
		if !slices.Equal(f.begun, test.begun) {
			t.Errorf("%s: begun %v, want %v", test.name, f.begun, test.begun)
		}
		for n, end := range ended {
			if want := test.ends[n]; want == "" && !good(end.Status) || want != "" && (end.Err == nil || end.Err.Error() != want) {
				t.Errorf("%s: web%d: %s: %v, want %q", test.name, n, end.Status, end.Err, want)
			}
		}
		if f.asked > 2 {
			t.Errorf("%s: asked %d times", test.name, f.asked)
		}
	}
}

// A host that is drained goes back to its visitors when it has passed its checks, also where it is proved once more
// when others have what it wants: where they fail, it stays away, and the others serve as before.
func TestDrainedHostsThatWantEachOther(t *testing.T) {
	onMachine(t, func(m *machine) {
		w := trusting(m, "ca1", "node1")
		m.write(t, m.path("verify"), ":\n", 0o644)
		serving := func(name, peer string) Work {
			its := site{m: m, drain: "echo " + name + " >>" + m.path("log"), undrain: "echo " + name + " >>" + m.path("log")}
			task := w.mutual(name, peer)
			task.Verify = func(recipe.Input) ([]recipe.Check, error) {
				return []recipe.Check{{Name: name, From: recipe.FromHost, Command: &recipe.CommandCheck{Script: "echo verify " + name + " >>" + m.path("log") + "; . " + m.path("verify")}}}, nil
			}
			drains := its.drains()
			drains[0].Task = name
			return Work{Target: Target{Name: name, Local: true}, Blueprint: Blueprint{Tasks: []recipe.Task{task}, Drains: drains}}
		}
		install := func(works ...Work) map[string]engine.Finished {
			t.Helper()
			settings := Settings{Forks: 2, Patience: time.Minute, Exporters: w.exporters, Last: kept{}, Observe: func(engine.HostEvent) {}}
			settings.Header.Verb = "install"
			results, err := Install(t.Context(), works, settings)
			if err != nil {
				t.Fatal(err)
			}
			all := map[string]engine.Finished{}
			for _, result := range results {
				all[result.Host] = result.Finished
			}
			return all
		}
		did := func() string {
			did := strings.Join(strings.Fields(strings.ReplaceAll(m.read(t, "log"), " here", "")), " ")
			os.Remove(m.path("log"))
			return did
		}
		for _, name := range []string{"ca1", "node1"} { // each serves already, and is to have what the other exports
			is(t, m.works(t, "install", Blueprint{Tasks: []recipe.Task{taskOf(name, resource.File{Path: m.path("served." + name), Content: "x"})}}, Install), engine.StatusChanged)
		}
		m.write(t, m.path("verify"), "exit 1\n", 0o644)
		ended := install(serving("ca1", "node1"), serving("node1", "ca1"))
		is(t, ended["ca1"], engine.StatusFailed)
		is(t, ended["node1"], engine.StatusNotBegun)
		if did := did(); did != "drain ca1 verify ca1" || !ended["ca1"].Drained {
			t.Errorf("did %q, %+v", did, ended["ca1"])
		}
		m.write(t, m.path("verify"), ":\n", 0o644)
		ended = install(serving("ca1", "node1"), serving("node1", "ca1"))
		is(t, ended["ca1"], engine.StatusChanged)
		is(t, ended["node1"], engine.StatusChanged)
		once := func(name string) string { return "drain " + name + " verify " + name + " undrain " + name }
		if did := did(); did != once("ca1")+" "+once("node1")+" verify node1 "+once("ca1") {
			t.Errorf("did %q", did)
		}
	})
}
