package resource

import "provision/internal/recipe"

// FormerKey is a public key that no task wants any more, and that stood there before any did: its
// line comes back, for its options may be narrower than ours. Where the key is no longer there, it
// lets nobody in again.
type FormerKey struct {
	Key  AuthorizedKey
	Back string // its line as it stood there before
}

// ID implements recipe.Resource.
func (f FormerKey) ID() string { return f.Key.ID() }

// Probes implements recipe.Resource.
func (f FormerKey) Probes() []recipe.Probe { return part{path: f.Key.file()}.probes() }

// Diff implements recipe.Resource.
func (f FormerKey) Diff(facts recipe.Facts) (recipe.Change, error) {
	return part{path: f.Key.file(), absent: true, what: "key", edit: f.edit}.diff(facts)
}

func (f FormerKey) edit(text string) (string, error) {
	same, err := f.Key.same()
	if err != nil || len(matching(text, same)) == 0 {
		return text, err
	}
	return replaced(text, f.Back, same), nil
}
