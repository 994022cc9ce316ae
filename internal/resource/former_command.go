package resource

import "provision/internal/recipe"

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
