package run

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"time"

	"provision/internal/engine"
	"provision/internal/journal"
	"provision/internal/remote"
	"provision/internal/script"
)

// How long a host is tried again after its connection was lost in the middle of a run: so
// many times, each after a longer pause, and so long where it was seen to go down or to be up
// without its sshd, for a reboot may take minutes.
const (
	lostTries    = 5
	lostPause    = 2 * time.Second
	rebootWithin = 5 * time.Minute
)

// mostCuts is how many connections may be lost to the changes of one run.
const mostCuts = 3

// goOn starts another run where a guarded change has cut the connection and was confirmed
// over a new one: the first is ended on the host, which may not have noticed yet that nobody
// is there, and would keep its lock.
func (j *job) goOn(ctx context.Context, header journal.Header) (*journal.Session, error) {
	j.observe(engine.Note{Text: "the change cut the connection that it was made over: going on over a new one"})
	j.host.connection.Close()
	connection, err := j.Target.connect(ctx)
	if err != nil {
		return nil, err
	}
	j.host.connection = connection
	patience := max(j.settings.Patience, leaveWithin) // it ends at once, but for what is under way
	if _, err := connection.Run(ctx, remote.Command{Script: script.TakeOver(j.host.run, patience), Root: true, Silence: patience + j.Target.silence}, nil); err != nil {
		return nil, fmt.Errorf("the run that was cut off does not end: %w", err)
	}
	header.GoesOn = j.host.run
	return j.begin(ctx, header)
}

// lookAgain connects once more after the connection was lost in the middle of a change,
// asks the host what it has now, and tells what is left to do. It changes nothing: the
// step that was under way may still be running there, under the host's lock.
func (j *job) lookAgain(ctx context.Context) {
	began, rebooting, tries := time.Now(), false, 0
	var stop <-chan struct{} // it asks for an end of the longer wait only
	for ; tries < lostTries || rebooting && time.Since(began) < rebootWithin; tries++ {
		if tries == lostTries {
			j.observe(engine.Note{Text: fmt.Sprintf("the host seems to reboot: waiting for it, up to %.0f minutes", rebootWithin.Minutes())})
			stop = j.settings.Stop
		}
		select {
		case <-ctx.Done():
			return
		case <-stop:
			return
		case <-time.After(time.Duration(min(tries, lostTries)) * lostPause):
		}
		connection, err := j.Target.connect(ctx)
		if err != nil {
			rebooting = rebooting || errors.Is(err, syscall.ECONNREFUSED)
			continue
		}
		defer connection.Close()
		again := host{target: j.Target, connection: connection}
		boot, err := again.boot(ctx)
		if err != nil {
			rebooting = true // on its way down
			continue
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
	j.observe(engine.Note{Text: fmt.Sprintf("could not connect again in %d tries", tries)})
}

// boot returns a word that is new with every boot of the host (random(4), boot_id): that a
// port answers does not tell whether the host is still on its way down. It is an error
// while the host shuts down.
func (h host) boot(ctx context.Context) (string, error) {
	output, err := h.connection.Run(ctx, remote.Command{Script: `[ "$(systemctl is-system-running)" != stopping ] && cat /proc/sys/kernel/random/boot_id`, Silence: h.target.silence}, nil)
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
