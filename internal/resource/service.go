package resource

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"provision/internal/recipe"
)

// Service is a systemd unit that starts at boot and runs. It takes in the changes that
// notify it at its place in the recipe: after its configuration, and when several tasks
// share it, after that of all of them and before what uses it in any.
type Service struct {
	Unit    string
	Check   string   // its validator, run as root before every start, restart and reload
	Trees   []string // directories that hold its configuration, all of it: Check is tried on a copy of them before a change goes live
	Listens []string // where it must listen once it has settled, and no other may: "127.0.0.1:2003", ":80", "/run/x.sock"
	Dry     bool     // Check changes nothing, but in Trees and Scratch: a plan tries the new configuration too
	Scratch []string // directories that Check writes to, as its logs'
	Mend    string   // what may help where Check refuses the new configuration, for people
	Follows string   // a unit that may still listen there, which an earlier change of the recipe has listen elsewhere
	Instead string   // how it is made to listen elsewhere, for who finds that another does: "-e graphite.port=8080"
	Ready   string   // a question to it once it has settled, in sh, run as root: it has to succeed
	Needs   string   // a path without which it cannot run: until that is there, it is left alone
	Oneshot bool     // it runs to its end
	Guarded bool     // its change may cut the connection: the host undoes it unless a new connection confirms it
	Absent  bool     // stopped and disabled
	Boots   bool     // with Absent: not disabled
}

// ID implements recipe.Resource.
func (s Service) ID() string { return "service:" + s.Unit }

// Acts implements recipe.Acting.
func (s Service) Acts() bool { return true }

// Rehearsal implements recipe.Rehearsed.
func (s Service) Rehearsal() recipe.Rehearse {
	return recipe.Rehearse{Unit: s.Unit, Trees: s.Trees, Check: s.Check, Dry: s.Dry, Scratch: s.Scratch, Mend: s.Mend}
}

// Guards implements recipe.Guarded. What is taken away cuts nothing.
func (s Service) Guards() string {
	if s.Guarded && !s.Absent {
		return s.Unit
	}
	return ""
}

// Probes implements recipe.Resource.
func (s Service) Probes() []recipe.Probe {
	probes := []recipe.Probe{{Key: recipe.UnitKey(s.Unit)}, {Key: recipe.PendingKey(s.Unit)}}
	if s.Needs != "" {
		probes = append(probes, recipe.Probe{Key: recipe.PathKey(s.Needs)})
	}
	for _, e := range recipe.Endpoints(s.Listens) {
		probes = append(probes, recipe.Probe{Key: recipe.ListenerKey(e.Port), Unit: s.Unit})
	}
	return probes
}

// Merge implements recipe.Merged: each task names where its part of the service listens.
func (s Service) Merge(other recipe.Resource) (recipe.Resource, bool) {
	o, ok := other.(Service)
	if !ok {
		return nil, false
	}
	both := s
	both.Listens = union(s.Listens, o.Listens)
	both.Instead = either(s.Instead, o.Instead)
	both.Mend = either(s.Mend, o.Mend)
	o.Listens, o.Instead, o.Mend = s.Listens, s.Instead, s.Mend
	return both, reflect.DeepEqual(s, o)
}

// either joins what two tasks advise.
func either(a, b string) string {
	if a == "" || b == "" || a == b {
		return cmp.Or(a, b)
	}
	return a + "; or " + b
}

// Validate refuses what cannot be meant.
func (s Service) Validate() error {
	for _, tree := range s.Trees {
		if err := checkPath("tree", tree); err != nil {
			return err
		}
	}
	if s.Needs != "" {
		if err := checkPath("needs", s.Needs); err != nil {
			return err
		}
	}
	for _, text := range s.Listens {
		if _, err := recipe.ParseEndpoint(text); err != nil && !strings.HasPrefix(text, "/") {
			return fmt.Errorf("service %s: listens at %w, or a path", s.Unit, err)
		}
	}
	if s.Absent && (s.Check != "" || len(s.Listens) > 0) {
		return fmt.Errorf("service %s: absent, yet with a check or a listener", s.Unit)
	}
	return checkName("unit", s.Unit, unitName)
}

