package engine

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
)

// Hash tells plans apart in a host's journal: two have the same one when they announce the
// same changes. What is secret does not go into it, for a password can be guessed, and what
// was there before does not either: it is not what was decided.
func (p Plan) Hash() string {
	sum := sha256.New()
	encoder := json.NewEncoder(sum)
	for _, planned := range p.Changes() {
		change := planned.Change
		var content []byte
		var wanted []string
		for _, delta := range change.Deltas {
			wanted = append(wanted, delta.Name, delta.After)
		}
		if change.Diff != nil && !change.Diff.Secret {
			content = change.Diff.After
		}
		// Texts and bytes always marshal.
		encoder.Encode([]any{planned.Item.Task, planned.Item.Resource.ID(), change.Kind, change.Summary, wanted, change.Until, content})
	}
	return hex.EncodeToString(sum.Sum(nil)[:8])
}
