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
	Tree   bool   // the copy is a directory with all that was in it
}

// ID implements recipe.Resource.
func (k Kept) ID() string { return "file:" + k.Path }

// Probes implements recipe.Resource.
func (k Kept) Probes() []recipe.Probe {
	probes := []recipe.Probe{{Key: recipe.PathKey(k.Path), Digest: true}}
	if k.Tree {
		probes = append(probes, recipe.Probe{Key: recipe.FilesKey(k.Path)}, recipe.Probe{Key: recipe.FilesKey(k.Copy)})
	}
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
	files := facts.Files(k.Copy).Digest
	if now == then && (!k.Tree || facts.Files(k.Path).Digest == files) {
		return recipe.Change{}, nil
	}
	step := recipe.Restore{Run: k.Run, Number: k.Step, Path: k.Path, As: then, Secret: k.Secret}
	if k.Tree {
		step.Files = files
	}
	return putBack(now, step, facts.Content(k.Copy), "as before run "+k.Run), nil
}

// putBack is the change by which a step makes a path what it was.
func putBack(now recipe.Path, step recipe.Restore, content recipe.Content, why string) recipe.Change {
	then := step.As
	change := recipe.Change{Kind: recipe.Update, Summary: why, Steps: []recipe.Step{step}}
	switch {
	case now.Type == recipe.PathAbsent:
		change.Kind = recipe.Create
	case then.Type == recipe.PathAbsent:
		change.Kind = recipe.Delete
	}
	if now.Type == recipe.PathFile || then.Type == recipe.PathFile {
		change.Diff = &recipe.FileDiff{
			Path: step.Path, Exists: now.Type == recipe.PathFile, Secret: step.Secret,
			After: content.Bytes, AfterSize: content.Size,
		}
	}
	if now.Type == recipe.PathLink || then.Type == recipe.PathLink {
		change.Deltas = append(change.Deltas, recipe.Delta{Name: "target", Before: now.Target, After: then.Target})
	}
	if now.Type == then.Type {
		change.Deltas = append(change.Deltas, attributeDeltas(recipe.Attributes{Mode: then.Mode, Owner: then.Owner, Group: then.Group}, now)...)
	}
	return change
}