// Diff implements recipe.Resource.
func (s Service) Diff(facts recipe.Facts) (recipe.Change, error) {
	found, pending := facts.Unit(s.Unit), facts.Pending(s.Unit)
	if found.Load == "masked" && !s.Absent {
		return recipe.Change{}, fmt.Errorf("%s: is masked: systemctl unmask %s", s.Unit, s.Unit)
	}
	if s.Absent {
		return s.stop(found, pending), nil
	}
	if s.Needs != "" && facts.Path(s.Needs).Type == recipe.PathAbsent {
		return recipe.Change{}, nil
	}
	change := recipe.Change{}
	if !startsAtBoot(found.State) {
		change.Kind = recipe.Update
		change.Deltas = append(change.Deltas, recipe.Delta{Name: "at boot", Before: orNone(found.State), After: "enabled"})
		step := s.control(recipe.VerbEnable, found)
		change.Steps = append(change.Steps, step)
		found = step.Effects()[0].Fact.Value.(recipe.Unit)
	}
	switch {
	case pending.Action != "" && s.Oneshot:
		change.Kind, change.Summary = recipe.Act, "run: to take in what changed"
		change.Steps = append(change.Steps, s.control(recipe.VerbRestart, found))
	case found.Active == "activating" && pending.Action != "" && !s.Oneshot:
		// What it starts with may be what it had before; a start would only wait for that.
		change.Kind, change.Summary = recipe.Act, "restart: it starts, with what it had before"
		change.Steps = append(change.Steps, s.control(recipe.VerbRestart, found))
	case !found.Running() && !s.Oneshot:
		change.Kind = recipe.Update
		change.Deltas = append(change.Deltas, recipe.Delta{Name: "state", Before: orNone(found.Active), After: "running"})
		change.Steps = append(change.Steps, s.control(recipe.VerbStart, found))
	case pending.Action == recipe.Reload && !found.NeedReload:
		change.Kind, change.Summary = recipe.Act, "reload: its configuration changed"
		change.Steps = append(change.Steps, s.control(recipe.VerbReload, found))
	case pending.Action != "":
		change.Kind, change.Summary = recipe.Act, "restart: to take in what changed" // its configuration, or by an upgrade its program
		change.Steps = append(change.Steps, s.control(recipe.VerbRestart, found))
	}
	if last := len(change.Steps) - 1; last >= 0 && change.Steps[last].(recipe.ControlUnit).Watched {
		change.Steps = append(change.Steps, recipe.Watch{Unit: s.Unit})
	}
	if pending.Action != "" {
		if change.Empty() {
			change.Kind, change.Summary = recipe.Act, "take in the change"
		}
		change.Steps = append(change.Steps, recipe.Clear{Unit: s.Unit})
	}
	if s.Guarded && !change.Empty() {
		change.Summary = strings.TrimPrefix(change.Summary+"; undone unless a new connection can be made", "; ")
	}
	return change, nil
}

// startsAtBoot reports whether systemctl enable has nothing to do for a unit: it is enabled, or
// there is nothing in its file to enable it by (systemctl(1), is-enabled). A template's instances
// and a unit's aliases are enabled by names of their own.
func startsAtBoot(state string) bool {
	switch state {
	case "enabled", "static", "generated", "indirect", "alias", "transient":
		return true
	}
	return false
}

func (s Service) control(verb recipe.Verb, found recipe.Unit) recipe.ControlUnit {
	step := recipe.ControlUnit{Unit: s.Unit, Verb: verb, Found: found, Oneshot: s.Oneshot}
	if verb != recipe.VerbEnable && verb != recipe.VerbDisable && verb != recipe.VerbStop {
		step.Check, step.Listens, step.Ready = s.Check, s.Listens, s.Ready
		step.Guarded = s.Guarded
		// A timer or a socket is what it is at once; what may cut the connection has settled before
		// that is asked.
		step.Watched = strings.HasSuffix(s.Unit, ".service") && !s.Oneshot && !s.Guarded
	}
	return step
}

func (s Service) stop(found recipe.Unit, pending recipe.Pending) recipe.Change {
	change := recipe.Change{}
	if found.Running() || found.Active == "activating" {
		change.Deltas = append(change.Deltas, recipe.Delta{Name: "state", Before: found.Active, After: "stopped"})
		step := s.control(recipe.VerbStop, found)
		change.Steps = append(change.Steps, step)
		found = step.Effects()[0].Fact.Value.(recipe.Unit)
	}
	if strings.HasPrefix(found.State, "enabled") && !s.Boots {
		change.Deltas = append(change.Deltas, recipe.Delta{Name: "at boot", Before: found.State, After: "disabled"})
		change.Steps = append(change.Steps, s.control(recipe.VerbDisable, found))
	}
	if pending.Action != "" {
		change.Steps = append(change.Steps, recipe.Clear{Unit: s.Unit})
	}
	if len(change.Steps) > 0 {
		change.Kind, change.Summary = recipe.Delete, "no longer wanted"
	}
	return change
}

