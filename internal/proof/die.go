package proof

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"provision/internal/engine"
	"provision/internal/recipe"
)

// killRuns kills all that sshd has started, at once, and names it.
const killRuns = `below() { for child in $(cat /proc/$1/task/*/children); do echo $child; below $child; done; }
victims=$(below $(systemctl show -p MainPID --value ssh) 2>/dev/null)
for victim in $victims; do cat /proc/$victim/comm; done 2>/dev/null
kill -9 $victims`

// KillRuns kills at once all that goes on in a host by way of sshd, and says what that was.
func KillRuns(ctx context.Context, host Host) (string, error) {
	said, err := host.Run(ctx, killRuns, "")
	return strings.Join(strings.Fields(said), " "), err
}

// moment is when a run dies: so long after a step began.
type moment struct {
	step  recorded
	after time.Duration
}

func (m moment) String() string {
	return fmt.Sprintf("%q, %s after it began", m.step.Title, m.after.Round(time.Millisecond))
}

// kills lets the install die on the host with the packages and accounts, at one moment after the other,
// and runs it again: that has to make of the host what an undisturbed run does.
func (p *prover) kills(ctx context.Context) error {
	if p.Kills == 0 {
		return skipped("--kills 0")
	}
	if !p.converged {
		return skipped("an undisturbed one does not come to its end")
	}
	if err := p.Host.Rewind(ctx); err != nil {
		return err
	}
	whole := do(ctx, p.Task.Install)
	if p.failed(ctx, "install", whole) {
		return nil
	}
	moments := chooseMoments(whole.steps, p.Kills, p.Seed)
	if len(moments) == 0 {
		return skipped("it has nothing to do but packages and accounts")
	}
	for _, m := range moments {
		if err := p.Host.Rewind(ctx); err != nil {
			return err
		}
		if err := p.kill(ctx, m); err != nil {
			return err
		}
		if err := p.madeWhole(ctx, m); err != nil {
			return err
		}
	}
	return nil
}

// kill lets a run die at a moment.
func (p *prover) kill(ctx context.Context, m moment) error {
	killed := make(chan error, 1)
	reached := false
	p.Task.Install(ctx, func(event engine.Event) {
		if began, ok := event.(engine.StepBegan); !ok || reached || began.Number != m.step.Number {
			return
		}
		reached = true
		go func() {
			time.Sleep(m.after)
			_, err := KillRuns(ctx, p.Host)
			killed <- err
		}()
	})
	if !reached {
		return nil
	}
	<-killed // of what had ended already there is nothing to kill
	return ctx.Err()
}

func (p *prover) madeWhole(ctx context.Context, m moment) error {
	if p.failed(ctx, "the run after one that was killed in "+m.String(), do(ctx, p.Task.Install)) {
		return nil
	}
	now, err := p.look(ctx)
	if err != nil {
		return err
	}
	for _, d := range p.installed.Differences(now, Except("debian", "moving", "anew")) {
		if d.Kind == "file" && p.maker(d.Name).File == "" && outline(d.Before) == outline(d.After) {
			continue // what runs and commands write, each time anew
		}
		if p.rewritten(d) || p.data(Difference{Thing: d.Thing, After: d.After}, now) {
			continue
		}
		p.fault(p.maker(d.Name), "", "after a run that was killed in %s the next one makes another host: %s", m, d)
	}
	left, err := Leftovers(ctx, p.Host)
	for _, path := range left {
		p.fault(recipe.Position{}, "", "after a run that was killed in %s the next one leaves %s", m, path)
	}
	return err
}

// chooseMoments are the middles of commands, for these are the task's own, and others by chance.
func chooseMoments(steps []recorded, n int, seed uint64) []moment {
	random := rand.New(rand.NewPCG(seed, 0))
	var commands, others []moment
	for _, step := range steps {
		if strings.HasPrefix(step.Resource, "command:") && !strings.HasPrefix(step.Title, "note: ") {
			commands = append(commands, moment{step, step.elapsed / 2})
		} else {
			others = append(others, moment{step, time.Duration(random.Float64() * float64(step.elapsed))})
		}
	}
	for _, some := range [][]moment{commands, others} {
		random.Shuffle(len(some), func(i, j int) { some[i], some[j] = some[j], some[i] })
	}
	all := append(commands, others...)
	return all[:min(n, len(all))]
}
