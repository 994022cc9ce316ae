package run

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"provision/internal/engine"
	"provision/internal/recipe"
	"provision/internal/resource"
	"provision/internal/script"
)

// ErrNothingToRollBack says that a host remembers no changing run of the task that was not
// taken back already.
var ErrNothingToRollBack = errors.New("nothing to roll back")

// Rollback returns the work of taking back the last changing run of a task on every host: its files,
// services and releases. Packages and what commands did stay. Behind its name are those that it had.
func Rollback(task string, formerly ...string) Verb {
	return func(ctx context.Context, work []Work, settings Settings) ([]Result, error) {
		settings.Unasked = false // made anew, a plan might take another run back
		return installBy(ctx, work, settings, func(ctx context.Context, j *job) {
			j.planBy(ctx, func() error { return j.planRollback(ctx, task, formerly) })
		})
	}
}

// planRollback makes the plan of a host as it was before the run that is taken back, which its journal tells.
func (j *job) planRollback(ctx context.Context, task string, formerly []string) error {
	now, err := j.host.Probe(ctx, []recipe.Probe{unsettledChanges(), serving()})
	if err != nil {
		return err
	}
	if err := j.host.unsettled(now.Facts); err != nil {
		return err
	}
	runs, err := j.host.history(ctx)
	if err != nil {
		return err
	}
	past, err := lastChanging(runs, task, formerly...)
	if err != nil {
		return err
	}
	if past.Head.GoesOn != "" {
		j.observe(engine.Note{Text: "run " + past.Run + " went on with run " + past.Head.GoesOn + ", whose connection was cut: another rollback takes that back"})
	}
	j.settings.Header.Tasks, j.settings.Header.Of = past.Head.Tasks, past.Run
	wanted := asBefore(past, runs)
	wanted.Label(task)
	answer, err := j.host.Probe(ctx, wanted.Probes())
	if err != nil {
		return err
	}
	var forgotten []string
	j.wanted, forgotten = whatIsKept(wanted, answer.Facts)
	for _, path := range forgotten {
		j.observe(engine.Note{Text: path + ": is a secret, of which the host keeps no copy: it stays as it is"})
	}
	if done := staysDone(past); len(done) > 0 {
		j.observe(engine.Note{Text: "stays done: " + strings.Join(done, ", ")})
	}
	if j.made, err = engine.NewPlan(j.wanted, answer.Facts); err != nil {
		return err
	}
	if !slices.ContainsFunc(j.made.Changes(), func(p engine.Planned) bool { return !isMemory(p.Item.Resource) }) {
		j.observe(engine.Note{Text: "of run " + past.Run + " there is nothing to take back: another rollback takes back the run before"})
	}
	j.made.Platform, j.noted = answer.Platform, true
	j.Blueprint.serves(&j.made, now.Facts)
	j.tellDrains()
	return j.host.look(ctx, &j.made, nil, nil)
}

// staysDone is what a run did that leaves no copy of what was before: its commands, packages and accounts.
func staysDone(past script.Past) []string {
	var titles []string
	for _, step := range past.Begun() {
		if step.ForGood() && !slices.Contains(titles, step.Title) {
			titles = append(titles, step.Title)
		}
	}
	return titles
}

// whatIsKept is a recipe without the secrets that the host has forgotten, and their paths: once
// a run has converged, no copy is left of what it replaced of them.
func whatIsKept(wanted recipe.Recipe, facts recipe.Facts) (kept recipe.Recipe, forgotten []string) {
	for _, item := range wanted.Items {
		back, ok := item.Resource.(resource.Kept)
		if ok && back.Secret && back.Copy != "" && facts.Path(back.Copy).Type == recipe.PathAbsent {
			forgotten = append(forgotten, back.Path)
			continue
		}
		kept.Items = append(kept.Items, item)
	}
	return kept, forgotten
}

// lastChanging finds the run to take back: the newest of the task that changed something
// and was not taken back. A later run of another task that changed the same files stands
// in the way.
func lastChanging(runs []script.Past, task string, formerly ...string) (script.Past, error) {
	of := func(past script.Past) bool {
		return slices.ContainsFunc(past.Head.Tasks, func(name string) bool { return name == task || slices.Contains(formerly, name) })
	}
	undone := map[string]bool{}
	for _, past := range runs {
		if past.Head.Does == "rollback" && past.Outcome == converged {
			undone[past.Head.Of] = true
		}
	}
	for _, past := range runs { // also a rollback that was cut off, or failed, before one that went on with it
		if past.Head.Does == "rollback" && undone[past.Head.Of] {
			undone[past.Run] = true
		}
	}
	later := map[string]script.Past{}
	for _, past := range slices.Backward(runs) {
		if undone[past.Run] || !past.Changing() {
			continue
		}
		if !of(past) {
			for _, step := range past.Begun() {
				if step.Path != "" {
					later[step.Path] = past
				}
			}
			continue
		}
		for _, step := range past.Begun() {
			if other, there := later[step.Path]; there {
				return past, fmt.Errorf("run %s of %v has changed %s since: roll that back first", other.Run, other.Head.Tasks, step.Path)
			}
		}
		return past, nil
	}
	return script.Past{}, fmt.Errorf("%s: %w: the host remembers no run that changed it", task, ErrNothingToRollBack)
}

