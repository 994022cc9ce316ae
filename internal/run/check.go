package run

import (
	"runtime"

	"golang.org/x/sync/errgroup"

	"provision/internal/recipe"
)

// Check builds every host's recipe and checks as a run does before its first connection. It
// returns what cannot be built, and what cannot be built before the host is asked, by host.
func Check(work []Work) (failed, unknown []error) {
	for _, p := range prepare(work, nil, nil) {
		if p.failed != nil {
			failed = append(failed, p.failed)
		}
		if p.unknown != nil {
			unknown = append(unknown, p.unknown)
		}
	}
	return failed, unknown
}

// prepared is what is known of a host's work before a connection.
type prepared struct {
	probes          []recipe.Probe
	asking          *asking
	unknown, failed error
}

// known is what a host has said of itself last; nil where that is not known, or is asked by nobody.
func (w Work) known(last Last) *Known {
	if last == nil || len(w.Blueprint.Tasks) == 0 {
		return nil
	}
	if known, there := last.Of(w.Target.Name); there {
		return &known
	}
	return nil
}

// prepare builds every host's, side by side: builds depend on nothing but their input. Last may be nil.
func prepare(work []Work, last Last, exporters *exporters) []prepared {
	all, alike := make([]prepared, len(work)), new(alike)
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, w := range work {
		group.Go(func() error {
			p := &all[i]
			known := w.known(last)
			*p = w.Blueprint.prepare(known, exporters, alike)
			if known != nil && p.asking != nil {
				p.asking.kept = *known
			}
			for _, err := range []*error{&p.unknown, &p.failed} {
				if *err != nil {
					*err = recipe.Within(w.Target.Name, *err)
				}
			}
			return nil
		})
	}
	group.Wait()
	return all
}
