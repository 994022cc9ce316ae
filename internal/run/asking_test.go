package run

import (
	"os"
	"strings"
	"sync"
	"testing"

	"provision/internal/engine"
	"provision/internal/recipe"
	"provision/internal/resource"
)

// A host is asked what a task wants to know of it, also what it wants to know only then.
func TestFactsAreAsked(t *testing.T) {
	onMachine(t, func(m *machine) {
		const first, second = "shop.first", "shop.second"
		builds := 0
		task := recipe.Task{Name: "shop", Build: func(in recipe.Input) (recipe.Recipe, error) {
			builds++
			var r recipe.Recipe
			boot, known := in.Ask(recipe.Question(recipe.BootID), "none")
			text := boot.Text
			if one, _ := in.Ask(recipe.Probe{Key: recipe.FactKey(first), Script: "echo 1"}, ""); one.Text == "1" {
				two, _ := in.Ask(recipe.Probe{Key: recipe.FactKey(second), Script: "echo 2"}, "")
				text += two.Text
			}
			if known == in.Guess {
				t.Errorf("known %v, guess %v", known, in.Guess)
			}
			r.Add(resource.File{Path: m.path("facts"), Content: text + "\n"})
			return r, nil
		}, Verify: func(in recipe.Input) ([]recipe.Check, error) {
			said, _ := in.Ask(recipe.Probe{Key: recipe.FactKey("shop.verify"), Script: "echo verified"}, "made up")
			return []recipe.Check{{Name: "it knows", From: recipe.FromHost, Command: &recipe.CommandCheck{Script: "echo " + said.Text, Contains: "verified"}}}, nil
		}}
		blueprint := Blueprint{Tasks: []recipe.Task{task}}
		is(t, m.works(t, "install", blueprint, Install), engine.StatusChanged)
		boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
		if err != nil {
			t.Fatal(err)
		}
		if got, want := m.read(t, "facts"), strings.TrimSpace(string(boot))+"2\n"; got != want {
			t.Errorf("wrote %q, want %q", got, want)
		}
		is(t, m.works(t, "install", blueprint, Install), engine.StatusSame)
		is(t, m.works(t, "verify", blueprint, Verify), engine.StatusVerified)
	})
}

// kept is a Last in memory.
type kept map[string]Known

var keptBy sync.Mutex

func (k kept) Of(host string) (Known, bool) {
	keptBy.Lock()
	defer keptBy.Unlock()
	known, there := k[host]
	return known, there
}

func (k kept) Keep(host string, known Known) {
	keptBy.Lock()
	defer keptBy.Unlock()
	k[host] = known
}

// A host that was asked before is built once, and for its own platform; where it says something
// else now, once more.
func TestBuildsOfAHostThatWasAsked(t *testing.T) {
	onMachine(t, func(m *machine) {
		m.last = kept{}
		builds, script := 0, "echo 1"
		var failing func(recipe.Input) bool
		guessed := true
		task := recipe.Task{Name: "shop", Build: func(in recipe.Input) (recipe.Recipe, error) {
			builds++
			var r recipe.Recipe
			said, known := in.Ask(recipe.Probe{Key: recipe.FactKey("shop.it"), Script: script}, "made up")
			if failing != nil && failing(in) {
				return r, &recipe.SourceError{Problem: "fails", Guessed: guessed && !known}
			}
			r.Add(resource.File{Path: m.path("said"), Content: said.Text})
			return r, nil
		}}
		install := func(status engine.Status, want int) {
			t.Helper()
			builds = 0
			is(t, m.works(t, "install", Blueprint{Tasks: []recipe.Task{task}}, Install), status)
			if builds != want {
				t.Errorf("%d builds, want %d", builds, want)
			}
		}
		all := len(recipe.Platforms())
		install(engine.StatusChanged, all+1)
		install(engine.StatusSame, 1)
		script = "echo 2" // the host says something else now
		install(engine.StatusChanged, 2)
		if got := m.read(t, "said"); got != "2" {
			t.Errorf("wrote %q", got)
		}
		install(engine.StatusSame, 1)
		// What fails for what the host said last is no error of today.
		script, failing = "echo 3", func(in recipe.Input) bool {
			said, _ := in.Ask(recipe.Probe{Key: recipe.FactKey("shop.it"), Script: script}, "made up")
			return said.Text == "2"
		}
		install(engine.StatusChanged, 1+all+1)
		// What fails on another platform is told before the connection only where it is built for that.
		failing = func(in recipe.Input) bool { return in.System.Arch != m.last["here"].Platform.Arch && len(m.last) > 0 }
		guessed = false
		install(engine.StatusSame, 1)
		settings, work := Settings{Observe: func(engine.HostEvent) {}}, []Work{{Target: Target{Name: "here"}, Blueprint: Blueprint{Tasks: []recipe.Task{task}}}}
		if _, err := newJobs(work, &settings); err == nil {
			t.Error("a build for a platform fails, and nothing is said before the connection")
		}
	})
}
