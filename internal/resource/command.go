package resource

import (
	"fmt"
	"strings"
	"time"

	"provision/internal/recipe"
)

// Command is a script that is run when its guard says so. The guard is a question like
// any other: a read-only script whose exit status 0 means that nothing is to be done. It
// has to be as true after a day as after the run, for it is what a second run goes by.
type Command struct {
	Name    string       // what it does, in a few words: "migrate the database"
	Unless  string       // the guard
	Reads   []recipe.Key // what the guard's answer depends on: after a change of that it is asked again
	Script  string       // run as root
	Input   recipe.Secret
	Timeout time.Duration
	Changes []recipe.Key // what else it may change of what recipes ask about
}

// ID implements recipe.Resource.
func (c Command) ID() string { return "command:" + c.Name }

// Acts implements recipe.Acting.
func (c Command) Acts() bool { return true }

// Probes implements recipe.Resource.
func (c Command) Probes() []recipe.Probe {
	return []recipe.Probe{{Key: recipe.CommandKey(c.Name), Script: c.Unless, Reads: c.Reads}}
}

// MayChange implements recipe.Changer.
func (c Command) MayChange() []recipe.Key { return c.Changes }

// Validate refuses what cannot be meant.
func (c Command) Validate() error {
	if c.Name == "" || strings.ContainsAny(c.Name, "\n\x00") || c.Unless == "" || c.Script == "" {
		return fmt.Errorf("command %q: wants a name, a guard and a script", c.Name)
	}
	return nil
}

// Diff implements recipe.Resource.
func (c Command) Diff(facts recipe.Facts) (recipe.Change, error) {
	if facts.Command(c.Name).Exit == 0 {
		return recipe.Change{}, nil
	}
	outcome := []recipe.Effect{recipe.Known(recipe.CommandKey(c.Name), recipe.Command{})}
	for _, key := range c.Changes {
		outcome = append(outcome, recipe.ChangedBy(c.Name, key)...)
	}
	return recipe.Change{
		Kind: recipe.Act, Summary: "run",
		Steps: []recipe.Step{recipe.Exec{Name: c.Name, Script: c.Script, Input: c.Input, Timeout: c.Timeout, Outcome: outcome}},
	}, nil
}
