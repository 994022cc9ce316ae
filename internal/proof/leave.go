package proof

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"provision/internal/recipe"
)

// noLonger purges what came along with a task's packages and nothing needs now: that is apt's business,
// and no removal takes it. A package may forbid that, as PostgreSQL does for the sake of its data
// (pg_updateaptconfig(8)): apt is told to forget it (apt.conf(5), #clear).
const noLonger = `export DEBIAN_FRONTEND=noninteractive; echo '#clear APT::NeverAutoRemove;' | apt-get -q -y -c /dev/stdin -o APT::AutoRemove::RecommendsImportant=false \
	-o APT::AutoRemove::SuggestsImportant=false -o Dpkg::Options::=--force-unsafe-io autoremove --purge >/dev/null`

// purgeLeavesNothing removes the task, with all that came for it, from the host that was bare before.
func (p *prover) purgeLeavesNothing(ctx context.Context) error {
	accounts, err := p.accountsOfPackages(ctx)
	if err != nil {
		return err
	}
	r := do(ctx, p.Task.Purge)
	if p.failed(ctx, "remove --purge", r) {
		return p.Host.Rewind(ctx)
	}
	if _, err := p.Host.Run(ctx, noLonger, ""); err != nil {
		return err
	}
	left, err := p.left(ctx, p.bare, "debian", "stays", "purged")
	if err != nil {
		return err
	}
	left = slices.DeleteFunc(left, func(d Difference) bool { return slices.Contains(accounts, d.Thing) })
	p.leaves(left, "remove --purge")
	return p.Host.Rewind(ctx)
}

// removeLeavesNothing brings the packages and accounts alone, then the task, and removes it.
func (p *prover) removeLeavesNothing(ctx context.Context) error {
	if err := p.premises(ctx); err != nil || p.over {
		return err
	}
	before, err := p.look(ctx)
	if err != nil {
		return err
	}
	owners, err := p.owners(ctx)
	if err != nil {
		return err
	}
	p.brings(before, owners)
	p.kept = keptByDaemons(p.bare, before)
	r := do(ctx, p.Task.Install)
	if p.failed(ctx, "install, where its packages and accounts were before", r) {
		p.converged = false
		return nil
	}
	if len(r.changed) == 0 { // so the host has no memory of it either
		return skipped("it has nothing but packages and accounts")
	}
	if p.installed, err = p.look(ctx); err != nil {
		return err
	}
	if p.failed(ctx, "remove", do(ctx, p.Task.Remove)) {
		return nil
	}
	left, err := p.left(ctx, before, "debian", "stays")
	p.leaves(left, "remove")
	return err
}

// premises makes the host one that had the packages and accounts before, and whose services do not run.
func (p *prover) premises(ctx context.Context) error {
	if r := do(ctx, p.Task.Premises); p.failed(ctx, "its packages and accounts alone", r) {
		p.over = true
		return nil
	}
	var names []string
	for _, service := range p.running() {
		names = append(names, service.Unit)
	}
	quiet := "rm -rf /var/lib/provision"
	if len(names) > 0 {
		quiet += "\nfor unit in " + quoted(names) + "; do systemctl -q cat $unit >/dev/null 2>&1 && systemctl -q disable --now $unit 2>/dev/null; done\n:"
	}
	if _, err := p.Host.Run(ctx, quiet, ""); err != nil {
		return err
	}
	return p.Host.Checkpoint(ctx)
}

// left is what a removal has left, less what the task's data is.
func (p *prover) left(ctx context.Context, before State, sections ...string) ([]Difference, error) {
	after, err := p.look(ctx)
	if err != nil {
		return nil, err
	}
	differences := before.Differences(after, Except(sections...))
	packaged, err := p.packaged(ctx, differences)
	var left []Difference
	purged := slices.Contains(sections, "purged")
	for _, d := range differences {
		if !purged && p.certificate(d.Name) {
			continue
		}
		upgraded := d.Kind == "package" && d.Before != "" && d.After != "" // as a dependency: no removal takes that back
		if !upgraded && !packaged[d.Name] && !p.data(d, after) && !p.rewritten(d) {
			left = append(left, d)
		}
	}
	return left, err
}

// packaged are the files of the packages among differences: it is enough to tell of the package.
func (p *prover) packaged(ctx context.Context, differences []Difference) (map[string]bool, error) {
	var packages []string
	for _, d := range differences {
		if d.Kind == "package" && d.After != "" {
			packages = append(packages, d.Name)
		}
	}
	if len(packages) == 0 {
		return nil, nil
	}
	said, err := p.Host.Run(ctx, "dpkg-query -L "+quoted(packages), "")
	files := map[string]bool{}
	for line := range strings.Lines(said) {
		path := strings.TrimSpace(line)
		if aliased.MatchString(path) {
			path = "/usr" + path
		}
		files[path] = true
	}
	return files, err
}

// aliased are paths of packages of Debian 12 that lie in /usr: /lib is a link there.
var aliased = regexp.MustCompile(`^/(bin|sbin|lib)/`)

// mostLeft is of how many things that were left it is told.
const mostLeft = 12

// leaves tells what a removal has left.
func (p *prover) leaves(left []Difference, what string) {
	if more := len(left) - mostLeft; more > 0 {
		defer p.fault(recipe.Position{}, "", "%s leaves %d things more", what, more)
		left = left[:mostLeft]
	}
	for _, d := range left {
		hint := ""
		if command, _ := p.scripted(d.Name); command != "" && d.Before == "" && !p.owns(d.Name) {
			hint = "what a command did stays: let the task have it as a file, or the command write below a directory of the task in /var/lib"
		}
		p.fault(p.maker(d.Name), hint, "%s leaves the host another: %s", what, d)
	}
}
