package resource

import (
	"slices"
	"strings"
	"time"

	"provision/internal/recipe"
)

// ListsMaxAge is the age at which apt's package lists are fetched again before an install.
const ListsMaxAge = 24 * time.Hour

// Package is a Debian package, installed without recommendations and left at the version
// that it has, or upgraded to apt's candidate. While packages install, no service starts:
// their configuration is there first, and starting them is a Service's business.
type Package struct {
	Name     string
	Brings   []recipe.Key // what its own scripts may change of what recipes ask about; nil is that nobody has said: any path, unit or account
	Restarts []string     // the units that run what it holds, and go on with the old of it after an upgrade
	Upgrade  bool         // to the version that apt would install
	Absent   bool         // purged, with what cannot be there without it
	Spares   []string     // of an absent one: it stays while apt would take one of these along
}

// ID implements recipe.Resource.
func (p Package) ID() string { return "package:" + p.Name }

// Unconfined implements recipe.Unconfined.
func (p Package) Unconfined() string {
	switch {
	case p.Brings != nil:
		return ""
	case p.Absent:
		return p.Name + " is purged"
	}
	return p.Name + " is installed"
}

// Merge implements recipe.Merged: each task names what it asks about of what the package
// brings. One that says nothing may ask about any of it.
func (p Package) Merge(other recipe.Resource) (recipe.Resource, bool) {
	o, ok := other.(Package)
	if !ok || o.Name != p.Name || o.Absent != p.Absent {
		return nil, false
	}
	both := p
	both.Brings, both.Restarts = union(p.Brings, o.Brings), union(p.Restarts, o.Restarts)
	if p.Brings == nil || o.Brings == nil {
		both.Brings = nil
	}
	return both, true
}

// Restarted implements recipe.Notifier.
func (p Package) Restarted() []string { return p.Restarts }

// union returns what is in a or b, without repetition.
func union[T comparable](a, b []T) []T {
	all := slices.Clone(a)
	for _, one := range b {
		if !slices.Contains(all, one) {
			all = append(all, one)
		}
	}
	return all
}

// Probes implements recipe.Resource.
func (p Package) Probes() []recipe.Probe {
	probes := []recipe.Probe{{Key: recipe.PackageKey(p.Name)}, {Key: recipe.ListsKey()}}
	if p.Absent {
		probes = append(probes, recipe.Probe{Key: recipe.RemovalKey(p.Name)})
	}
	if p.Upgrade {
		probes = append(probes, recipe.Probe{Key: recipe.CandidateKey(p.Name)})
	}
	return probes
}

// Validate refuses what cannot be meant.
func (p Package) Validate() error { return checkName("package", p.Name, packageName) }

// Diff implements recipe.Resource.
func (p Package) Diff(facts recipe.Facts) (recipe.Change, error) {
	found := facts.Package(p.Name)
	gone := found.Status == "" || found.Status == "un"
	switch {
	case p.Absent && !gone && p.spares(facts.Removal(p.Name)):
		return recipe.Change{}, nil
	case p.Absent && !gone:
		return p.purge(facts), nil
	case p.Absent:
		return recipe.Change{}, nil
	case found.Installed():
		return p.upgrade(found, facts), nil
	}
	lists := facts.Lists()
	install := recipe.InstallPackages{
		Names:  []string{p.Name},
		Update: !lists.Known || lists.Age > ListsMaxAge,
		Brings: p.Brings,
	}
	change := recipe.Change{Kind: recipe.Create, Summary: "install", Steps: []recipe.Step{install}}
	if !gone {
		change.Kind = recipe.Update
		change.Deltas = []recipe.Delta{{Name: "dpkg status", Before: found.Status, After: "ii"}}
	}
	return change, nil
}

// spares reports whether what would go with a package is wanted.
func (p Package) spares(with recipe.Removal) bool {
	return slices.ContainsFunc(with.Along, func(name string) bool { return slices.Contains(p.Spares, name) })
}

// upgrade is to the very version that the plan shows. One that is on hold stays (apt-mark(8)).
func (p Package) upgrade(found recipe.Package, facts recipe.Facts) recipe.Change {
	candidate := facts.Candidate(p.Name).Version
	if !p.Upgrade || candidate == "" || candidate == found.Version || found.Status[0] == 'h' {
		return recipe.Change{}
	}
	return recipe.Change{
		Kind:   recipe.Update,
		Deltas: []recipe.Delta{{Name: "version", Before: found.Version, After: candidate}},
		Steps:  []recipe.Step{recipe.InstallPackages{Names: []string{p.Name + "=" + candidate}, Brings: p.Brings, Restarts: p.Restarts}},
	}
}

// purge takes away what apt says goes with it too, and the plan names that.
func (p Package) purge(facts recipe.Facts) recipe.Change {
	with := facts.Removal(p.Name)
	change := recipe.Change{
		Kind: recipe.Delete, Summary: "purge",
		Steps: []recipe.Step{recipe.RemovePackages{Names: []string{p.Name}, With: with, Takes: p.Brings}},
	}
	for _, besides := range []recipe.Delta{
		{Name: "goes with it:", Before: strings.Join(with.Along, ", ")},
		{Name: "comes in its place:", Before: strings.Join(with.Comes, ", ")},
	} {
		if besides.Before != "" {
			change.Deltas = append(change.Deltas, besides)
		}
	}
	return change
}

// Trace implements recipe.Remembered.
func (p Package) Trace() recipe.Trace {
	return recipe.Trace{Kind: "package", Name: p.Name, Gone: p.Absent}
}

// Stood implements recipe.Remembered.
func (p Package) Stood(facts recipe.Facts) recipe.Before {
	return recipe.Before{Nothing: !facts.Package(p.Name).Installed()}
}

// leave implements leaver.
func (Package) leave(t recipe.Trace, l Leaving) (recipe.Resource, string) {
	return l.dear(t, Package{Name: t.Name, Absent: true, Brings: l.accounts(), Spares: l.Spares})
}