func orNone(state string) string {
	if state == "" {
		return "none"
	}
	return state
}

// Trace implements recipe.Remembered.
func (s Service) Trace() recipe.Trace {
	return recipe.Trace{
		Kind: "service", Name: s.Unit, Gone: s.Absent,
		Listens: slices.Clone(s.Listens), Check: s.Check, Trees: slices.Clone(s.Trees), Dry: s.Dry, Scratch: slices.Clone(s.Scratch), Guarded: s.Guarded, Oneshot: s.Oneshot,
	}
}

// Stood implements recipe.Remembered.
func (s Service) Stood(facts recipe.Facts) recipe.Before {
	unit := facts.Unit(s.Unit)
	if unit.Load == "" || unit.Load == "not-found" {
		return recipe.Before{Nothing: true}
	}
	return recipe.Before{Unit: &unit}
}

// leave implements leaver: the unit becomes what it was. It is stopped when it did not run before any
// task wanted it, as one that came with a task. What ran goes on, and takes in that its files go.
func (Service) leave(t recipe.Trace, l Leaving) (recipe.Resource, string) {
	stopped, standing := Service{Unit: t.Name, Absent: true}, Stands(t)
	switch before := t.Before; {
	case t.Gone:
		return nil, ""
	case before == nil && !l.takesUnit(t.Name):
		return standing, l.unknown(t)
	case before == nil || before.Unit == nil:
		return stopped, ""
	case !before.Unit.Running() && before.Unit.Active != "activating":
		stopped.Boots = startsAtBoot(before.Unit.State)
		return stopped, ""
	default:
		standing.Disable = !startsAtBoot(before.Unit.State)
		return standing, ""
	}
}

// unitDirectories are those in which a task may put a unit (systemd.unit(5)).
var unitDirectories = []string{"/etc/systemd/system/", "/usr/local/lib/systemd/system/", "/usr/lib/systemd/system/", "/lib/systemd/system/"}

// takesUnit reports whether the file of a unit goes.
func (l Leaving) takesUnit(unit string) bool {
	return slices.ContainsFunc(l.Traces, func(t recipe.Trace) bool {
		return t.Kind == "file" && !t.Gone && t.Before != nil && t.Before.Nothing &&
			slices.ContainsFunc(unitDirectories, func(d string) bool { return t.Name == d+unit })
	})
}

// Standing is a service that no task wants any more, and that stood before any did, or that another
// task wants: it takes in that files of its configuration go, where it runs.
type Standing struct {
	Service
	Disable bool // it started at boot for a task alone
}

// Stands is a service that goes on though what leaves was of its configuration.
func Stands(t recipe.Trace) Standing {
	return Standing{Service: Service{Unit: t.Name, Check: t.Check, Trees: t.Trees, Dry: t.Dry, Scratch: t.Scratch, Guarded: t.Guarded, Oneshot: t.Oneshot}}
}

// Validate implements recipe.Validator.
func (s Standing) Validate() error { return s.Service.Validate() }

// Merge implements recipe.Merged: there are no two of one.
func (s Standing) Merge(recipe.Resource) (recipe.Resource, bool) { return nil, false }

// Diff implements recipe.Resource.
func (s Standing) Diff(facts recipe.Facts) (recipe.Change, error) {
	found, pending := facts.Unit(s.Unit), facts.Pending(s.Unit)
	change := recipe.Change{}
	if s.Disable && strings.HasPrefix(found.State, "enabled") {
		change.Kind = recipe.Update
		change.Deltas = []recipe.Delta{{Name: "at boot", Before: found.State, After: "disabled"}}
		step := s.control(recipe.VerbDisable, found)
		change.Steps = append(change.Steps, step)
		found = step.Effects()[0].Fact.Value.(recipe.Unit)
	}
	if pending.Action == "" {
		return change, nil
	}
	if change.Empty() {
		change.Kind = recipe.Act
	}
	change.Summary = "take in the change"
	if found.Running() {
		verb := recipe.VerbRestart
		if pending.Action == recipe.Reload && !found.NeedReload {
			verb = recipe.VerbReload
		}
		control := s.control(verb, found)
		change.Summary = string(verb) + ": to take in what changed"
		change.Steps = append(change.Steps, control)
		if control.Watched {
			change.Steps = append(change.Steps, recipe.Watch{Unit: s.Unit})
		}
	}
	change.Steps = append(change.Steps, recipe.Clear{Unit: s.Unit})
	return change, nil
}
