package acceptance

import (
	"context"
	"errors"
	"sync"
	"testing"

	"provision/internal/lab"
	"provision/internal/lab/labtest"
)

// origins are hosts, one of each release of Debian, with Graphite as it is after its first
// install. Each is made when the first test wants it; what begins there is a clone of it.
type origins struct {
	mu   sync.Mutex
	made map[string]string // by suite
}

// of returns the name of the one with that suite.
func (o *origins) of(t *testing.T, l *lab.Lab, suite string) string {
	t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	if name, made := o.made[suite]; made {
		return name
	}
	name := "laborigin-" + suite[:1]
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Remove(t.Context(), name); !errors.Is(err, lab.ErrNoHost) {
		must(err) // of tests that were killed
	}
	must(l.Seed(t.Context(), suite, packages))
	_, err := l.Up(t.Context(), []string{name}, suite)
	must(err)
	provision(t, "install", "graphite", "-y", "-H", name).exits(t, 0)
	must(l.Checkpoint(t.Context(), name))
	must(l.Down(t.Context(), name))
	o.made[suite] = name
	return name
}

// remove removes them, after the last test.
func (o *origins) remove() error {
	l, err := lab.Open(labtest.Config())
	for _, name := range o.made {
		if err == nil {
			err = l.Remove(context.Background(), name)
		}
	}
	return err
}

// installed returns a host that has Graphite: another than a bare one only in how long it takes.
// It has the address of the one that it was made from in its configuration, so that the next
// install has something to do.
func installed(t *testing.T, l *lab.Lab, suite, name string) machine {
	t.Helper()
	turn(t)
	return machine{labtest.Clone(t, l, name, graphites.of(t, l, suite))}
}
