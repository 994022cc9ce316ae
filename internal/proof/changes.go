package proof

import (
	"context"
	"slices"

	"provision/internal/engine"
	"provision/internal/recipe"
	"provision/internal/resource"
)

// Changes is a command with what it was seen to change of what the task asks about, where the task does
// not say so.
type Changes struct {
	Command string
	At      recipe.Position
	Changes []string // paths and units, all of them
}

// changes measures what commands change of what the task asks about behind them: on the host with the
// packages and accounts the task is done up to each, then with it. What cannot be done so is left out, for
// nothing is wrong with a task that does not say it.
func (p *prover) changes(ctx context.Context) error {
	commands := p.unconfined()
	if !p.converged || len(commands) == 0 {
		return nil
	}
	if err := p.Host.Rewind(ctx); err != nil {
		return err
	}
	for _, one := range commands {
		if r := do(ctx, p.Task.UpTo(one.Command, false)); r.Err != nil {
			return ctx.Err()
		}
		before, err := p.look(ctx)
		if err != nil {
			return err
		}
		r := do(ctx, p.Task.UpTo(one.Command, true))
		if r.Err != nil {
			return ctx.Err()
		}
		if !slices.ContainsFunc(r.changed, func(done engine.Planned) bool { return done.Item.Resource.ID() == "command:"+one.Command }) {
			continue // it had nothing to do
		}
		after, err := p.look(ctx)
		if err != nil {
			return err
		}
		changed := Changes{Command: one.Command, At: one.At, Changes: []string{}}
		for _, thing := range one.behind {
			if before[thing] != after[thing] {
				changed.Changes = append(changed.Changes, thing.Name)
			}
		}
		p.Changes = append(p.Changes, changed)
	}
	return nil
}

// unsaid is a command that does not say what it changes, with what the task asks about behind it.
type unsaid struct {
	Command string
	At      recipe.Position
	behind  []Thing
}

// unconfined are the task's own commands that do not say what they change, and have something behind
// them for which that would make a plan exact.
func (p *prover) unconfined() []unsaid {
	var all []unsaid
	for _, item := range p.items() {
		thing, _ := asked(item.Resource)
		for i := range all {
			if thing.Name != "" && !slices.Contains(all[i].behind, thing) {
				all[i].behind = append(all[i].behind, thing)
			}
		}
		command, ok := item.Resource.(resource.Command)
		if ok && item.Task == p.Task.Name && command.Unless != "" && command.Unconfined() != "" {
			all = append(all, unsaid{Command: command.Name, At: item.At})
		}
	}
	return slices.DeleteFunc(all, func(one unsaid) bool { return len(one.behind) == 0 })
}
