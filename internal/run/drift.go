package run

import (
	"context"

	"provision/internal/engine"
)

// Drift compares every host with what its tasks want, and changes nothing. It is Plan without what somebody
// who decides wants to see, for which a host is asked more: what stands in the files that differ. Approve gets
// what differs of each host that could be compared.
func Drift(ctx context.Context, work []Work, settings Settings) ([]Result, error) {
	settings.Patience = settleWithin
	return reading(ctx, work, settings, func(ctx context.Context, j *job) {
		j.run = nil // no host brings what another one waits for: that one cannot be compared
		j.planBy(ctx, func() error { return j.compare(ctx) })
		j.approve()
		switch {
		case j.ended:
		case j.made.Empty():
			j.finish(engine.StatusSame, nil)
		default:
			j.finish(engine.StatusPending, nil)
		}
	})
}

// compare finds what differs. What the host remembers is no difference: the inventory gives nobody that.
func (j *job) compare(ctx context.Context) error {
	_, plan, facts, err := j.host.compare(ctx, j.Blueprint, j.probes)
	if err != nil {
		return err
	}
	j.made = engine.Drift(plan, facts)
	if j.made.Drained {
		j.tellDrains()
	}
	for i, planned := range j.made.Items {
		if isMemory(planned.Item.Resource) {
			j.made.Items[i].Change = engine.Planned{}.Change
		}
	}
	return nil
}
