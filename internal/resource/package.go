package resource

import (
	"slices"
	"time"

	"provision/internal/recipe"
)

// ListsMaxAge is the age at which apt's package lists are fetched again before an install.
const ListsMaxAge = 24 * time.Hour

// Package is a Debian package, installed without recommendations and left at the version
// that it has. While packages install, no service starts: their configuration is there
// first, and starting them is a Service's business.
type Package struct {
	Name   string
	Brings []recipe.Key // what its own scripts may change of what recipes ask about
	Absent bool         // purged
}

// ID implements recipe.Resource.
func (p Package) ID() string { return "package:" + p.Name }

// Merge implements recipe.Merged: each task names what it asks about of what the package
// brings.
func (p Package) Merge(other recipe.Resource) (recipe.Resource, bool) {
	o, ok := other.(Package)
	if !ok || o.Name != p.Name || o.Absent != p.Absent {
		return nil, false
	}
	both := p
	both.Brings = slices.Clone(p.Brings)
	for _, key := range o.Brings {
		if !slices.Contains(both.Brings, key) {
			both.Brings = append(both.Brings, key)
		}
	}
	return both, true
}

// Probes implements recipe.Resource.
func (p Package) Probes() []recipe.Probe {
	return []recipe.Probe{{Key: recipe.PackageKey(p.Name)}, {Key: recipe.ListsKey()}}
}

// Validate refuses what cannot be meant.
func (p Package) Validate() error { return checkName("package", p.Name, packageName) }

// Diff implements recipe.Resource.
func (p Package) Diff(facts recipe.Facts) (recipe.Change, error) {
	found := facts.Package(p.Name)
	gone := found.Status == "" || found.Status == "un"
	switch {
	case p.Absent && !gone:
		return recipe.Change{
			Kind: recipe.Delete, Summary: "purge", Steps: []recipe.Step{p.purge()},
		}, nil
	case p.Absent || found.Installed():
		return recipe.Change{}, nil
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

func (p Package) purge() recipe.Step {
	until := p.Name + " is purged"
	effects := []recipe.Effect{recipe.UnknownUntil(recipe.PackageKey(p.Name), until)}
	for _, key := range p.Brings {
		effects = append(effects, recipe.UnknownUntil(key, until))
	}
	return recipe.Exec{
		Name:    "purge " + p.Name,
		Script:  "DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=120 purge -- " + p.Name,
		Outcome: effects,
	}
}
