package run

import (
	"runtime"

	"golang.org/x/sync/errgroup"

	"provision/internal/recipe"
)

// Check builds every host's recipe and checks as a run does before its first connection. It
// returns what cannot be built, and what cannot be built before the host is asked, by host.
func Check(work []Work) (failed, unknown []error) {
	for _, p := range prepare(work) {
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

// prepare builds every host's, side by side: builds depend on nothing but their input.
func prepare(work []Work) []prepared {
	all := make([]prepared, len(work))
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, w := range work {
		group.Go(func() error {
			p := &all[i]
			*p = w.Blueprint.prepare()
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
