package engine

import "provision/internal/recipe"

// Drift returns what differs on a host now, of a plan that was made of what was found there. A plan has
// also what follows from its own steps, as the restart behind a file; here each resource is compared with
// the host as it is. Of what cannot be compared before an earlier step nothing is said. No change has steps,
// nor a diff, for which a host would be asked once more.
func Drift(plan Plan, found recipe.Facts) Plan {
	if plan.Empty() {
		return plan
	}
	items := make([]Planned, len(plan.Items))
	for i, planned := range plan.Items {
		items[i].Item = planned.Item
		change, err := planned.Item.Resource.Diff(found)
		if err == nil {
			change.Steps, change.Diff = nil, nil
			items[i].Change = change
		}
	}
	plan.Items = items
	return plan
}
