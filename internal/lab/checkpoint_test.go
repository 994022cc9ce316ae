package lab_test

import (
	"testing"

	"provision/internal/lab/labtest"
)

// A host is taken back to its last checkpoint, which stands on those before it.
func TestCheckpointsStandOnEachOther(t *testing.T) {
	t.Parallel()
	l := labtest.Open(t)
	host := labtest.Host(t, l, "lab-twice", "bookworm")
	for _, mark := range []string{"first", "second"} {
		wantOutput(t, l, host, "root", "touch /srv/"+mark+"; ls /srv/"+mark, "/srv/"+mark)
		if err := l.Checkpoint(t.Context(), host.Name); err != nil {
			t.Fatal(err)
		}
	}
	wantOutput(t, l, host, "root", "touch /srv/third; rm /srv/first; ls /srv", "second\nthird")
	if err := l.Rewind(t.Context(), host.Name); err != nil {
		t.Fatal(err)
	}
	wantOutput(t, l, host, "root", "ls /srv", "first\nsecond")
}
