package resource

import "provision/internal/recipe"

// FormerCertificate is a certificate that no task wants any more: it goes with its key where both were
// made here. In their place an authority's may stand by now, of which no copy is kept: that stays.
type FormerCertificate struct{ Certificate }

// Diff implements recipe.Resource.
func (f FormerCertificate) Diff(facts recipe.Facts) (recipe.Change, error) {
	if f.Stays(facts) != "" {
		return recipe.Change{}, nil
	}
	return f.Certificate.Diff(facts)
}

// Stays says why the pair stays as it is, "" when it does not.
func (f FormerCertificate) Stays(facts recipe.Facts) string {
	if f.there(facts) && facts.Command(f.guard().Name).Output != mayGo {
		return "it, or its key " + f.Key + ", was not made here"
	}
	return ""
}
