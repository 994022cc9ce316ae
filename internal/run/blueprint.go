// Package run works on many hosts at once: how many, in which order, when to stop. Each
// host's failure is its own. What happens is told as events; nothing is printed here.
package run

import (
	"fmt"
	"maps"
	"slices"
	"sync"

	"provision/internal/engine"
	"provision/internal/memory"
	"provision/internal/recipe"
	"provision/internal/resource"
)

// Blueprint is what one host should be: tasks, with their variables decided. It is pure.
type Blueprint struct {
	Tasks   []recipe.Task
	Values  map[string]recipe.Values // by task, of all tasks that exist
	Host    recipe.Listed            // what the inventory says of the host
	Address string                   // the host as the controller reaches it
	Release *recipe.Release          // of a deploy; nil otherwise
	Deploys string                   // the task of which that is
	Upgrade bool                     // packages too, to apt's candidates

	Peers func(task string) ([]recipe.Peer, error) // recipe.Input's

	guess  bool // no host has been asked yet
	asking *asking
	looked func(task string) func(recipe.Look) // is told what a task's builds look at; nil: nobody wants to know

	Remembering
	Others   []recipe.Task                                       // that the inventory gives the host besides: what they want stays
	ValuesOf func(recipe.Task) (map[string]recipe.Values, error) // of one of these

	All   []recipe.Task // that there are
	Given []string      // tasks that are wanted for themselves, and not for the need of others

	Drains []Drain // around each change of the host

	Action   *resource.Action // of do: what is run, and nothing else
	ActionOf recipe.Task

	Removes   []recipe.Task // tasks of which all goes that the host remembers
	Needing   []recipe.Task // tasks that need one of those: a host that has one of them keeps both
	Remaining []recipe.Task // of a removal, or an action: what the inventory gives the host besides, and has to work after it
}

func (b Blueprint) input(task recipe.Task, platform recipe.Platform) recipe.Input {
	in := recipe.Input{
		Guess:    b.guess,
		Vars:     b.Values[task.Name],
		System:   platform.System,
		Host:     recipe.HostOf(b.Host, platform),
		Ask:      b.asking.ask,
		Peers:    b.Peers,
		Exported: b.asking.exported,
		Address:  b.Address,
		Of:       func(name string) recipe.Values { return b.Values[name] },
	}
	if task.Name == b.Deploys { // what that needs has releases of its own
		in.Release = b.Release
	}
	if b.looked != nil {
		return in.Noted(b.looked(task.Name))
	}
	return in
}

// Recipe returns the recipe for a platform: those of all tasks, joined and validated. None
// knows the way to the host: what is written there would change with it.
func (b Blueprint) Recipe(platform recipe.Platform) (recipe.Recipe, error) {
	built, err := b.build(platform)
	if err != nil {
		return recipe.Recipe{}, err
	}
	return built.Recipe, nil
}

// built is a host's recipe, and what comes of it. It never changes: hosts that are alike share it.
type built struct {
	recipe.Recipe
	probes []recipe.Probe
	wanted func() *engine.Wanted
	wants  func() []memory.Wants // what each task wants to be remembered
}

// build builds what the host should be.
func (b Blueprint) build(platform recipe.Platform) (*built, error) {
	what := "recipe"
	if b.Upgrade {
		what = "upgraded recipe"
	}
	b.Address = ""
	return b.once(what, b.Tasks, platform, func(b Blueprint) (*built, error) { return b.buildAnew(platform) })
}

func (b Blueprint) buildAnew(platform recipe.Platform) (*built, error) {
	parts, err := b.recipes(platform)
	if err != nil {
		return nil, err
	}
	joined, err := recipe.Join(parts...)
	if err != nil {
		return nil, err
	}
	if err := joined.Validate(); err != nil {
		return nil, err
	}
	if b.Upgrade {
		joined = resource.Upgraded(joined)
	}
	tasks := b.Tasks
	return &built{
		joined, joined.Probes(),
		sync.OnceValue(func() *engine.Wanted { return engine.Want(joined) }),
		sync.OnceValue(func() []memory.Wants { return wantsOf(tasks, parts) }),
	}, nil
}

// check builds the checks, and makes nothing of them: any address will do.
func (b Blueprint) check(platform recipe.Platform) error {
	b.Address = "192.0.2.1"
	_, err := b.once("checks", slices.Concat(b.Tasks, b.Remaining), platform, func(b Blueprint) (*built, error) {
		_, err := b.Checks(platform)
		return new(built), err
	})
	return err
}

