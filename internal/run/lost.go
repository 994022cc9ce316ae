package run

import (
	"context"
	"fmt"
	"strings"
	"time"

	"provision/internal/engine"
	"provision/internal/remote"
)

// How long a host is tried again after its connection was lost in the middle of a run.
const (
	lostTries = 5
	lostPause = 2 * time.Second
)

// lookAgain connects once more after the connection was lost in the middle of a change,
// asks the host what it has now, and tells what is left to do. It changes nothing: the
// step that was under way may still be running there, under the host's lock.
func (j *job) lookAgain(ctx context.Context) {
	for try := range lostTries {
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Duration(try) * lostPause):
		}
		connection, err := j.Target.connect(ctx)
		if err != nil {
			continue
		}
		defer connection.Close()
		again := host{j.Target, connection}
		boot, err := again.boot(ctx)
		if err != nil {
			continue // on its way down
		}
		if boot != j.boot {
			j.observe(engine.Note{Text: "the host has rebooted"})
		}
		_, left, err := again.plan(ctx, j.Blueprint, j.probes)
		if err != nil {
			j.observe(engine.Note{Text: "connected again, but " + err.Error()})
			return
		}
		j.observe(engine.Note{Text: "connected again: " + remaining(left)})
		return
	}
	j.observe(engine.Note{Text: fmt.Sprintf("could not connect again in %d tries", lostTries)})
}

// boot returns a word that is new with every boot of the host (random(4), boot_id): that a
// port answers does not tell whether the host is still on its way down. It is an error
// while the host shuts down.
func (h host) boot(ctx context.Context) (string, error) {
	output, err := h.connection.Run(ctx, remote.Command{Script: `[ "$(systemctl is-system-running)" != stopping ] && cat /proc/sys/kernel/random/boot_id`}, nil)
	return strings.TrimSpace(string(output)), err
}

func remaining(plan engine.Plan) string {
	var names []string
	for _, planned := range plan.Changes() {
		names = append(names, planned.Item.Resource.ID())
	}
	if len(names) == 0 {
		return "nothing that was planned is left to do"
	}
	return fmt.Sprintf("%d of %d left to do: %s", len(names), len(plan.Items), strings.Join(names, ", "))
}
