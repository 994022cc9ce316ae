package resource

import "provision/internal/recipe"

// KeptMemory is what the host remembered of a task before an earlier run, which a rollback brings
// back last. Until then the host remembers also what that run has brought: a rollback that dies
// leaves nothing that no memory names.
type KeptMemory struct {
	Kept
	Meanwhile string // where the copy is of what it remembered while that run went on; "" for none
	Until     int    // the number of the step that replaced that
}

// ID implements recipe.Resource: it is called as what notes it.
func (k KeptMemory) ID() string { return recipe.NoteAt(k.Path) }

// Diff implements recipe.Resource. Its lines are the tool's own, and no diff for a person.
func (k KeptMemory) Diff(facts recipe.Facts) (recipe.Change, error) {
	change, err := k.Kept.Diff(facts)
	change.Diff, change.Deltas = nil, nil
	return change, err
}

// Probes implements recipe.Resource.
func (k KeptMemory) Probes() []recipe.Probe {
	probes := k.Kept.Probes()
	if k.Meanwhile != "" {
		probes = append(probes, recipe.Probe{Key: recipe.PathKey(k.Meanwhile), Digest: true})
	}
	return probes
}

// Foreword implements recipe.Foreword.
func (k KeptMemory) Foreword(facts recipe.Facts) []recipe.Step {
	if k.Meanwhile == "" {
		return nil
	}
	then := facts.Path(k.Meanwhile)
	if then.Type == recipe.PathAbsent || then == facts.Path(k.Path) {
		return nil
	}
	return []recipe.Step{recipe.Restore{Run: k.Run, Number: k.Until, Path: k.Path, As: then}}
}
