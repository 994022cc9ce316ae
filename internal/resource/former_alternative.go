package resource

import "provision/internal/recipe"

// FormerAlternative is a choice that no task wants any more: what was chosen before comes back, or, where
// that is not offered any more, nobody has chosen.
type FormerAlternative struct{ Alternative }

// Diff implements recipe.Resource.
func (f FormerAlternative) Diff(facts recipe.Facts) (recipe.Change, error) {
	if !f.found(facts).offered {
		f.Absent = true
	}
	return f.Alternative.Diff(facts)
}
