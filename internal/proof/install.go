package proof

import (
	"context"
	"fmt"
	"strings"
	"time"

	"provision/internal/engine"
	"provision/internal/recipe"
	"provision/internal/resource"
)

// plans compares the whole host before and after a plan.
func (p *prover) plans(ctx context.Context) (err error) {
	if p.bare, err = p.look(ctx); err != nil {
		return err
	}
	r := do(ctx, p.Task.Plan)
	p.planned = r.plan
	if p.over = p.failed(ctx, "plan", r); p.over {
		return nil
	}
	after, err := p.look(ctx)
	for _, d := range p.bare.Differences(after, Except("debian")) {
		p.fault(p.maker(d.Name), "a guard, a fact and a check with dry = True are asked in a plan: they have to change nothing", "the plan changed the host: %s", d)
	}
	return err
}

// installs compares what was done with what the plan had said.
func (p *prover) installs(ctx context.Context) error {
	before, err := units(ctx, p.Host)
	if err != nil {
		return err
	}
	r := do(ctx, p.Task.Install)
	p.at, p.checks = time.Now(), r.checked
	p.converged = !p.failed(ctx, "install", r)
	p.verified = p.converged
	if len(r.changed) == 0 && !p.converged {
		p.over = true
		return nil
	}
	if p.converged {
		p.asPlanned(p.planned, r)
	}
	if p.services, err = units(ctx, p.Host); err != nil {
		return err
	}
	p.unannounced(before, p.services, r.plan)
	p.installed, err = p.look(ctx)
	return err
}

// asPlanned compares the changes of a run with those that were announced.
func (p *prover) asPlanned(plan engine.Plan, r record) {
	changed := map[string]recipe.ChangeKind{}
	for _, done := range r.changed {
		changed[done.Item.Resource.ID()] = done.Change.Kind
	}
	announced := map[string]bool{}
	for _, planned := range plan.Items {
		id, said := planned.Item.Resource.ID(), planned.Change.Kind
		did, happened := changed[id]
		announced[id] = true
		switch {
		case said == recipe.NoChange && happened:
			p.fault(planned.Item.At, "", "%s changed (%s), and the plan had not announced it", id, did)
		case said == recipe.NoChange || said == recipe.MayBe || said == recipe.Becomes: // or it was right by then
		case !happened:
			p.fault(planned.Item.At, "", "%s was announced (%s) and did not change", id, said)
		case did != said:
			p.fault(planned.Item.At, "", "%s was announced as %s and was %s", id, said, did)
		}
	}
	for _, done := range r.changed {
		if !announced[done.Item.Resource.ID()] {
			p.fault(done.Item.At, "", "%s changed, and was in no plan", done.Item.Resource.ID())
		}
	}
}

// again wants a second plan to be empty.
func (p *prover) again(ctx context.Context) error {
	if !p.converged {
		return skipped("the first one did not come to its end")
	}
	r := do(ctx, p.Task.Plan)
	if !p.failed(ctx, "a second plan", r) {
		p.differs(r)
	}
	r = do(ctx, p.Task.Install)
	if !p.failed(ctx, "a second install", r) && r.Changed > 0 && len(r.plan.Changes()) == 0 {
		p.fault(recipe.Position{}, "", "a second install changed %d resources, and its plan said none", r.Changed)
	}
	return nil
}

// differs tells what a plan still wants changed of a host that was brought to what the task wants.
func (p *prover) differs(r record) {
	for _, planned := range r.plan.Changes() {
		if planned.Change.Until != "" {
			continue // it follows one that differs
		}
		id, text := planned.Item.Resource.ID(), planned.Change.Differs()
		switch wanted := planned.Item.Resource.(type) {
		case resource.Command:
			p.fault(planned.Item.At, "unless has to end with 0 once the script has done its work, today and tomorrow", "not idempotent: %s wants to run again: its guard is not true", id)
		case resource.Service:
			p.fault(planned.Item.At, "journalctl -u "+wanted.Unit, "not idempotent: %s does not stay as it has to be%s", id, text)
		default:
			by := ""
			if placed, ok := wanted.(recipe.Placed); ok {
				if command, at := p.scripted(placed.Place()); command != "" {
					by = fmt.Sprintf("; %s (%s) names that path", command, at.Short())
				}
			}
			p.fault(planned.Item.At, "one path has one owner: let a command write elsewhere, or the file hold what it writes", "not idempotent: %s wants to change again%s%s", id, text, by)
		}
	}
}

// scripted is the command whose script or guard names a path, "" for none.
func (p *prover) scripted(path string) (string, recipe.Position) {
	for _, item := range p.items() {
		if command, ok := item.Resource.(resource.Command); ok && path != "" && strings.Contains(command.Script+"\n"+command.Unless, path) {
			return item.Resource.ID(), item.At
		}
	}
	return "", recipe.Position{}
}

// maker is where the task says what brings something of that name: a resource at that path, or the
// command that names it, or its directory.
func (p *prover) maker(name string) recipe.Position {
	for _, item := range p.items() {
		if placed, ok := item.Resource.(recipe.Placed); ok && placed.Place() == name {
			return item.At
		}
	}
	for path := name; strings.Count(path, "/") > 1; path = path[:strings.LastIndex(path, "/")] {
		if command, at := p.scripted(path); command != "" {
			return at
		}
	}
	return recipe.Position{}
}

// lastLine is the end of what something printed.
func lastLine(output string) string {
	lines := strings.Split(strings.TrimSpace(output), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}
