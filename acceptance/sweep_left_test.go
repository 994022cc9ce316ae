package acceptance

import (
	"testing"

	"provision/internal/proof"
)

// leftovers lists what a run that is over must not leave.
func (m machine) leftovers(t *testing.T) []string {
	t.Helper()
	left, err := proof.Leftovers(t.Context(), m)
	if err != nil {
		t.Fatalf("%s: %v", m.Name, err)
	}
	return left
}
