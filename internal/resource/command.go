package resource

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"provision/internal/recipe"
)

// Command is a script that is run when its guard says so. The guard is a question like
// any other: a read-only script whose exit status 0 means that nothing is to be done. It
// has to be as true after a day as after the run, for it is what a second run goes by. It
// runs also when something notifies it, and without a guard only then.
type Command struct {
	Name    string       // what it does, in a few words: "migrate the database"
	Unless  string       // the guard; "" is that it runs when it is notified, and only then
	Reads   []recipe.Key // what the guard's answer depends on besides: after a change of that it is asked again
	Script  string       // run as root
	Input   recipe.Secret
	Timeout time.Duration
	Changes []recipe.Key // what else it may change of what recipes ask about; where that, Makes and Secrets are nil nobody has said: any path, unit or account
	Makes   []string     // files that it makes: they go with it where nothing stood there before
	Secrets []string     // those of them that only a purge takes, and of which no copy is ever kept
}

// ID implements recipe.Resource.
func (c Command) ID() string { return "command:" + c.Name }

// Acts implements recipe.Acting.
func (c Command) Acts() bool { return true }

// Probes implements recipe.Resource.
func (c Command) Probes() []recipe.Probe {
	probes := []recipe.Probe{{Key: recipe.PendingKey(recipe.Handler(c.Name))}}
	if c.Unless != "" {
		probes = append(probes, recipe.Probe{Key: recipe.CommandKey(c.Name), Script: c.Unless, Reads: slices.Concat(c.Reads, c.makes())})
	}
	for _, file := range c.Besides() {
		probes = append(probes, file.Probes()...)
	}
	return probes
}

func (c Command) makes() []recipe.Key {
	var keys []recipe.Key
	for _, file := range c.Besides() {
		keys = append(keys, file.Probes()[0].Key)
	}
	return keys
}

// MayChange implements recipe.Changer: what reads that a command without a guard has run, too.
func (c Command) MayChange() []recipe.Key {
	keys := slices.Concat(c.Changes, c.makes())
	if c.Unless == "" {
		keys = append(keys, recipe.CommandKey(c.Name))
	}
	return keys
}

// Besides are the files that it makes: each leaves by itself.
func (c Command) Besides() []recipe.Resource {
	var files []recipe.Resource
	for _, path := range c.Makes {
		files = append(files, Made{Path: path, By: c.Name})
	}
	for _, path := range c.Secrets {
		files = append(files, Made{Path: path, By: c.Name, Secret: true})
	}
	return files
}

// Made is a file that a Command makes: it is for that to say whether it is as it should be.
type Made struct {
	Path   string
	By     string // the command's name
	Secret bool
}

// Place implements recipe.Placed.
func (m Made) Place() string { return m.Path }

// Comes reports whether the command is about to make it: what is there, or comes, without that is
// somebody else's.
func (m Made) Comes(facts recipe.Facts) bool { return facts.Command(m.By).Exit != 0 }

// ID implements recipe.Resource.
func (m Made) ID() string { return "made:" + m.Path }

// Probes implements recipe.Resource.
func (m Made) Probes() []recipe.Probe { return []recipe.Probe{{Key: recipe.PathKey(m.Path)}} }

// Diff implements recipe.Resource.
func (m Made) Diff(recipe.Facts) (recipe.Change, error) { return recipe.Change{}, nil }

// Unconfined implements recipe.Unconfined.
func (c Command) Unconfined() string {
	if c.Changes != nil || c.Makes != nil || c.Secrets != nil {
		return ""
	}
	return c.Name
}

// WaitsAs implements recipe.Waiting.
func (c Command) WaitsAs() string {
	if c.Unless != "" {
		return ""
	}
	return recipe.Handler(c.Name)
}

// Validate refuses what cannot be meant.
func (c Command) Validate() error {
	if c.Name == "" || strings.ContainsAny(c.Name, "\n\x00") || c.Script == "" {
		return fmt.Errorf("command %q: wants a name and a script", c.Name)
	}
	if c.Unless == "" && len(c.Reads) > 0 {
		return fmt.Errorf("command %q: says what its guard reads, and has none", c.Name)
	}
	for _, path := range slices.Concat(c.Makes, c.Secrets) {
		if err := checkPath("command "+c.Name+": makes", path); err != nil {
			return err
		}
	}
	return nil
}

// Diff implements recipe.Resource.
func (c Command) Diff(facts recipe.Facts) (recipe.Change, error) {
	handler := recipe.Handler(c.Name)
	notified := facts.Pending(handler).Action != ""
	if !notified && (c.Unless == "" || facts.Command(c.Name).Exit == 0) {
		return recipe.Change{}, nil
	}
	var outcome []recipe.Effect
	if c.Unless != "" {
		outcome = append(outcome, recipe.Known(recipe.CommandKey(c.Name), recipe.Command{}))
	}
	for _, key := range c.MayChange() {
		outcome = append(outcome, recipe.ChangedBy(c.Name, key)...)
	}
	change := recipe.Change{
		Kind: recipe.Act, Summary: "run",
		Steps: []recipe.Step{recipe.Exec{Name: c.Name, Script: c.Script, Input: c.Input, Timeout: c.Timeout, Outcome: outcome}},
	}
	if notified {
		change.Summary = "run: to take in what changed"
		change.Steps = append(change.Steps, recipe.Clear{Unit: handler})
	}
	return change, nil
}

// Trace implements recipe.Remembered.
func (c Command) Trace() recipe.Trace {
	return recipe.Trace{Kind: "command", Name: c.Name, Made: len(c.Besides()) > 0}
}

// Stood implements recipe.Remembered: what it did is not known.
func (c Command) Stood(recipe.Facts) recipe.Before { return recipe.Before{} }

// leave implements leaver: what it did is not known, but where all of that is in files.
func (Command) leave(t recipe.Trace, _ Leaving) (recipe.Resource, string) {
	if t.Made {
		return FormerCommand{t.Name}, ""
	}
	return FormerCommand{t.Name}, `what the command "` + t.Name + `" did`
}

// Trace implements recipe.Remembered.
func (m Made) Trace() recipe.Trace {
	if m.Secret {
		return Secret{Path: m.Path}.Trace()
	}
	return recipe.Trace{Kind: "file", Name: m.Path}
}

// Stood implements recipe.Remembered.
func (m Made) Stood(facts recipe.Facts) recipe.Before {
	before := stoodAt(m.Path, facts)
	before.Nothing = before.Nothing && m.Comes(facts)
	return before
}

// FormerCommand is a command that no task wants any more: what a run that died has left it to take in,
// it need not.
type FormerCommand struct{ Name string }

// ID implements recipe.Resource.
func (c FormerCommand) ID() string { return "command:" + c.Name }

// Probes implements recipe.Resource.
func (c FormerCommand) Probes() []recipe.Probe {
	return []recipe.Probe{{Key: recipe.PendingKey(recipe.Handler(c.Name))}}
}

// Diff implements recipe.Resource.
func (c FormerCommand) Diff(facts recipe.Facts) (recipe.Change, error) {
	handler := recipe.Handler(c.Name)
	if facts.Pending(handler).Action == "" {
		return recipe.Change{}, nil
	}
	return recipe.Change{Kind: recipe.Delete, Summary: "no longer wanted", Steps: []recipe.Step{recipe.Clear{Unit: handler}}}, nil
}
