package proof

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"provision/internal/engine"
	"provision/internal/recipe"
	"provision/internal/resource"
	"provision/internal/script"
)

// patient is how long each check is tried where it should hold.
func patient(check recipe.Check) time.Duration { return check.Within }

// impatient is how long a check is tried where it should fail: several times what it took when it held.
func (p *prover) impatient(check recipe.Check) time.Duration {
	for _, checked := range p.checks {
		if checked.Check.Name == check.Name {
			return min(check.Within, 3*checked.Elapsed+time.Second)
		}
	}
	return check.Within
}

// verifyFails stops each service and wants verify to fail, and to hold again when it was started.
func (p *prover) verifyFails(ctx context.Context) error {
	if !p.verified {
		return skipped("it did not hold")
	}
	if held := do(ctx, p.Task.Verify(patient)); p.failed(ctx, "verify", held) {
		p.verified = false
		return nil
	} else if len(held.checked) == 0 {
		p.fault(p.first(), `def verify(v, host): return [http(…)]: the checks that use it as its users do`, "verify checks nothing: it cannot fail")
		return nil
	}
	services := p.running()
	if len(services) == 0 {
		return p.brokenFiles(ctx)
	}
	for _, service := range services {
		if err := p.stopped(ctx, service); err != nil {
			return err
		}
	}
	return nil
}

// first is where the task begins to say what it wants.
func (p *prover) first() recipe.Position {
	for _, item := range p.items() {
		if item.Task == p.Task.Name && item.At.File != "" {
			return recipe.Position{File: item.At.File}
		}
	}
	return recipe.Position{}
}

// stopped verifies while a service is stopped, with what would start it when it is asked.
func (p *prover) stopped(ctx context.Context, service wantedService) error {
	before, err := units(ctx, p.Host)
	if err != nil {
		return err
	}
	stop := append(slices.Clone(before[service.Unit].triggers), service.Unit)
	if _, err := p.Host.Run(ctx, "systemctl stop "+quoted(stop), ""); err != nil {
		return err
	}
	without := do(ctx, p.Task.Verify(p.impatient))
	if without.Err == nil {
		p.fault(service.at, "add a check of what "+service.Unit+" is there for, or leave it out of the task", "verify holds while %s is stopped: no check needs it", service.Unit)
	} else if !errors.Is(without.Err, engine.ErrVerify) {
		return without.Err
	}
	now, err := units(ctx, p.Host)
	if err != nil {
		return err
	}
	var start []string
	for _, name := range slices.Sorted(maps.Keys(before)) {
		went := before[name].active == "active" && now[name].active != "active"
		if went && (slices.Contains(stop, name) || !(Difference{Thing: Thing{"unit", name}}).in(Except("debian", "moving"))) {
			start = append(start, name)
		}
	}
	if len(start) > 0 {
		if _, err := p.Host.Run(ctx, "systemctl start "+quoted(start), ""); err != nil {
			return err
		}
	}
	p.failed(ctx, "after "+service.Unit+" was stopped and started", do(ctx, p.Task.Verify(patient)))
	return nil
}

// brokenFiles empties one file after the other until verify fails: of a task without a service that
// proves that a check looks.
func (p *prover) brokenFiles(ctx context.Context) error {
	var broken []string
	for _, item := range slices.Backward(p.items()) {
		placed, ok := item.Resource.(recipe.Placed)
		if !ok || item.Task != p.Task.Name || !strings.HasPrefix(p.installed.Of("file", placed.Place()), "-") {
			continue
		}
		path := script.Quote(placed.Place())
		if _, err := p.Host.Run(ctx, "cp -a -- "+path+" /run/proof.kept && : >"+path, ""); err != nil {
			return err
		}
		without := do(ctx, p.Task.Verify(p.impatient))
		if _, err := p.Host.Run(ctx, "cat /run/proof.kept >"+path+" && rm /run/proof.kept", ""); err != nil {
			return err
		}
		if errors.Is(without.Err, engine.ErrVerify) {
			return nil
		} else if without.Err != nil {
			return without.Err
		}
		broken = append(broken, placed.Place())
	}
	if len(broken) == 0 {
		return skipped("it has neither a service nor a file")
	}
	at := p.first()
	for _, checked := range p.checks {
		at = checked.Check.At
	}
	p.fault(at, "let it use what the files are there for", "verify holds whatever is broken: %s was empty, one at a time", strings.Join(broken, ", "))
	return nil
}

// unitsOf are the units of a package and of all that it depends on.
const unitsOf = `apt-cache depends --recurse --important --installed "$1" | grep '^[a-z0-9]' | sort -u | xargs dpkg-query -L 2>/dev/null |
	sed -n 's,^\(/usr\)\?/lib/systemd/system/\([^/]*\)$,\2,p'`

// packagesComeAfter judges the order of the recipe: what a service of a package reads stands before the
// package. No service starts while packages install, but a host that is rebooted in the middle
// starts what came with the package, with the package's own configuration.
func (p *prover) packagesComeAfter(ctx context.Context) error {
	installed := map[string]engine.Planned{} // by a unit that the package brings
	any := false
	for _, planned := range p.planned.Items {
		if wanted, ok := resource.PackageOf(planned.Item.Resource); ok {
			any = true
			said, err := p.Host.Run(ctx, "set -- "+script.Quote(wanted.Name)+"\n"+unitsOf, "")
			if err != nil {
				return err
			}
			for unit := range strings.FieldsSeq(said) {
				if _, there := installed[unit]; !there && p.bare.Of("unit", unit) == "" {
					installed[unit] = planned
				}
			}
		}
		file, ok := planned.Item.Resource.(resource.File)
		if !ok || file.Absent {
			continue
		}
		for _, n := range planned.Item.Notifies {
			if brought, there := installed[n.Unit]; there && brought.Item.Task == planned.Item.Task {
				p.fault(planned.Item.At, "write the file before the package: then the first start finds it", "%s is configuration of %s and stands behind %s, which brings that unit with a configuration of its own",
					file.Path, n.Unit, brought.Item.Where())
			}
		}
	}
	if !any {
		return skipped("it has no package")
	}
	return nil
}

func quoted(words []string) string {
	var all []string
	for _, word := range words {
		all = append(all, script.Quote(word))
	}
	return strings.Join(all, " ")
}
