package resource

import (
	"fmt"

	"provision/internal/recipe"
)

// Kept is a path as it was before a step of an earlier run, from the copy that the host
// kept: what a rollback wants.
type Kept struct {
	Path   string
	Run    string // the run's name in the host's journal
	Step   int    // the step's number in that run
	Copy   string // where the copy is; "" when there was nothing at the path
	Secret bool   // neither side is shown
}

// ID implements recipe.Resource.
func (k Kept) ID() string { return "file:" + k.Path }

// Probes implements recipe.Resource.
func (k Kept) Probes() []recipe.Probe {
	probes := []recipe.Probe{{Key: recipe.PathKey(k.Path), Digest: true}}
	if k.Copy != "" {
		probes = append(probes, recipe.Probe{Key: recipe.PathKey(k.Copy), Digest: true})
		if !k.Secret {
			probes = append(probes, recipe.Probe{Key: recipe.ContentKey(k.Copy)})
		}
	}
	return probes
}

// Diff implements recipe.Resource.
func (k Kept) Diff(facts recipe.Facts) (recipe.Change, error) {
	now, then := facts.Path(k.Path), recipe.Path{}
	if k.Copy != "" {
		then = facts.Path(k.Copy)
		if then.Type == recipe.PathAbsent {
			return recipe.Change{}, fmt.Errorf("the copy of run %s is gone", k.Run)
		}
	}
	if now == then {
		return recipe.Change{}, nil
	}
	change := recipe.Change{
		Kind: recipe.Update, Summary: "as before run " + k.Run,
		Steps: []recipe.Step{recipe.Restore{Run: k.Run, Number: k.Step, Path: k.Path, As: then, Secret: k.Secret}},
	}
	switch {
	case now.Type == recipe.PathAbsent:
		change.Kind = recipe.Create
	case then.Type == recipe.PathAbsent:
		change.Kind = recipe.Delete
	}
	if now.Type == recipe.PathFile || then.Type == recipe.PathFile {
		change.Diff = &recipe.FileDiff{
			Path: k.Path, Exists: now.Type == recipe.PathFile, Secret: k.Secret,
			After: facts.Content(k.Copy).Bytes, AfterSize: facts.Content(k.Copy).Size,
		}
	}
	if now.Type == recipe.PathLink || then.Type == recipe.PathLink {
		change.Deltas = append(change.Deltas, recipe.Delta{Name: "target", Before: now.Target, After: then.Target})
	}
	if now.Type == then.Type {
		change.Deltas = append(change.Deltas, attributeDeltas(recipe.Attributes{Mode: then.Mode, Owner: then.Owner, Group: then.Group}, now)...)
	}
	return change, nil
}
