package run

import (
	"fmt"
	"testing"

	"provision/internal/engine"
	"provision/internal/resource"
)

// A rollback dies at any moment: what came back by then is remembered, and what it had not taken
// back yet.
func TestWhatARollbackThatDiedLeftGoes(t *testing.T) {
	onMachine(t, func(m *machine) {
		file := func(name string) resource.File { return resource.File{Path: m.path(name), Content: name} }
		counter, entry, pace := m.path("../entries"), 1, 1
		if testing.Short() {
			entry, pace = 4, 6
		}
		for ; ; entry += pace {
			m.arrange(t)
			before := m.snapshot(t)
			is(t, m.does(t, file("a"), file("b"), file("c")), engine.StatusChanged)
			is(t, m.does(t, file("a"), file("d"), file("e")), engine.StatusChanged)
			m.write(t, counter, "0\n", 0o644)
			m.killedWhen(t, fmt.Sprintf(`n=$(cat '%s'); echo $((n + 1)) >'%s'; [ "$n" -eq %d ]`, counter, counter, entry))
			died := m.does(t).Status != engine.StatusChanged
			m.survives(t)
			if !died {
				if entry < 10 {
					t.Errorf("it was killed at %d entries of the journal alone", entry)
				}
				return
			}
			left := m.read(t, "b") + m.read(t, "c") + m.read(t, "d") + m.read(t, "e")
			if found := m.does(t, file("a")); found.Status != engine.StatusChanged {
				t.Errorf("killed at entry %d, which left %q: %s: %v", entry, left, found.Status, found.Err)
			}
			if got := m.read(t, "b") + m.read(t, "c") + m.read(t, "d") + m.read(t, "e"); got != "" {
				t.Errorf("killed at entry %d, which left %q; then without them: %q", entry, left, got)
			}
			is(t, m.removes(t, "x"), engine.StatusChanged)
			sameLines(t, fmt.Sprintf("killed at entry %d, then removed", entry), m.snapshot(t), before)
		}
	})
}