// listened returns where a unit listened before a run: where the last run before it that came
// to a good end has seen it listen. It is none when no such run is remembered, and nothing is
// known then; what the run itself made it listen on is what is taken back.
func listened(unit string, before script.Past, runs []script.Past) []string {
	for _, past := range slices.Backward(runs) {
		if past.Run >= before.Run || past.Outcome != converged && past.Outcome != script.CutOff {
			continue
		}
		for _, step := range slices.Backward(past.Steps) {
			if step.Unit == unit && len(step.Listens) > 0 {
				return step.Listens
			}
		}
	}
	return nil
}

// asBefore is the recipe of a host as it was before a run: units that the run brought up
// go down, then its files come back, newest first, then units that ran before take them in.
// What a step that failed may have done, or one that the run died in, comes back too.
func asBefore(past script.Past, runs []script.Past) recipe.Recipe {
	var wanted recipe.Recipe
	begun, secrets := past.Begun(), secretPaths(runs)
	units, before := unitsOf(begun)
	var notified []recipe.Notification
	for _, unit := range slices.Backward(units) {
		if before[unit].Found.Running() {
			action := recipe.Restart
			if before[unit].Verb == recipe.VerbReload {
				action = recipe.Reload // what took the change in takes it back
			}
			notified = append(notified, recipe.Notification{Unit: unit, Action: action})
		} else {
			wanted.Add(resource.Service{Unit: unit, Absent: true})
		}
	}
	first := map[string]int{} // by path, the first step on it: what it was before the run
	for _, step := range begun {
		if _, seen := first[step.Path]; step.Path != "" && !seen {
			first[step.Path] = step.Step
		}
	}
	for _, step := range slices.Backward(begun) {
		kept := past.Kept[step.Step]
		if step.Path == "" || step.Kind == script.KindUpload || first[step.Path] != step.Step || kept.Kind == "other" {
			continue
		}
		if kept.Kind == "absent" && step.Kind == script.KindDirectory {
			continue // what others have put into it stays
		}
		if recipe.IsMemory(step.Path) {
			continue
		}
		back := resource.Kept{Path: step.Path, Run: past.Run, Step: step.Step, Secret: secrets[step.Path]}
		if kept.Kind != "absent" && kept.Kind != "planted" {
			back.Copy = past.Copy(step.Step)
			back.Tree = kept.Kind == "tree"
		}
		wanted.Add(back, notified...)
	}
	for _, unit := range units {
		if step := before[unit]; step.Found.Running() {
			wanted.Add(resource.Service{Unit: unit, Check: step.Check, Listens: listened(unit, past, runs), Guarded: step.Guarded})
		}
	}
	for _, back := range memoriesBefore(past) {
		wanted.Add(back)
	}
	return wanted
}

// unitsOf are the units that steps were on, and of each the first such step, with how it was started in the end.
func unitsOf(begun []script.Record) (units []string, first map[string]script.Record) {
	first = map[string]script.Record{}
	for _, step := range begun {
		if _, seen := first[step.Unit]; step.Unit != "" && step.Found != nil && !seen {
			first[step.Unit] = step
			units = append(units, step.Unit)
		} else if step.Check != "" || len(step.Listens) > 0 {
			before := first[step.Unit]
			before.Check, before.Listens, before.Guarded = step.Check, step.Listens, step.Guarded
			first[step.Unit] = before
		}
	}
	return units, first
}

// memoriesBefore are what the host remembered before a run of each task that it noted something of.
func memoriesBefore(past script.Past) []resource.KeptMemory {
	var all []resource.KeptMemory
	for _, step := range past.Begun() {
		kept, there := past.Kept[step.Step]
		if !recipe.IsMemory(step.Path) || !there {
			continue
		}
		at := slices.IndexFunc(all, func(k resource.KeptMemory) bool { return k.Path == step.Path })
		switch {
		case at < 0:
			back := resource.KeptMemory{Kept: resource.Kept{Path: step.Path, Run: past.Run, Step: step.Step}}
			if kept.Kind != "absent" {
				back.Copy = past.Copy(step.Step)
			}
			all = append(all, back)
		case kept.Kind == "file":
			all[at].Meanwhile, all[at].Until = past.Copy(step.Step), step.Step
		}
	}
	return all
}

// secretPaths are the paths that any run has taken for a secret: what was one then may be what
// another run has kept.
func secretPaths(runs []script.Past) map[string]bool {
	secrets := map[string]bool{}
	for _, past := range runs {
		for _, step := range past.Begun() {
			secrets[step.Path] = secrets[step.Path] || step.Secret
		}
	}
	return secrets
}
