package engine

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"

	"provision/internal/recipe"
)

// Result is what a run did to one host.
type Result struct {
	Changed []Planned
	Same    int
}

// Run is what makes a host what a recipe wants, and what of that was announced.
type Run struct {
	Host    Host
	Session Session // holds the host's lock
	Wanted  recipe.Recipe
	Plan    Plan // that was shown: nothing else is done
	Observe Observer
	Stop    <-chan struct{} // when it is closed, the run ends between two steps
}

// application is a run while it goes on.
type application struct {
	host    Host
	session Session
	wanted  *Wanted
	plan    Plan // that was shown
	observe Observer
	stop    <-chan struct{}

	initial recipe.Facts // the host as it was before the run
	overlay outlook      // the host as it will be, by the steps that are planned
	before  recipe.Facts // the host as it was before the batch
	number  int          // of the last step
	done    []doneStep   // for putting back
	armed   []string     // the guarded units whose change is not confirmed yet
	old     []string     // the units that run with their old files again, for a change was put back
	shut    error        // why no new connection could be made while a guarded change went live
	result  Result
}

// doneStep is a step that was done, with the units that its resource notifies.
type doneStep struct {
	recipe.Numbered
	notifies []recipe.Notification
}

// Apply makes the host so. found is what it has answered under its lock.
func (r Run) Apply(ctx context.Context, found recipe.Facts) (Result, error) {
	a := &application{host: r.Host, session: r.Session, wanted: Want(r.Wanted), plan: r.Plan, observe: r.Observe, stop: r.Stop}
	fresh, err := a.wanted.Plan(found)
	if err != nil {
		return a.result, err
	}
	if !announced(r.Plan, fresh) {
		return a.result, ErrStale
	}
	a.initial, a.overlay = found, newOutlook(a.wanted, found)
	after, err := a.run(ctx)
	if err != nil {
		return a.result, err
	}
	return a.result, a.converged(ctx, after)
}

// run goes through the recipe: as many items as can be planned become one batch; then the
// host is asked what the batch left unknown, and the next ones are planned. It returns what the
// host has after the last one, nil where it was not asked.
func (a *application) run(ctx context.Context) (after recipe.Facts, err error) {
	for next := 0; next < len(a.wanted.Items); {
		var batch []Planned
		a.before = a.overlay.Clone()
		for ; next < len(a.wanted.Items); next++ {
			item, keys := a.wanted.Items[next], a.wanted.keys[next]
			if a.overlay.Unknown(keys) != "" {
				break
			}
			change, err := planItem(item, keys, a.overlay)
			if err != nil {
				_, failed := a.do(ctx, batch, nil)
				return nil, errors.Join(failed, a.unforeseen(item, err))
			}
			if change.Empty() {
				a.result.Same++
				continue
			}
			batch = append(batch, Planned{item, change})
		}
		if next == len(a.wanted.Items) {
			after, err = a.do(ctx, batch, a.wanted.Probes())
		} else {
			err = a.doAndAsk(ctx, batch, a.unknown(a.wanted.Items[next:]))
		}
		if err != nil {
			return nil, err
		}
	}
	for len(a.armed) > 0 { // files changed, and their service had nothing to take in
		if err := a.confirm(ctx, a.armed[0]); err != nil {
			return nil, err
		}
	}
	return after, nil
}

// unknown are the questions about the items that are left whose answers are not known.
func (a *application) unknown(items []recipe.Item) []recipe.Probe {
	var probes []recipe.Probe
	for _, item := range items {
		for _, probe := range item.Probes() {
			if a.overlay.Facts[probe.Key].Until != "" {
				probes = append(probes, probe)
			}
		}
	}
	return recipe.Merge(probes)
}

// doAndAsk does a batch, and lays what the host answers then over the facts.
func (a *application) doAndAsk(ctx context.Context, batch []Planned, then []recipe.Probe) error {
	found, err := a.do(ctx, batch, then)
	if err != nil {
		return err
	}
	if found == nil {
		answer, err := a.host.Probe(ctx, then)
		if err != nil {
			return err
		}
		found = answer.Facts
	}
	maps.Copy(a.overlay.Facts, found)
	return nil
}

// do does a batch's steps, and tells of each change when its last step is done. The question that
// follows goes with the last of them, unless something is armed: what is still to be confirmed
// may be undone. Nil facts are that it was not asked.
func (a *application) do(ctx context.Context, batch []Planned, then []recipe.Probe) (found recipe.Facts, err error) {
	for len(batch) > 0 {
		if a.stopped() {
			return nil, a.interrupted(ctx)
		}
		changes, rest := split(batch)
		part := a.part(changes)
		question := then
		if len(rest) > 0 || len(a.armed) > 0 {
			question = nil
		}
		found, err = a.doGuarded(ctx, part.steps, question, a.following(part))
		var failed *StepError
		switch {
		case errors.As(err, &failed):
			failed.At = a.wanted.At(failed.Step.Resource)
			return nil, a.recover(ctx, failed, err, part)
		case err != nil && len(a.armed) > 0:
			return nil, a.lost(ctx, err, part)
		case err != nil:
			return nil, err
		}
		if err := a.confirmAll(ctx, changes); err != nil {
			return nil, err
		}
		batch = rest
	}
	return found, nil
}

// act does steps after which nothing is asked.
func (a *application) act(ctx context.Context, steps []recipe.Numbered, observe Observer) error {
	_, err := a.session.Do(ctx, steps, nil, observe)
	return err
}

// following passes on the events of a part's steps, and follows them.
func (a *application) following(part part) Observer {
	return func(event Event) {
		a.observe(event)
		if ended, ok := event.(StepEnded); ok && !ended.Failed {
			a.stepDone(ended.Number, part)
		}
	}
}

func (a *application) stopped() bool {
	select {
	case <-a.stop:
		return true
	default:
		return false
	}
}

func (a *application) stepDone(number int, part part) {
	for _, step := range part.steps {
		if step.Number == number {
			done := doneStep{Numbered: step}
			for _, planned := range part.changes {
				if planned.Item.Resource.ID() == step.Resource {
					done.notifies = planned.Item.Notifies
				}
			}
			a.done = append(a.done, done)
		}
	}
	for i, end := range part.last {
		if end == number {
			a.result.Changed = append(a.result.Changed, part.changes[i])
			a.observe(Changed{part.changes[i].Item, part.changes[i].Change})
		}
	}
}

// converged looks at the host once more, as it was found after the last step, or is when asked
// now: what still differs did not converge.
func (a *application) converged(ctx context.Context, found recipe.Facts) error {
	if found == nil {
		answer, err := a.host.Probe(ctx, a.wanted.Probes())
		if err != nil {
			return err
		}
		found = answer.Facts
	}
	left, err := a.wanted.Plan(found)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNotConverged, err)
	}
	if left.Empty() {
		return nil
	}
	var still []string
	for _, planned := range left.Changes() {
		if planned.Change.Until != "" {
			continue // it follows one that differs
		}
		still = append(still, planned.Item.Where()+planned.Change.Differs())
	}
	return fmt.Errorf("%w: %s", ErrNotConverged, strings.Join(still, ", "))
}