// recipes are those of all tasks, each by itself.
func (b Blueprint) recipes(platform recipe.Platform) ([]recipe.Recipe, error) {
	b.Address = ""
	var recipes []recipe.Recipe
	for _, task := range b.Tasks {
		built, err := task.Build(b.input(task, platform))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", task.Name, err)
		}
		built.Label(task.Name)
		recipes = append(recipes, built)
	}
	return recipes, nil
}

// Probes returns the questions for every platform that the tasks support, so that one
// round trip is enough though the platform is among the answers. As it builds every
// recipe and every check, what fails on any release fails here, before the first connection;
// but what fails for something that was made up is built again when the host has been asked,
// and what only that asks is asked in a second round trip.
func (b Blueprint) Probes() ([]recipe.Probe, error) {
	ready := b.prepare(nil, nil, nil)
	return ready.probes, ready.failed
}

// prepare is Probes, and also returns what cannot be built before the host is asked. A host that was
// asked before is taken to be as it was then: what cannot be built so is made up as for any other.
func (b Blueprint) prepare(last *Known, exporters *exporters, alike *alike) prepared {
	releases := b.Release != nil
	if releases {
		// No artifact is built before its architecture is known.
		b.Release = &recipe.Release{
			Version:  b.Release.Version,
			Present:  b.Release.Present,
			Artifact: b.Release.Artifact,
		}
		if b.Release.Artifact != nil {
			b.Release.Artifact = func(string) (recipe.Artifact, error) { return recipe.Artifact{}, nil }
		}
	}
	if last != nil {
		if ready, good := b.prepareLast(*last, exporters, alike); good {
			if releases {
				ready.asking.guessed = nil // it has no artifact
			}
			return ready
		}
	}
	ready := prepared{asking: &asking{exporters: exporters, alike: alike}}
	b.guess, b.asking = true, ready.asking
	var guesses []*built
	for _, platform := range recipe.Platforms() {
		built, err := b.build(platform)
		if err == nil {
			err = b.check(platform)
		}
		if err != nil {
			err = recipe.Within(fmt.Sprintf("on Debian %d, %s", platform.Release, platform.Arch), err)
		}
		if recipe.Guessed(err) {
			ready.unknown = err
			continue
		}
		if err != nil {
			return prepared{failed: err}
		}
		guesses = append(guesses, built)
	}
	ready.probes = alike.merged(guesses, ready.asking.missing())
	return ready
}

// prepareLast builds for what the host has said last, and for nothing else.
func (b Blueprint) prepareLast(last Known, exporters *exporters, alike *alike) (prepared, bool) {
	b.guess, b.asking = true, &asking{last: last, exporters: exporters, alike: alike}
	made, err := b.build(last.Platform)
	if err != nil {
		return prepared{}, false
	}
	if b.check(last.Platform) != nil {
		return prepared{}, false
	}
	b.asking.guessed = made
	probes := made.probes
	if missing := b.asking.missing(); len(missing) > 0 {
		probes = recipe.Merge(slices.Concat(probes, missing))
	}
	return prepared{probes: probes, asking: b.asking}, true
}

// Checks returns the checks that prove the tasks, on a platform.
func (b Blueprint) Checks(platform recipe.Platform) ([]recipe.Check, error) {
	var checks []recipe.Check
	for _, task := range slices.Concat(b.Tasks, b.Remaining) {
		if task.Verify == nil {
			continue
		}
		its, err := task.Verify(b.input(task, platform))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", task.Name, err)
		}
		checks = append(checks, its...)
	}
	return checks, nil
}

// After returns what the tasks tell a person at the end.
func (b Blueprint) After(platform recipe.Platform) []string {
	var lines []string
	for _, task := range b.Tasks {
		if task.After != nil {
			lines = append(lines, task.After(b.input(task, platform))...)
		}
	}
	return lines
}

// Secrets returns the values that must never be printed.
func (b Blueprint) Secrets() []string {
	var secrets []string
	all := slices.Collect(maps.Values(b.Values))
	for _, drain := range b.Drains { // of tasks that may be none of the run's
		all = append(all, drain.Out.Action.Values, drain.In.Action.Values)
	}
	for _, values := range all {
		for _, value := range values {
			if secret, ok := value.(recipe.Secret); ok && !secret.Empty() {
				secrets = append(secrets, secret.Reveal())
			}
		}
	}
	return secrets
}

// names returns the tasks' names, in order.
func (b Blueprint) names() []string {
	return namesOf(slices.Concat(b.Tasks, b.Removes))
}

func namesOf(tasks []recipe.Task) []string {
	names := make([]string, len(tasks))
	for i, task := range tasks {
		names[i] = task.Name
	}
	return names
}
