package run

import (
	"runtime"

	"golang.org/x/sync/errgroup"

	"provision/internal/recipe"
)

// Check builds every host's recipe and checks as a run does before its first connection, and
// returns what cannot be built, by host.
func Check(work []Work) []error {
	var failed []error
	_, errs := prepare(work)
	for _, err := range errs {
		if err != nil {
			failed = append(failed, err)
		}
	}
	return failed
}

// prepare makes the questions to every host, side by side: builds depend on nothing but their
// input.
func prepare(work []Work) ([][]recipe.Probe, []error) {
	probes, errs := make([][]recipe.Probe, len(work)), make([]error, len(work))
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, w := range work {
		group.Go(func() error {
			var err error
			if probes[i], err = w.Blueprint.Probes(); err != nil {
				errs[i] = recipe.Within(w.Target.Name, err)
			}
			return nil
		})
	}
	group.Wait()
	return probes, errs
}
